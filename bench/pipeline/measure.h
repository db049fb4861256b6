// The loop that every benchmark of the pipeline times, and what they have in common.
#pragma once

#include <cstddef>
#include <utility>

#include "hawser/pipeline/packet.h"
#include "statistics.h"

namespace hawser::bench {

// Nanoseconds for making and handling `bursts` bursts. Once with the pipeline and once without, the
// difference is the pipeline's.
template <typename Make, typename Handle>
[[nodiscard]] double spend(std::size_t bursts, Make&& make, Handle&& handle) {
  pipeline::Burst burst;
  const double start = thread_nanoseconds();
  for (std::size_t i = 0; i < bursts; ++i) {
    make(burst);
    handle(burst);
  }
  return thread_nanoseconds() - start;
}

// How often is enough, and how the figures are shown. The same for all sub-commands.
struct Common {
  bool json = false;
  unsigned repeats = 5;
};

}  // namespace hawser::bench
