// What is wrong right now, in words an operator woken at night can act on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "controller.h"
#include "dataplane.pb.h"
#include "hawser/base/result.h"
#include "watch.h"

namespace hawser::control {

enum class Severity : std::uint8_t { kCritical, kWarning };

struct Problem {
  Severity severity;
  std::string message;  // what is wrong, and what to do
  friend bool operator==(const Problem&, const Problem&) = default;
};

[[nodiscard]] std::string_view to_string(Severity severity) noexcept;

// Worst first; empty: all is well. `status` and `counters` are the dataplane's answers, `rises`
// what a watch saw.
[[nodiscard]] std::vector<Problem> find_problems(
    const View& view, const Result<dataplane::v1::StatusReply>& status,
    const Result<dataplane::v1::CountersReply>& counters, const std::vector<Rise>& rises,
    std::uint64_t now_unix);

}  // namespace hawser::control
