// What a change would do, in words: differences of configurations, and replies to operators.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hawser/model/configuration.h"
#include "plan.h"

namespace hawser::control {

struct Change {
  std::string service;  // or the prefix list
  std::string backend;  // empty: of the service
  std::string field;
  std::string before;
  std::string after;
  friend bool operator==(const Change&, const Change&) = default;
};

// Why a request was not carried out.
enum class Failure : std::uint8_t {
  kNone,
  kInvalid,   // the request makes no sense
  kNotFound,  // no such service or backend
  kRefused,   // by a guard, or the dataplane refused the snapshot; nothing changed
  kTimedOut,  // stored, but the dataplane did not confirm in time
  kInternal,  // the journal failed; nothing changed
};

struct ChangeOutcome {
  Failure failure = Failure::kNone;
  std::string message;  // of the failure
  std::vector<Change> changes;
  std::uint64_t epoch = 0;  // confirmed by the dataplane; 0: not confirmed
  std::string note;
  Plan plan;  // what it does, or would do
  // Of a dry run: what the dataplane would be told, to ask it what that means for its flows.
  std::optional<model::Desired> candidate;
  model::Desired base;  // and what it runs, if that is known for sure
};

struct ReloadOutcome {
  ChangeOutcome change;
  std::vector<std::string> diagnostics;  // of a refused file; nothing changed then
  std::vector<std::string> notes;
};

// What differs in services and backends, in the order of `after`, what is gone last; then in prefix
// lists. No key is told, only that it changed.
[[nodiscard]] std::vector<Change> differences(const model::Configuration& before,
                                              const model::Configuration& after);

// What differs in the parts that are read at start only, one sentence for each.
[[nodiscard]] std::vector<std::string> restart_notes(const model::Configuration& before,
                                                     const model::Configuration& after);

}  // namespace hawser::control
