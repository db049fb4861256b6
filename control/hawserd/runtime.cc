// What is in force, kept up to date from files, operators and checks.
#include "runtime.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "hawser/base/nearest.h"

namespace hawser::control {
namespace {

constexpr const char* kSelf = "hawserd";

Health first_health(const model::Service& service, Health checked) {
  return service.check.type == model::CheckType::kNone ? Health::kUnchecked : checked;
}

// The health of a backend that was there before a reload.
Health kept_health(Health health, const model::Service& service) {
  const bool checked = service.check.type != model::CheckType::kNone;
  return next(health, checked ? Event::kCheckAdded : Event::kCheckRemoved);
}

template <typename Range>
std::string join_quoted(const Range& words) {
  return fmt::format("\"{}\"", fmt::join(words, "\", \""));
}

}  // namespace

Judgement judgement_of(const BackendState& state) {
  return judge(state.mode, state.health);
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

Runtime::Runtime(model::Configuration configuration, const std::vector<Intent>& intents,
                 std::uint64_t now_unix)
    : configuration_(std::move(configuration)) {
  index();
  for (const model::Service& service : configuration_.services) {
    for (const model::Backend& backend : service.backends) {
      BackendState& state = state_of(service.name, backend.name);
      state.health = first_health(service, Health::kPresumed);
      state.since_unix = now_unix;
    }
  }
  for (const Intent& intent : intents) apply_intent(intent);
}

void Runtime::index() {
  positions_.clear();
  for (std::size_t i = 0; i < configuration_.services.size(); ++i) {
    const model::Service& service = configuration_.services[i];
    for (std::size_t j = 0; j < service.backends.size(); ++j) {
      positions_.emplace(Key(service.name, service.backends[j].name), Position{i, j});
    }
  }
}

std::optional<BackendRef> Runtime::locate(const std::string& service,
                                          const std::string& backend) const {
  const auto found = positions_.find(Key(service, backend));
  if (found == positions_.end()) return std::nullopt;
  const model::Service& entry = configuration_.services[found->second.service];
  return BackendRef{&entry, &entry.backends[found->second.backend]};
}

BackendState& Runtime::state_of(const std::string& service, const std::string& backend) {
  return states_[Key(service, backend)];
}

const BackendState& Runtime::state(const model::Service& service,
                                   const model::Backend& backend) const {
  static const BackendState unknown;
  const auto found = states_.find(Key(service.name, backend.name));
  return found == states_.end() ? unknown : found->second;
}

void Runtime::apply_intent(const Intent& intent) {
  const auto found = states_.find(Key(intent.service, intent.backend));
  if (found == states_.end()) return;
  BackendState& state = found->second;
  if (intent.field == "mode") {
    const Result<Mode> mode = parse_mode(intent.value);
    if (!mode) return;
    state.mode = *mode;
    state.mode_by = intent.by;
    state.since_unix = intent.by.since_unix;
  } else {
    std::uint32_t weight = 0;
    const char* const end = intent.value.data() + intent.value.size();
    const auto [rest, error] = std::from_chars(intent.value.data(), end, weight);
    const bool good = error == std::errc() && rest == end && weight >= limits::kMinWeight &&
                      weight <= limits::kMaxWeight;
    if (!good) return;
    state.weight = weight;
    state.weight_by = intent.by;
  }
}

std::vector<IntentChange> Runtime::vanished(const std::vector<Intent>& intents,
                                            std::uint64_t now_unix) const {
  std::vector<IntentChange> changes;
  for (const Intent& intent : intents) {
    if (states_.count(Key(intent.service, intent.backend)) != 0) continue;
    Intent removal = intent;
    removal.value.clear();
    changes.push_back(
        {.intent = removal,
         .before = intent.value,
         .after = "",
         .by = {kSelf, "the backend is not in the configuration file any more", now_unix}});
  }
  return changes;
}

std::vector<IntentChange> Runtime::replace(model::Configuration configuration,
                                           std::uint64_t now_unix) {
  std::map<Key, BackendState> states;
  for (const model::Service& service : configuration.services) {
    for (const model::Backend& backend : service.backends) {
      const std::optional<BackendRef> before = locate(service.name, backend.name);
      const bool same = before && before->backend->address == backend.address &&
                        before->backend->port == backend.port;
      BackendState state;
      if (before) state = state_of(service.name, backend.name);
      if (same) {
        state.health = kept_health(state.health, service);
      } else {
        state.health = first_health(service, Health::kWaiting);
        state.check_text.clear();
        state.checked_unix = 0;
        state.since_unix = now_unix;
      }
      states.emplace(Key(service.name, backend.name), std::move(state));
    }
  }
  std::vector<Intent> orphans;
  for (const auto& [key, state] : states_) {
    if (states.count(key) != 0) continue;
    Intent intent{.service = key.first, .backend = key.second, .field = "mode", .value = ""};
    if (state.mode != Mode::kReady) {
      intent.value = to_string(state.mode);
      orphans.push_back(intent);
    }
    if (state.weight) {
      intent.field = "weight";
      intent.value = std::to_string(*state.weight);
      orphans.push_back(intent);
    }
  }
  configuration_ = std::move(configuration);
  states_ = std::move(states);
  index();
  return vanished(orphans, now_unix);
}

std::vector<IntentChange> Runtime::adopt(const model::Desired& running, bool adopt_operators,
                                         std::uint64_t now_unix) {
  std::vector<IntentChange> changes;
  for (const model::Service& service : running.services) {
    for (const model::Backend& backend : service.backends) {
      const std::optional<BackendRef> known = locate(service.name, backend.name);
      if (!known) continue;
      BackendState& state = state_of(service.name, backend.name);
      const bool down = backend.admission == model::Admission::kDown;
      if (down && state.mode != Mode::kMaintenance) advance(state, Event::kFoundDown, now_unix);
      const bool draining = backend.admission == model::Admission::kDraining;
      const bool unexplained = down && state.health == Health::kUnchecked;
      if (!adopt_operators || state.mode != Mode::kReady || !(draining || unexplained)) continue;
      const Authorship by{kSelf, "adopted from the running dataplane", now_unix};
      set_mode(*known, draining ? Mode::kDrain : Mode::kMaintenance, by);
      const std::string mode(to_string(state.mode));
      changes.push_back({.intent = {service.name, backend.name, "mode", mode, by.author, by.reason,
                                    by.since_unix},
                         .before = "ready",
                         .after = mode});
    }
  }
  return changes;
}

void Runtime::set_mode(const BackendRef& ref, Mode mode, const Authorship& by) {
  BackendState& state = state_of(ref.service->name, ref.backend->name);
  const State before = judgement_of(state).state;
  state.mode = mode;
  state.mode_by = mode == Mode::kReady ? Authorship{} : by;
  if (judgement_of(state).state != before) state.since_unix = by.since_unix;
}

void Runtime::set_weight(const BackendRef& ref, std::optional<std::uint32_t> weight,
                         const Authorship& by) {
  BackendState& state = state_of(ref.service->name, ref.backend->name);
  state.weight = weight;
  state.weight_by = weight ? by : Authorship{};
}

bool Runtime::advance(BackendState& state, Event event, std::uint64_t now_unix) {
  const State before = judgement_of(state).state;
  state.health = next(state.health, event);
  const bool changed = judgement_of(state).state != before;
  if (changed) state.since_unix = now_unix;
  return changed;
}

bool Runtime::note_check(const CheckReport& report, std::uint64_t now_unix) {
  const std::optional<BackendRef> known = locate(report.target.service, report.target.backend);
  // A check that was under way over a reload speaks of what is gone.
  if (!known || known->backend->address != report.target.address) return false;
  if (known->service->check != report.target.check) return false;
  BackendState& state = state_of(report.target.service, report.target.backend);
  state.last_passed = report.passed;
  state.check_text = report.text;
  state.checked_unix = now_unix;
  return report.event && advance(state, *report.event, now_unix);
}

Result<const model::Service*> Runtime::find_service(std::string_view name) const {
  std::vector<std::string> names;
  for (const model::Service& service : configuration_.services) {
    if (service.name == name) return &service;
    names.push_back(service.name);
  }
  return fail(fmt::format("there is no service \"{}\"{}", name, suggestion(name, names)));
}

Lookup Runtime::find(std::string_view service, std::string_view backend) const {
  if (!service.empty()) {
    const Result<const model::Service*> known = find_service(service);
    if (!known) return {.found = {}, .message = known.error().message};
  }
  std::vector<BackendRef> found;
  std::set<std::string> names;
  for (const model::Service& candidate : configuration_.services) {
    if (!service.empty() && candidate.name != service) continue;
    for (const model::Backend& entry : candidate.backends) {
      if (entry.name == backend) found.push_back({&candidate, &entry});
      names.insert(entry.name);
    }
  }
  if (found.size() == 1) return {.found = found.front(), .message = {}};
  if (found.size() > 1) {
    std::vector<std::string> services;
    services.reserve(found.size());
    for (const BackendRef& ref : found) services.push_back(ref.service->name);
    return {.found = {},
            .failure = LookupFailure::kAmbiguous,
            .message = fmt::format("backend \"{}\" is in several services ({}); name one", backend,
                                   join_quoted(services))};
  }
  const std::vector<std::string> known(names.begin(), names.end());
  const std::string where = service.empty() ? "" : fmt::format(" in service \"{}\"", service);
  return {.found = {},
          .message = fmt::format("there is no backend \"{}\"{}{}", backend, where,
                                 suggestion(backend, known))};
}

model::ServiceList Runtime::services() const {
  std::vector<model::Service> services = configuration_.services;
  for (model::Service& service : services) {
    for (model::Backend& backend : service.backends) {
      const BackendState& now = state(service, backend);
      backend.weight = weight_of(now, backend);
      backend.admission = judgement_of(now).admission;
    }
    // Not the dataplane's business, and no reason for a new snapshot.
    service.check = {};
  }
  return services;
}

std::vector<CheckTarget> Runtime::check_targets() const {
  std::vector<CheckTarget> targets;
  for (const model::Service& service : configuration_.services) {
    if (service.check.type == model::CheckType::kNone) continue;
    for (const model::Backend& backend : service.backends) {
      targets.push_back({.service = service.name,
                         .backend = backend.name,
                         .address = backend.address,
                         .port = service.check.port != 0 ? service.check.port : backend.port,
                         .check = service.check});
    }
  }
  return targets;
}

}  // namespace hawser::control
