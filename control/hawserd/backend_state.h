// BackendState: what is known of one backend at run time, and what follows from it.
//
// Plain values without clock; times are seconds since 1970.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hawser/model/service.h"
#include "journal.h"
#include "state_machine.h"

namespace hawser::control {

struct BackendState {
  // --- operators
  Mode mode = Mode::kReady;
  Authorship mode_by;                   // empty author: nobody changed it
  Terms terms;                          // of the mode
  std::optional<std::uint32_t> weight;  // none: the file's
  Authorship weight_by;

  // --- checks
  Health health = Health::kUnchecked;
  bool last_passed = true;
  std::string check_text;           // of the last check; empty: none yet
  std::string check_warning;        // likewise: what will become a failure
  std::uint64_t checked_unix = 0;   // of the last check; 0: none yet
  std::uint64_t checks_passed = 0;  // ever, as long as it is configured
  std::uint64_t checks_failed = 0;

  // --- the backend's agent
  Agent agent = Agent::kNone;
  std::uint32_t agent_percent = 100;  // of the weight
  std::string agent_text;             // its last words, or why there were none; empty: no agent
  std::uint64_t agent_unix = 0;       // when that was

  // --- what the dataplane saw
  std::uint64_t ejected_until_unix = 0;  // 0: not ejected
  std::uint32_t ejections = 0;           // in a row
  std::string ejection_text;             // why, the last time

  // --- what follows
  std::uint64_t starting_unix = 0;  // its slow start began; 0: it has its whole weight
  std::uint64_t since_unix = 0;     // in its present state
  friend bool operator==(const BackendState&, const BackendState&) = default;
};

[[nodiscard]] Judgement judgement_of(const BackendState& state);
// Why the backend is in its state, for people: "operator", "check failed: connection refused".
[[nodiscard]] std::string cause_of(const BackendState& state);
// "drain until 2026-11-21 17:40:00 UTC, flows kept", as changes, drift and history show it.
[[nodiscard]] std::string mode_text(Mode mode, const Terms& terms);
// When its state ends by itself; 0: it does not.
[[nodiscard]] std::uint64_t until_of(const BackendState& state,
                                     const model::Availability& availability);
// What operator or file say.
[[nodiscard]] std::uint32_t weight_of(const BackendState& state, const model::Backend& backend);
// What slow start and agent leave of that, thousandths.
[[nodiscard]] std::uint32_t weight_permille(const BackendState& state,
                                            const model::Availability& availability,
                                            std::uint64_t now_unix);
// How far a drain with a deadline has come.
[[nodiscard]] model::Departure departure_of(const BackendState& state, std::uint64_t now_unix);

}  // namespace hawser::control
