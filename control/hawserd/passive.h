// PassiveJudge: which backends to eject for what the dataplane saw of them.
//
// Outlier detection as in Envoy, with the share of ejected backends computed after ejecting. Pure:
// counters and time come in, ejections go out. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dataplane.pb.h"
#include "runtime.h"

namespace hawser::control {

struct Ejection {
  std::string service;
  std::string backend;
  std::uint64_t until_unix = 0;
  std::uint32_t ejections = 0;  // in a row, this one among them
  std::string text;             // why
  bool withheld = false;        // too many of the service's backends are ejected already
};

class PassiveJudge {
 public:
  // `counters` holds every backend that ever failed, with what is counted of it since the start of
  // the dataplane. To be called every second or so. A withheld ejection is told once, and again
  // when it was not due in between.
  [[nodiscard]] std::vector<Ejection> look(const dataplane::v1::CountersReply& counters,
                                           const Runtime& runtime, std::uint64_t now_unix);
  // Another dataplane counts anew.
  void forget() { seen_.clear(); }

 private:
  using Key = std::pair<std::string, std::string>;  // service, backend
  struct Sample {
    std::uint64_t at_unix = 0;
    std::uint64_t connects = 0;
    std::uint64_t failed_connects = 0;
    std::uint64_t requests = 0;
    std::uint64_t server_errors = 0;
  };
  struct Seen {
    std::deque<Sample> samples;  // of the window, oldest first
    std::uint32_t ejections = 0;
    std::uint64_t ejected_until_unix = 0;  // of the last ejection
    bool withheld = false;
  };

  [[nodiscard]] static Sample sample_of(const dataplane::v1::BackendCounters& counters,
                                        std::uint64_t now_unix);
  static void note(Seen& seen, const Sample& sample, std::uint32_t window_seconds);
  // Why the backend should go; none: it should not.
  [[nodiscard]] static std::optional<std::string> fault(const Seen& seen,
                                                        const model::Passive& passive);

  std::map<Key, Seen> seen_;
};

}  // namespace hawser::control
