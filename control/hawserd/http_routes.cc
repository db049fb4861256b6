// What hawserd answers over HTTP: a row for each path.
#include "http_routes.h"

#include <array>

#include "http_api.h"
#include "http_metrics.h"
#include "http_page.h"

namespace hawser::control {
namespace {

// For whoever asks whether hawserd is there at all; how it goes is said by others.
void answer_alive(const HttpSources& /*sources*/, const HttpRequest& /*request*/,
                  HttpReply& reply) {
  reply.write("hawserd " HAWSER_VERSION "\n");
}

constexpr std::string_view kJson = "application/json";

constexpr std::array kRoutes{
    HttpRoute{"/", "text/html; charset=utf-8", answer_page},
    HttpRoute{"/api/v1/overview", kJson, answer_overview},
    HttpRoute{"/api/v1/status", kJson, answer_status},
    HttpRoute{"/api/v1/services", kJson, answer_services},
    HttpRoute{"/api/v1/backends", kJson, answer_backends},
    HttpRoute{"/api/v1/events", kJson, answer_events},
    HttpRoute{"/healthz", "text/plain; charset=utf-8", answer_alive},
    HttpRoute{"/metrics", "text/plain; version=0.0.4; charset=utf-8", answer_metrics},
};

}  // namespace

std::span<const HttpRoute> http_routes() {
  return kRoutes;
}

}  // namespace hawser::control
