// The loop that every benchmark of the pipeline times, and what they have in common.
#pragma once

#include <cstddef>
#include <cstdint>
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

// Nanoseconds for making all bursts, and for handling them.
struct Parts {
  double making = 0;
  double handling = 0;
};

// The same for packets whose making costs much and more when the pipeline has had the caches in
// between: a difference would charge it for that. The thread's time is shared out in the ratio that
// the cycle counter says, so being interrupted counts for neither.
template <typename Make, typename Handle>
[[nodiscard]] Parts spend_parts(std::size_t bursts, Make&& make, Handle&& handle) {
  pipeline::Burst burst;
  std::uint64_t making = 0;
  std::uint64_t handling = 0;
  const double start = thread_nanoseconds();
  std::uint64_t before = __builtin_ia32_rdtsc();
  for (std::size_t i = 0; i < bursts; ++i) {
    make(burst);
    const std::uint64_t made = __builtin_ia32_rdtsc();
    handle(burst);
    const std::uint64_t handled = __builtin_ia32_rdtsc();
    making += made - before;
    handling += handled - made;
    before = handled;
  }
  const double time = thread_nanoseconds() - start;
  const double share = static_cast<double>(making) / static_cast<double>(making + handling);
  return {.making = time * share, .handling = time * (1 - share)};
}

// How often is enough, and how the figures are shown. The same for all sub-commands.
struct Common {
  bool json = false;
  unsigned repeats = 5;
};

}  // namespace hawser::bench
