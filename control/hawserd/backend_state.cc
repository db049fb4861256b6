// What follows from a backend's state: judgement, cause, end, weight, departure.
#include "backend_state.h"

#include <algorithm>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "hawser/base/limits.h"

namespace hawser::control {
namespace {

// How much of the time from `begin` to `end` has passed at `now`, in `steps`.
std::uint64_t step_of(std::uint64_t begin, std::uint64_t end, std::uint64_t now,
                      std::uint64_t steps) {
  if (now >= end) return steps;
  if (now <= begin) return 0;
  return (now - begin) * steps / (end - begin);
}

std::uint16_t slices(std::uint64_t step) {
  return static_cast<std::uint16_t>(step * limits::kSlices / limits::kDrainSteps);
}

std::string with_text(const char* what, const std::string& text) {
  return text.empty() ? what : fmt::format("{}: {}", what, text);
}

}  // namespace

Judgement judgement_of(const BackendState& state) {
  return judge({.mode = state.mode,
                .health = state.health,
                .agent = state.agent,
                .ejected = state.ejected_until_unix != 0,
                .starting = state.starting_unix != 0});
}

std::uint32_t weight_of(const BackendState& state, const model::Backend& backend) {
  return state.weight.value_or(backend.weight);
}

std::string cause_of(const BackendState& state) {
  switch (judgement_of(state).cause) {
    case Cause::kConfiguration:
      return "configuration";
    case Cause::kChecksPass:
      return "checks pass";
    case Cause::kOperator:
      return "operator";
    case Cause::kAgent:
      return with_text("its agent", state.agent_text);
    case Cause::kEjected:
      return with_text("ejected", state.ejection_text);
    case Cause::kSlowStart:
      return "slow start";
    case Cause::kNotYetChecked:
      if (state.check_text.empty()) return "not yet checked";
      return (state.last_passed ? "not enough good checks yet: " : "check failed: ") +
             state.check_text;
    case Cause::kCheckFailed: {
      const std::string cause = "check failed: " + state.check_text;
      return state.mode == Mode::kDrain ? cause + " (also draining)" : cause;
    }
  }
  return {};
}

std::string mode_text(Mode mode, const Terms& terms) {
  std::string text(to_string(mode));
  if (terms.until_unix == 0) return text;
  text += fmt::format(" until {:%Y-%m-%d %H:%M:%S} UTC",
                      fmt::gmtime(static_cast<std::time_t>(terms.until_unix)));
  if (mode == Mode::kDrain && terms.keep_flows) text += ", flows kept";
  return text;
}

std::uint64_t until_of(const BackendState& state, const model::Availability& availability) {
  switch (judgement_of(state).cause) {
    case Cause::kOperator:
      return state.terms.until_unix;
    case Cause::kEjected:
      return state.ejected_until_unix;
    case Cause::kSlowStart:
      return state.starting_unix + availability.slow_start_seconds;
    case Cause::kConfiguration:
    case Cause::kNotYetChecked:
    case Cause::kChecksPass:
    case Cause::kCheckFailed:
    case Cause::kAgent:
      break;
  }
  return 0;
}

std::uint32_t weight_permille(const BackendState& state, const model::Availability& availability,
                              std::uint64_t now_unix) {
  std::uint64_t permille = 10ULL * std::clamp<std::uint32_t>(state.agent_percent, 1, 100);
  if (state.starting_unix != 0) {
    const std::uint64_t step =
        step_of(state.starting_unix, state.starting_unix + availability.slow_start_seconds,
                now_unix, limits::kSlowStartSteps);
    // The first step is not nothing: it would be no admission.
    permille = permille * std::min<std::uint64_t>(step + 1, limits::kSlowStartSteps) /
               limits::kSlowStartSteps;
  }
  return static_cast<std::uint32_t>(permille);
}

model::Departure departure_of(const BackendState& state, std::uint64_t now_unix) {
  const bool leaves = judgement_of(state).state == State::kDraining && state.mode == Mode::kDrain &&
                      state.terms.until_unix != 0;
  if (!leaves) return {};
  const std::uint64_t end = state.terms.until_unix;
  model::Departure departure;
  departure.sessions =
      slices(step_of(state.mode_by.since_unix, end, now_unix, limits::kDrainSteps));
  if (!state.terms.keep_flows && now_unix >= end) {
    departure.flows =
        slices(step_of(end, end + state.terms.jitter_seconds, now_unix, limits::kDrainSteps));
  }
  return departure;
}

}  // namespace hawser::control
