// Hands out the status page.
#include "http_page.h"

namespace hawser::control {

void answer_page(const HttpSources& /*sources*/, const HttpRequest& /*request*/, HttpReply& reply) {
  reply.set_policy(kStatusPagePolicy);
  reply.write(kStatusPage);
}

}  // namespace hawser::control
