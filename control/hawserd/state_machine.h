// States of a backend: what operators, checks, agents and the dataplane say, into what is done.
//
// Pure tables, no clock: time, counts and texts are kept by backend_state.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "hawser/base/result.h"
#include "hawser/model/service.h"

namespace hawser::control {

// What an operator asked for.
enum class Mode : std::uint8_t { kReady, kDrain, kMaintenance };

// What is known from checks.
enum class Health : std::uint8_t {
  kUnchecked,  // the service has no check
  kPresumed,   // not yet checked, but it was serving: it stays in service until checks fall
  kWaiting,    // not yet checked and new, or found down: out of service until checks rise
  kUp,
  kDown,
};

// What the backend's own agent asked for, last it answered.
enum class Agent : std::uint8_t { kNone, kUp, kDrain, kMaintenance, kDown };

enum class Event : std::uint8_t {
  kRose,          // `rise` checks in a row passed
  kFell,          // `fall` checks in a row failed
  kCheckAdded,    // a reload gave the service a check
  kCheckRemoved,  // a reload took the check away
  kFoundDown,     // the dataplane that was adopted had the backend down
};

// Everything a backend's state follows from.
struct Situation {
  Mode mode = Mode::kReady;
  Health health = Health::kUnchecked;
  Agent agent = Agent::kNone;
  bool ejected = false;   // by what the dataplane saw of it
  bool starting = false;  // its slow start is not over
};

// What hawserctl shows.
enum class State : std::uint8_t { kReady, kStarting, kDraining, kDown, kMaintenance };

enum class Cause : std::uint8_t {
  kConfiguration,
  kNotYetChecked,
  kChecksPass,
  kCheckFailed,
  kOperator,
  kAgent,
  kEjected,
  kSlowStart,
};

struct Judgement {
  State state;
  model::Admission admission;
  Cause cause;
  friend constexpr bool operator==(const Judgement&, const Judgement&) = default;
};

// The health after `event`.
[[nodiscard]] Health next(Health health, Event event) noexcept;

// What is done with a backend in `situation`.
[[nodiscard]] Judgement judge(const Situation& situation) noexcept;

// A backend that would serve if only it were well: what panic is about.
[[nodiscard]] bool is_unwell(const Judgement& judgement) noexcept;

[[nodiscard]] std::string_view to_string(Mode mode) noexcept;
[[nodiscard]] std::string_view to_string(State state) noexcept;
// "up", "down", "unchecked" (no check configured), "unknown" (not yet checked).
[[nodiscard]] std::string_view to_string(Health health) noexcept;
// "none" when it never answered.
[[nodiscard]] std::string_view to_string(Agent agent) noexcept;
// The inverse of to_string(Mode), for the journal.
[[nodiscard]] Result<Mode> parse_mode(std::string_view word);

}  // namespace hawser::control
