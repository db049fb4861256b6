// The tables of a backend's states.
#include "state_machine.h"

#include <array>
#include <string>

namespace hawser::control {
namespace {

constexpr std::size_t kModes = 3;
constexpr std::size_t kHealths = 5;
constexpr std::size_t kEvents = 5;

using Row = std::array<Health, kEvents>;
using Verdicts = std::array<Judgement, kHealths>;

constexpr std::array<Row, kHealths> transitions() {
  using enum Health;
  return {{
      //               kRose       kFell       kCheckAdded  kCheckRemoved  kFoundDown
      /*kUnchecked*/ {kUnchecked, kUnchecked, kPresumed, kUnchecked, kUnchecked},
      /*kPresumed */ {kUp, kDown, kPresumed, kUnchecked, kWaiting},
      /*kWaiting  */ {kUp, kDown, kWaiting, kUnchecked, kWaiting},
      /*kUp       */ {kUp, kDown, kUp, kUnchecked, kUp},
      /*kDown     */ {kUp, kDown, kDown, kUnchecked, kDown},
  }};
}

constexpr std::array<Verdicts, kModes> judgements() {
  constexpr auto kServing = model::Admission::kServing;
  constexpr auto kOldOnly = model::Admission::kDraining;
  constexpr auto kNone = model::Admission::kDown;
  using S = State;
  using C = Cause;
  return {{
      {{
          // kReady
          /*kUnchecked*/ {S::kReady, kServing, C::kConfiguration},
          /*kPresumed */ {S::kReady, kServing, C::kNotYetChecked},
          /*kWaiting  */ {S::kStarting, kNone, C::kNotYetChecked},
          /*kUp       */ {S::kReady, kServing, C::kChecksPass},
          /*kDown     */ {S::kDown, kNone, C::kCheckFailed},
      }},
      {{
          // kDrain: a backend that fails its checks cannot serve its old flows either
          /*kUnchecked*/ {S::kDraining, kOldOnly, C::kOperator},
          /*kPresumed */ {S::kDraining, kOldOnly, C::kOperator},
          /*kWaiting  */ {S::kDraining, kOldOnly, C::kOperator},
          /*kUp       */ {S::kDraining, kOldOnly, C::kOperator},
          /*kDown     */ {S::kDown, kNone, C::kCheckFailed},
      }},
      {{
          // kMaintenance: whatever checks say
          /*kUnchecked*/ {S::kMaintenance, kNone, C::kOperator},
          /*kPresumed */ {S::kMaintenance, kNone, C::kOperator},
          /*kWaiting  */ {S::kMaintenance, kNone, C::kOperator},
          /*kUp       */ {S::kMaintenance, kNone, C::kOperator},
          /*kDown     */ {S::kMaintenance, kNone, C::kOperator},
      }},
  }};
}

constexpr std::array<Row, kHealths> kTransitions = transitions();
constexpr std::array<Verdicts, kModes> kJudgements = judgements();

constexpr std::array<std::string_view, kModes> kModeWords{"ready", "drain", "maintenance"};

}  // namespace

Health next(Health health, Event event) noexcept {
  return kTransitions[static_cast<std::size_t>(health)][static_cast<std::size_t>(event)];
}

Judgement judge(Mode mode, Health health) noexcept {
  return kJudgements[static_cast<std::size_t>(mode)][static_cast<std::size_t>(health)];
}

std::string_view to_string(Mode mode) noexcept {
  return kModeWords[static_cast<std::size_t>(mode)];
}

std::string_view to_string(State state) noexcept {
  constexpr std::array<std::string_view, 5> kWords{"ready", "starting", "draining", "down",
                                                   "maintenance"};
  return kWords[static_cast<std::size_t>(state)];
}

std::string_view to_string(Health health) noexcept {
  constexpr std::array<std::string_view, kHealths> kWords{"unchecked", "unknown", "unknown", "up",
                                                          "down"};
  return kWords[static_cast<std::size_t>(health)];
}

Result<Mode> parse_mode(std::string_view word) {
  for (std::size_t i = 0; i < kModeWords.size(); ++i) {
    if (kModeWords[i] == word) return static_cast<Mode>(i);
  }
  return fail("\"" + std::string(word) + "\" is no mode; a mode is ready, drain or maintenance");
}

}  // namespace hawser::control
