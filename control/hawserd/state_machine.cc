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

// Which values of one part of a situation a rule is for.
class Values {
 public:
  constexpr Values() = default;  // any
  template <typename E>
  constexpr Values(E value) : bits_(1U << static_cast<unsigned>(value)) {}

  template <typename E>
  [[nodiscard]] constexpr bool has(E value) const noexcept {
    return (bits_ >> static_cast<unsigned>(value) & 1U) != 0;
  }

 private:
  unsigned bits_ = ~0U;
};

struct Rule {
  Values mode;
  Values agent;
  Values health;
  Values ejected;
  Values starting;
  Judgement judgement;
};

constexpr Values kAny;

// The first rule that fits decides. What an operator says comes before what a backend's agent says,
// except that one that cannot serve its old flows is down and not draining.
constexpr std::array<Rule, 12> rules() {
  constexpr auto kServing = model::Admission::kServing;
  constexpr auto kOldOnly = model::Admission::kDraining;
  constexpr auto kNone = model::Admission::kDown;
  using M = Mode;
  using A = Agent;
  using H = Health;
  using S = State;
  using C = Cause;
  return {{
      // mode           agent            health          ejected starting
      {M::kMaintenance, kAny, kAny, kAny, kAny, {S::kMaintenance, kNone, C::kOperator}},
      {kAny, A::kMaintenance, kAny, kAny, kAny, {S::kMaintenance, kNone, C::kAgent}},
      {kAny, kAny, H::kDown, kAny, kAny, {S::kDown, kNone, C::kCheckFailed}},
      {kAny, A::kDown, kAny, kAny, kAny, {S::kDown, kNone, C::kAgent}},
      {M::kDrain, kAny, kAny, kAny, kAny, {S::kDraining, kOldOnly, C::kOperator}},
      {kAny, kAny, H::kWaiting, kAny, kAny, {S::kStarting, kNone, C::kNotYetChecked}},
      {kAny, A::kDrain, kAny, kAny, kAny, {S::kDraining, kOldOnly, C::kAgent}},
      // A suspicion is no reason to end what is open.
      {kAny, kAny, kAny, true, kAny, {S::kDown, kOldOnly, C::kEjected}},
      {kAny, kAny, kAny, kAny, true, {S::kStarting, kServing, C::kSlowStart}},
      {kAny, kAny, H::kUp, kAny, kAny, {S::kReady, kServing, C::kChecksPass}},
      {kAny, kAny, H::kPresumed, kAny, kAny, {S::kReady, kServing, C::kNotYetChecked}},
      {kAny, kAny, H::kUnchecked, kAny, kAny, {S::kReady, kServing, C::kConfiguration}},
  }};
}

constexpr std::array<Row, kHealths> kTransitions = transitions();
constexpr auto kRules = rules();

constexpr const Judgement* find(const Situation& situation) noexcept {
  for (const Rule& rule : kRules) {
    const bool fits = rule.mode.has(situation.mode) && rule.agent.has(situation.agent) &&
                      rule.health.has(situation.health) && rule.ejected.has(situation.ejected) &&
                      rule.starting.has(situation.starting);
    if (fits) return &rule.judgement;
  }
  return nullptr;
}

// Every situation has a rule.
constexpr bool is_complete() {
  for (unsigned i = 0; i < kModes * kHealths * 5 * 2 * 2; ++i) {
    const Situation situation{.mode = static_cast<Mode>(i % kModes),
                              .health = static_cast<Health>(i / kModes % kHealths),
                              .agent = static_cast<Agent>(i / (kModes * kHealths) % 5),
                              .ejected = i / (kModes * kHealths * 5) % 2 != 0,
                              .starting = i / (kModes * kHealths * 10) % 2 != 0};
    if (find(situation) == nullptr) return false;
  }
  return true;
}
static_assert(is_complete());

constexpr std::array<std::string_view, kModes> kModeWords{"ready", "drain", "maintenance"};

}  // namespace

Health next(Health health, Event event) noexcept {
  return kTransitions[static_cast<std::size_t>(health)][static_cast<std::size_t>(event)];
}

Judgement judge(const Situation& situation) noexcept {
  return *find(situation);
}

bool is_unwell(const Judgement& judgement) noexcept {
  switch (judgement.cause) {
    case Cause::kNotYetChecked:
    case Cause::kCheckFailed:
    case Cause::kEjected:
      return judgement.admission != model::Admission::kServing;
    case Cause::kAgent:
      return judgement.state == State::kDown;
    case Cause::kConfiguration:
    case Cause::kChecksPass:
    case Cause::kOperator:
    case Cause::kSlowStart:
      break;
  }
  return false;
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

std::string_view to_string(Agent agent) noexcept {
  constexpr std::array<std::string_view, 5> kWords{"none", "up", "drain", "maintenance", "down"};
  return kWords[static_cast<std::size_t>(agent)];
}

Result<Mode> parse_mode(std::string_view word) {
  for (std::size_t i = 0; i < kModeWords.size(); ++i) {
    if (kModeWords[i] == word) return static_cast<Mode>(i);
  }
  return fail("\"" + std::string(word) + "\" is no mode; a mode is ready, drain or maintenance");
}

}  // namespace hawser::control
