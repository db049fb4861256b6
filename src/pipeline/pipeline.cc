// The sequence of stages. Reads as prose; nothing else knows the order.
#include "hawser/pipeline/pipeline.h"

#include "hawser/pipeline/capture.h"
#include "opening.h"

namespace hawser::pipeline {
namespace {

void count(std::span<const Packet> packets, Context& context) noexcept {
  // Most packets of a burst have the same verdict: one addition for each run of them.
  for (std::size_t begin = 0, end = 0; begin < packets.size(); begin = end) {
    const Verdict verdict = packets[begin].verdict;
    while (end < packets.size() && packets[end].verdict == verdict) ++end;
    context.worker.verdicts[static_cast<std::size_t>(verdict)].add(end - begin);
  }
}

// The packets' way. A capture looks on at three places and changes nothing.
template <bool kCaptured>
void run_stages(Burst& burst, Context& context) noexcept {
  Capture* const capture = context.worker.capture;
  if constexpr (kCaptured) capture->begin(burst, context);
  recognise(burst, context);
  const bool all_known = burst.known == burst.all();
  if (!all_known) {
    parse(burst, context);
    answer_neighbours(burst, context);
    handle_icmp(burst, context);
    join_fragments(burst, context);
    classify(burst, context);
    look_up(burst, context);
  }
  if constexpr (kCaptured) capture->look(burst, context);
  if (!all_known) {
    splice(burst, context);
    admit(burst, context);
  }
  carry(burst, context);
  rewrite(burst, context);
  if constexpr (kCaptured) capture->end(burst, context);
}

// What is in the outbox since the last time.
void finish_made(Context& context) noexcept {
  const std::span<const Packet> made = context.worker.outbox.uncounted();
  count(made, context);
  if (context.worker.capture != nullptr) [[unlikely]]
    context.worker.capture->take_made(made, context);
}

}  // namespace

void run(Burst& burst, Context& context) noexcept {
  if (context.worker.capture == nullptr) [[likely]] {
    run_stages<false>(burst, context);
  } else {
    run_stages<true>(burst, context);
  }
  count(burst.span(), context);
  finish_made(context);
}

void tick(Context& context) noexcept {
  tick_fragments(context);
  tick_openings(context);
  tick_splice(context);
  finish_made(context);
}

}  // namespace hawser::pipeline
