// What is in force, kept up to date from files, operators, checks, agents and the dataplane.
#include "runtime.h"

#include <atomic>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "hawser/base/limits.h"

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

std::optional<std::uint32_t> weight_from(const std::string& text) {
  std::uint32_t weight = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, weight);
  const bool good = error == std::errc() && rest == end && weight >= limits::kMinWeight &&
                    weight <= limits::kMaxWeight;
  return good ? std::optional(weight) : std::nullopt;
}

// The state of a backend after a reload; it was there before with `before`.
BackendState kept(BackendState before, const model::Service& service, bool same_address,
                  std::uint64_t now_unix) {
  if (same_address) {
    before.health = kept_health(before.health, service);
    if (service.agent.port == 0) {
      before.agent = Agent::kNone;
      before.agent_percent = 100;
      before.agent_text.clear();
      before.agent_unix = 0;
    }
    return before;
  }
  BackendState state;
  state.mode = before.mode;
  state.mode_by = before.mode_by;
  state.terms = before.terms;
  state.weight = before.weight;
  state.weight_by = before.weight_by;
  state.health = first_health(service, Health::kWaiting);
  state.since_unix = now_unix;
  return state;
}

void add_intents(const model::Service& service, const model::Backend& backend,
                 const BackendState& state, std::vector<Intent>& intents) {
  Intent intent{.service = service.name, .backend = backend.name, .field = "mode", .value = ""};
  if (state.mode != Mode::kReady) {
    intent.value = to_string(state.mode);
    intents.push_back(intent);
  }
  if (state.weight) {
    intent.field = "weight";
    intent.value = std::to_string(*state.weight);
    intents.push_back(intent);
  }
}

}  // namespace

Runtime::Runtime(model::Configuration configuration, const std::vector<Intent>& intents,
                 std::uint64_t now_unix) {
  set_configuration(std::move(configuration));
  for (std::size_t i = 0; i < services_.size(); ++i) {
    for (std::size_t j = 0; j < configuration_->services[i].backends.size(); ++j) {
      BackendState& state = services_[i]->edit(j);
      state.health = first_health(configuration_->services[i], Health::kPresumed);
      state.since_unix = now_unix;
    }
  }
  for (const Intent& intent : intents) apply_intent(intent);
  for (const auto& service : services_) service->settle_first(now_unix);
}

void Runtime::set_configuration(model::Configuration configuration) {
  configuration_ = std::make_shared<const model::Configuration>(std::move(configuration));
  index_ = std::make_shared<const RuntimeIndex>(*configuration_);
  services_.clear();
  for (const model::Service& service : configuration_->services) {
    services_.push_back(std::make_shared<ServiceState>(
        std::shared_ptr<const model::Service>(configuration_, &service)));
  }
}

ServiceState& Runtime::own(std::size_t service) {
  std::shared_ptr<ServiceState>& state = services_[service];
  if (state.use_count() > 1) state = std::make_shared<ServiceState>(*state);
  // Whoever let go of the last copy has finished reading it.
  std::atomic_thread_fence(std::memory_order_acquire);
  return *state;
}

const ServiceState& Runtime::state(const model::Service& service) const {
  return *services_[static_cast<std::size_t>(&service - configuration_->services.data())];
}

const BackendState& Runtime::state(const model::Service& service,
                                   const model::Backend& backend) const {
  return state(service).backend(static_cast<std::size_t>(&backend - service.backends.data()));
}

void Runtime::apply_intent(const Intent& intent) {
  const auto at = index_->position(intent.service, intent.backend);
  if (!at) return;
  BackendState& state = own(at->service).edit(at->backend);
  if (intent.field == "mode") {
    const Result<Mode> mode = parse_mode(intent.value);
    if (!mode) return;
    state.mode = *mode;
    state.mode_by = intent.by;
    state.terms = intent.terms;
    state.since_unix = intent.by.since_unix;
  } else if (const auto weight = weight_from(intent.value)) {
    state.weight = weight;
    state.weight_by = intent.by;
  }
}

std::vector<IntentChange> Runtime::vanished(const std::vector<Intent>& intents,
                                            std::uint64_t now_unix) const {
  std::vector<IntentChange> changes;
  for (const Intent& intent : intents) {
    if (index_->position(intent.service, intent.backend)) continue;
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
  const Runtime before = *this;
  set_configuration(std::move(configuration));
  for (std::size_t i = 0; i < services_.size(); ++i) {
    const model::Service& service = configuration_->services[i];
    const auto was = before.index_->find_service(service.name);
    if (was && **was == service) {
      // What did not change is not touched; it only follows the new configuration's strings.
      ServiceState copy = before.state(**was);
      copy.follow(std::shared_ptr<const model::Service>(configuration_, &service));
      *services_[i] = std::move(copy);
      continue;
    }
    for (std::size_t j = 0; j < service.backends.size(); ++j) {
      const model::Backend& backend = service.backends[j];
      const auto at = before.index_->position(service.name, backend.name);
      BackendState old;
      bool same = false;
      if (at) {
        old = before.services_[at->service]->backend(at->backend);
        const model::Backend& entry =
            before.configuration_->services[at->service].backends[at->backend];
        same = entry.address == backend.address && entry.port == backend.port;
      }
      services_[i]->edit(j) = kept(std::move(old), service, same, now_unix);
    }
    services_[i]->settle_from(was ? &before.state(**was) : nullptr, now_unix, transitions_);
  }
  std::vector<Intent> orphans;
  for (const model::Service& service : before.configuration_->services) {
    for (const model::Backend& backend : service.backends) {
      if (index_->position(service.name, backend.name)) continue;
      add_intents(service, backend, before.state(service, backend), orphans);
    }
  }
  return vanished(orphans, now_unix);
}

std::vector<IntentChange> Runtime::adopt(const model::Desired& running, bool adopt_operators,
                                         std::uint64_t now_unix) {
  std::vector<IntentChange> changes;
  for (const model::Service& service : running.services) {
    for (const model::Backend& backend : service.backends) {
      const auto at = index_->position(service.name, backend.name);
      if (!at) continue;
      BackendState& state = own(at->service).edit(at->backend);
      const bool down = backend.admission == model::Admission::kDown;
      if (down && state.mode != Mode::kMaintenance) {
        state.health = next(state.health, Event::kFoundDown);
      }
      state.starting_unix = backend.starting_unix;
      const bool draining = backend.admission == model::Admission::kDraining;
      const bool unexplained = down && state.health == Health::kUnchecked;
      if (!adopt_operators || state.mode != Mode::kReady || !(draining || unexplained)) continue;
      const Authorship by{kSelf, "adopted from the running dataplane", now_unix};
      state.mode = draining ? Mode::kDrain : Mode::kMaintenance;
      state.mode_by = by;
      const std::string mode(to_string(state.mode));
      changes.push_back({.intent = {service.name, backend.name, "mode", mode, by},
                         .before = "ready",
                         .after = mode,
                         .by = {}});
    }
    // What it did not have has not been serving.
    const auto known = index_->find_service(service.name);
    if (!known || (*known)->availability.slow_start_seconds == 0) continue;
    std::set<std::string_view> had;
    for (const model::Backend& backend : service.backends) had.insert(backend.name);
    for (const model::Backend& backend : (*known)->backends) {
      if (had.count(backend.name) != 0) continue;
      const auto at = index_->position(BackendRef{*known, &backend});
      own(at.service).edit(at.backend).starting_unix = now_unix;
    }
  }
  for (std::size_t i = 0; i < services_.size(); ++i) {
    own(i).settle(now_unix, transitions_);
  }
  return changes;
}

void Runtime::set_mode(const BackendRef& ref, Mode mode, const Terms& terms, const Authorship& by,
                       std::uint64_t now_unix) {
  const auto at = index_->position(ref);
  ServiceState& service = own(at.service);
  BackendState& state = service.edit(at.backend);
  state.mode = mode;
  state.mode_by = mode == Mode::kReady ? Authorship{} : by;
  state.terms = mode == Mode::kReady ? Terms{} : terms;
  service.settle(now_unix, transitions_);
}

void Runtime::set_weight(const BackendRef& ref, std::optional<std::uint32_t> weight,
                         const Authorship& by, std::uint64_t now_unix) {
  const auto at = index_->position(ref);
  ServiceState& service = own(at.service);
  BackendState& state = service.edit(at.backend);
  state.weight = weight;
  state.weight_by = weight ? by : Authorship{};
  service.settle(now_unix, transitions_);
}

void Runtime::note_check(const CheckReport& report, std::uint64_t now_unix) {
  const auto at = index_->position(report.target.service, report.target.backend);
  if (!at) return;
  const model::Service& service = configuration_->services[at->service];
  // A check that was under way over a reload speaks of what is gone.
  if (service.backends[at->backend].address != report.target.address) return;
  if (service.check != report.target.check) return;
  ServiceState& owner = own(at->service);
  BackendState& state = owner.edit(at->backend);
  state.last_passed = report.passed;
  ++(report.passed ? state.checks_passed : state.checks_failed);
  state.check_text = report.text;
  state.check_warning = report.warning;
  state.checked_unix = now_unix;
  if (!report.event) return;
  state.health = next(state.health, *report.event);
  owner.settle(now_unix, transitions_);
}

void Runtime::note_agent(const std::string& service, const std::string& backend,
                         const AgentWord& word, std::uint64_t now_unix) {
  const auto at = index_->position(service, backend);
  if (!at) return;
  ServiceState& owner = own(at->service);
  BackendState& state = owner.edit(at->backend);
  state.agent_text = word.text;
  state.agent_unix = now_unix;
  state.agent = word.agent.value_or(state.agent);
  state.agent_percent = word.percent.value_or(state.agent_percent);
  if (word.agent || word.percent) owner.settle(now_unix, transitions_);
}

void Runtime::eject(const BackendRef& ref, std::uint64_t until_unix, std::uint32_t ejections,
                    const std::string& text, std::uint64_t now_unix) {
  const auto at = index_->position(ref);
  ServiceState& service = own(at.service);
  BackendState& state = service.edit(at.backend);
  state.ejected_until_unix = until_unix;
  state.ejections = ejections;
  state.ejection_text = text;
  service.settle(now_unix, transitions_);
}

void Runtime::tick(std::uint64_t now_unix) {
  for (std::size_t i = 0; i < services_.size(); ++i) {
    if (services_[i]->is_timed()) own(i).settle(now_unix, transitions_);
  }
}

std::vector<BackendRef> Runtime::over(std::uint64_t now_unix) const {
  std::vector<BackendRef> found;
  for (std::size_t i = 0; i < services_.size(); ++i) {
    if (!services_[i]->is_timed()) continue;
    const model::Service& service = configuration_->services[i];
    for (std::size_t j = 0; j < service.backends.size(); ++j) {
      const BackendState& state = services_[i]->backend(j);
      const bool ended = state.mode == Mode::kMaintenance && state.terms.until_unix != 0 &&
                         state.terms.until_unix <= now_unix;
      if (ended) found.push_back({&service, &service.backends[j]});
    }
  }
  return found;
}

model::ServiceList Runtime::services() const {
  model::ServiceList services;
  services.reserve(services_.size());
  for (const auto& service : services_) services.push_back(service->in_force());
  return services;
}

std::vector<CheckTarget> Runtime::check_targets() const {
  std::vector<CheckTarget> targets;
  for (const model::Service& service : configuration_->services) {
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
