// The sequence of stages. Reads as prose; nothing else knows the order.
#include "hawser/pipeline/pipeline.h"

namespace hawser::pipeline {
namespace {

void count(Burst& burst, Context& context) noexcept {
  for (const Packet& packet : burst.span()) {
    context.worker.verdicts[static_cast<std::size_t>(packet.verdict)].add(1);
  }
}

}  // namespace

void run(Burst& burst, Context& context) noexcept {
  parse(burst, context);
  answer_neighbours(burst, context);
  classify(burst, context);
  look_up(burst, context);
  admit(burst, context);
  rewrite(burst, context);
  count(burst, context);
}

}  // namespace hawser::pipeline
