// Summary: what is reported of a measurement that was repeated.
#pragma once

#include <vector>

namespace hawser::bench {

struct Summary {
  double median = 0;
  double min = 0;
  double max = 0;
};

// Of at least one value; the median of an even number is the mean of the two in the middle.
[[nodiscard]] Summary summarize(std::vector<double> values);

// Nanoseconds that this thread has run. Another process on the same core does not count, so a
// machine that is not quite idle disturbs caches but not the clock.
[[nodiscard]] double thread_nanoseconds() noexcept;

}  // namespace hawser::bench
