// Draws the conclusions about a service: judgements, slow starts, panic, guards.
#include "service_state.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "hawser/base/limits.h"

namespace hawser::control {
namespace {

// What of a backend the dataplane is told differently from time to time.
struct InForce {
  std::uint32_t weight;
  model::Admission admission;
  model::Departure departure;
  std::uint64_t starting_unix;
};

bool is_in_force(const model::Backend& backend, const InForce& wanted) {
  return backend.weight == wanted.weight && backend.admission == wanted.admission &&
         backend.departure == wanted.departure && backend.starting_unix == wanted.starting_unix;
}

void put(const InForce& wanted, model::Backend& backend) {
  backend.weight = wanted.weight;
  backend.admission = wanted.admission;
  backend.departure = wanted.departure;
  backend.starting_unix = wanted.starting_unix;
}

// How often all weights fit into the largest allowed: parts of one must be whole numbers. Only the
// proportions matter, so the others' slots stay.
std::uint32_t scale_of(const std::vector<std::uint32_t>& weights) {
  const std::uint32_t largest = *std::max_element(weights.begin(), weights.end());
  return std::max(limits::kMaxWeight / largest, 1U);
}

}  // namespace

ServiceState::ServiceState(Shared configured)
    : configured_(std::move(configured)),
      backends_(configured_->backends.size()),
      judged_(configured_->backends.size()) {}

void ServiceState::settle_first(std::uint64_t now_unix) {
  for (std::size_t i = 0; i < backends_.size(); ++i) update(i, now_unix, nullptr);
  update_panic(now_unix, nullptr);
  compose(now_unix);
}

void ServiceState::settle(std::uint64_t now_unix, std::vector<Transition>& transitions) {
  for (std::size_t i = 0; i < backends_.size(); ++i) update(i, now_unix, &transitions);
  update_panic(now_unix, &transitions);
  compose(now_unix);
}

void ServiceState::settle_from(const ServiceState* before, std::uint64_t now_unix,
                               std::vector<Transition>& transitions) {
  std::map<std::string_view, std::size_t> known;
  for (std::size_t i = 0; before != nullptr && i < before->backends_.size(); ++i) {
    known.emplace(before->configured_->backends[i].name, i);
  }
  for (std::size_t i = 0; i < backends_.size(); ++i) {
    const auto was = known.find(configured_->backends[i].name);
    if (was != known.end()) {
      judged_[i] = before->judged_[was->second];
    } else {
      // Nothing to tell of a change of state, but it is an admission.
      judged_[i] = judgement_of(backends_[i]);
      judged_[i].admission = model::Admission::kDown;
    }
  }
  if (before != nullptr) panic_since_ = before->panic_since_;
  settle(now_unix, transitions);
  if (before != nullptr && *before->in_force_ == *in_force_) in_force_ = before->in_force_;
}

void ServiceState::update(std::size_t index, std::uint64_t now_unix,
                          std::vector<Transition>* transitions) {
  BackendState& state = backends_[index];
  const std::uint32_t slow_start = configured_->availability.slow_start_seconds;
  if (state.ejected_until_unix != 0 && now_unix >= state.ejected_until_unix) {
    state.ejected_until_unix = 0;
  }
  const bool over = state.starting_unix + slow_start <= now_unix;
  if (state.starting_unix != 0 && over) state.starting_unix = 0;
  const bool serves = judgement_of(state).admission == model::Admission::kServing;
  if (!serves) state.starting_unix = 0;
  const Judgement before = judged_[index];
  const bool admitted =
      transitions != nullptr && serves && before.admission != model::Admission::kServing;
  if (admitted && slow_start != 0) state.starting_unix = now_unix;
  judged_[index] = judgement_of(state);
  if (transitions == nullptr || judged_[index].state == before.state) return;
  state.since_unix = now_unix;
  transitions->push_back({.service = configured_->name,
                          .backend = configured_->backends[index].name,
                          .before = std::string(to_string(before.state)),
                          .after = std::string(to_string(judged_[index].state)),
                          .cause = cause_of(state),
                          .until_unix = until_of(state, configured_->availability)});
}

void ServiceState::update_panic(std::uint64_t now_unix, std::vector<Transition>* transitions) {
  const bool unwell = std::any_of(judged_.begin(), judged_.end(), is_unwell);
  const bool panics = unwell && serving() == 0;
  const bool did = panic_since_ != 0;
  if (panics == did) return;
  panic_since_ = panics ? now_unix : 0;
  if (transitions == nullptr) return;
  const std::string choice(to_string(configured_->availability.on_panic));
  transitions->push_back(
      {.service = configured_->name,
       .backend = {},
       .before = panics ? "ok" : "panic",
       .after = panics ? "panic" : "ok",
       .cause = panics ? "every backend is unhealthy: " + choice : "a backend serves again"});
}

model::Admission ServiceState::admission(std::size_t index) const {
  const bool spread = panic_since_ != 0 &&
                      configured_->availability.on_panic == model::OnPanic::kSpread &&
                      is_unwell(judged_[index]);
  return spread ? model::Admission::kServing : judged_[index].admission;
}

void ServiceState::compose(std::uint64_t now_unix) {
  const model::Service& configured = *configured_;
  std::vector<std::uint32_t> weights;
  std::vector<std::uint32_t> permille;
  bool whole = true;
  timed_ = false;
  for (std::size_t i = 0; i < backends_.size(); ++i) {
    const BackendState& state = backends_[i];
    weights.push_back(weight_of(state, configured.backends[i]));
    permille.push_back(weight_permille(state, configured.availability, now_unix));
    whole = whole && permille[i] == 1000;
    timed_ = timed_ || state.starting_unix != 0 || state.ejected_until_unix != 0 ||
             state.terms.until_unix != 0;
  }
  const std::uint32_t scale = whole || weights.empty() ? 1 : scale_of(weights);
  std::vector<InForce> wanted;
  bool same = in_force_ != nullptr;
  for (std::size_t i = 0; i < backends_.size(); ++i) {
    const std::uint64_t part = std::uint64_t{weights[i]} * scale * permille[i] / 1000;
    wanted.push_back({.weight = static_cast<std::uint32_t>(std::max<std::uint64_t>(part, 1)),
                      .admission = admission(i),
                      .departure = departure_of(backends_[i], now_unix),
                      .starting_unix = backends_[i].starting_unix});
    same = same && is_in_force(in_force_->backends[i], wanted[i]);
  }
  if (same) return;
  auto next = std::make_shared<model::Service>(configured);
  for (std::size_t i = 0; i < wanted.size(); ++i) put(wanted[i], next->backends[i]);
  // Not the dataplane's business, and no reason for a new snapshot.
  next->check = {};
  next->agent = {};
  next->availability = {};
  in_force_ = std::move(next);
}

std::size_t ServiceState::serving() const {
  return static_cast<std::size_t>(
      std::count_if(judged_.begin(), judged_.end(), [](const Judgement& judgement) {
        return judgement.admission == model::Admission::kServing;
      }));
}

std::size_t ServiceState::leaving() const {
  return static_cast<std::size_t>(
      std::count_if(backends_.begin(), backends_.end(), [](const BackendState& state) {
        const State shown = judgement_of(state).state;
        return state.mode != Mode::kReady || shown == State::kDraining ||
               shown == State::kMaintenance;
      }));
}

std::size_t ServiceState::ejected() const {
  return static_cast<std::size_t>(
      std::count_if(backends_.begin(), backends_.end(),
                    [](const BackendState& state) { return state.ejected_until_unix != 0; }));
}

std::vector<GuardCheck> check_guards(const ServiceState& before, const ServiceState& after) {
  const model::Guards& guards = after.configured().availability.guards;
  const std::size_t backends = after.configured().backends.size();
  std::vector<GuardCheck> checks;
  if (guards.max_draining.is_set()) {
    GuardCheck check{.service = after.configured().name,
                     .guard = "max_draining",
                     .limit = guards.max_draining.at_most(backends),
                     .before = before.leaving(),
                     .after = after.leaving()};
    check.refused = check.after > check.limit && check.after > check.before;
    checks.push_back(std::move(check));
  }
  if (guards.min_ready.is_set()) {
    GuardCheck check{.service = after.configured().name,
                     .guard = "min_ready",
                     .limit = guards.min_ready.at_least(backends),
                     .before = before.serving(),
                     .after = after.serving()};
    check.refused = check.after < check.limit && check.after < check.before;
    checks.push_back(std::move(check));
  }
  return checks;
}

}  // namespace hawser::control
