// The sequence of stages. Reads as prose; nothing else knows the order.
#include "hawser/pipeline/pipeline.h"

#include "opening.h"

namespace hawser::pipeline {
namespace {

void count(std::span<const Packet> packets, Context& context) noexcept {
  for (const Packet& packet : packets) {
    context.worker.verdicts[static_cast<std::size_t>(packet.verdict)].add(1);
  }
}

}  // namespace

void run(Burst& burst, Context& context) noexcept {
  parse(burst, context);
  answer_neighbours(burst, context);
  handle_icmp(burst, context);
  join_fragments(burst, context);
  classify(burst, context);
  look_up(burst, context);
  splice(burst, context);
  admit(burst, context);
  rewrite(burst, context);
  count(burst.span(), context);
  count(context.worker.outbox.uncounted(), context);
}

void tick(Context& context) noexcept {
  tick_fragments(context);
  tick_openings(context);
  tick_splice(context);
  count(context.worker.outbox.uncounted(), context);
}

}  // namespace hawser::pipeline
