// The controller's side towards the dataplane and the checks: adopt, publish, note.
#include "controller.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "random_bytes.h"

namespace hawser::control {
namespace {

std::uint64_t system_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

Result<model::FlowKey> random_key() {
  model::FlowKey key{};
  const Result<void> filled = fill_random(key, "the flow key");
  if (!filled) return filled.error();
  return key;
}

void warn_if_failed(const Result<void>& result) {
  if (!result) spdlog::error("{}", result.error().message);
}

}  // namespace

Result<std::unique_ptr<Controller>> Controller::create(model::Configuration configuration,
                                                       std::string configuration_file,
                                                       std::unique_ptr<Journal> journal) {
  const Result<std::vector<Intent>> intents = journal->intents();
  if (!intents) return intents.error();
  const Result<std::optional<model::FlowKey>> key = journal->flow_key();
  if (!key) return key.error();
  const Result<KeyRing> ring = journal->cookie_keys();
  if (!ring) return ring.error();
  const Result<Epoch> epoch = journal->reserved_epoch();
  if (!epoch) return epoch.error();
  Runtime runtime(std::move(configuration), *intents, system_seconds());
  const Result<void> cleaned = journal->record(runtime.vanished(*intents, system_seconds()));
  if (!cleaned) return cleaned.error();
  std::unique_ptr<Controller> controller(
      new Controller(std::move(runtime), std::move(configuration_file), std::move(journal)));
  controller->flow_key_ = *key;
  controller->keys_ = *ring;
  controller->desired_ = *epoch;
  controller->reserved_ = *epoch;
  controller->journal_was_empty_ = !key->has_value();
  return controller;
}

Controller::Controller(Runtime runtime, std::string configuration_file,
                       std::unique_ptr<Journal> journal)
    : runtime_(std::move(runtime)),
      configuration_file_(std::move(configuration_file)),
      journal_(std::move(journal)),
      started_unix_(system_seconds()) {
  dataplane_.since_unix = started_unix_;
  dataplane_.error = "not tried yet";
}

std::uint64_t Controller::now() const {
  return hooks_.now_unix ? hooks_.now_unix() : system_seconds();
}

void Controller::start(ControllerHooks hooks) {
  const std::lock_guard lock(mutex_);
  hooks_ = std::move(hooks);
  started_unix_ = now();
  dataplane_.since_unix = started_unix_;
  publish();
  update_check_targets();
}

void Controller::stop() {
  const std::lock_guard lock(mutex_);
  hooks_ = {};
  dataplane_.connected = false;
  dataplane_.error = "hawserd is stopping";
  told_.notify_all();
  events_.stop();
}

void Controller::update_check_targets() {
  if (hooks_.set_check_targets) hooks_.set_check_targets(runtime_.check_targets());
  if (hooks_.set_agent_targets) hooks_.set_agent_targets(agent_targets(runtime_.configuration()));
}

// Under mutex_.
void Controller::reserve(Epoch epoch) {
  if (epoch <= reserved_) return;
  reserved_ = Epoch(epoch.value + limits::kEpochReserve);
  warn_if_failed(journal_->reserve_epoch(reserved_));
}

// Makes what is in force the newest snapshot, unless it is that already. Under mutex_.
void Controller::publish() {
  model::ServiceList services = runtime_.services();
  const std::vector<model::PrefixList>& lists = runtime_.configuration().prefix_lists;
  std::vector<model::CookieKey> keys = keys_of(keys_);
  const bool same_keys = keys == published_keys_;
  const bool same = services == published_ && lists == published_lists_ && same_keys;
  if (same && desired_ != Epoch(0)) return;
  published_ = std::move(services);
  published_lists_ = lists;
  published_keys_ = std::move(keys);
  desired_ = Epoch(desired_.value + 1);
  if (!same_keys) keys_epoch_ = desired_;
  reserve(desired_);
  if (hooks_.wake_dataplane) hooks_.wake_dataplane();
}

void Controller::note_check(const CheckReport& report) {
  const std::lock_guard lock(mutex_);
  runtime_.note_check(report, now());
  if (report.event) follow_runtime();
}

void Controller::note_agent(const std::string& service, const std::string& backend,
                            const AgentWord& word) {
  const std::lock_guard lock(mutex_);
  runtime_.note_agent(service, backend, word, now());
  if (word.agent || word.percent) follow_runtime();
}

void Controller::note_signals(const dataplane::v1::CountersReply& counters) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t at = now();
  for (const Ejection& ejection : passive_.look(counters, runtime_, at)) {
    const Lookup known = runtime_.find(ejection.service, ejection.backend);
    if (!known.found) continue;
    if (ejection.withheld) {
      tell({.kind = EventKind::kState,
            .severity = EventSeverity::kWarning,
            .service = ejection.service,
            .backend = ejection.backend,
            .text = fmt::format("backend {}/{} is not ejected, though {}: more than "
                                "max_ejected_percent of the service would be",
                                ejection.service, ejection.backend, ejection.text),
            .author = {},
            .reason = {}});
      continue;
    }
    runtime_.eject(*known.found, ejection.until_unix, ejection.ejections, ejection.text, at);
  }
  follow_runtime();
}

void Controller::tick() {
  const std::lock_guard lock(mutex_);
  const std::uint64_t at = now();
  for (const BackendRef& ref : runtime_.over(at)) {
    const Authorship by{"hawserd", "its time is over", at};
    const Intent ended{ref.service->name, ref.backend->name, "mode", "", by};
    const BackendState& state = runtime_.state(*ref.service, *ref.backend);
    const IntentChange change{
        .intent = ended, .before = mode_text(state.mode, state.terms), .after = "ready", .by = by};
    warn_if_failed(journal_->record(std::span(&change, 1)));
    runtime_.set_mode(ref, Mode::kReady, {}, by, at);
  }
  runtime_.tick(at);
  follow_runtime();
}

// Under mutex_.
void Controller::follow_runtime() {
  tell_transitions();
  publish();
}

// Under mutex_.
void Controller::tell(FleetEvent event) {
  constexpr std::array<spdlog::level::level_enum, 3> kLevels{
      spdlog::level::info, spdlog::level::warn, spdlog::level::err};
  const std::string who =
      event.author.empty() ? "" : fmt::format("; by {} ({})", event.author, event.reason);
  spdlog::log(kLevels[static_cast<std::size_t>(event.severity)], "{}{}", event.text, who);
  events_.add(std::move(event));
}

// Under mutex_.
void Controller::tell_transitions() {
  for (const Transition& transition : runtime_.take_transitions()) {
    const bool panic = transition.backend.empty();
    FleetEvent event{.kind = panic ? EventKind::kPanic : EventKind::kState,
                     .service = transition.service,
                     .backend = transition.backend,
                     .text = {},
                     .author = {},
                     .reason = {}};
    if (panic) {
      const bool begins = transition.after == "panic";
      event.severity = begins ? EventSeverity::kCritical : EventSeverity::kInfo;
      event.text = fmt::format("service {}: {}: {}", transition.service,
                               begins ? "panic" : "panic is over", transition.cause);
    } else {
      const bool down = transition.after == to_string(State::kDown);
      event.severity = down ? EventSeverity::kWarning : EventSeverity::kInfo;
      event.text =
          fmt::format("backend {}/{} is {}, was {}: {}", transition.service, transition.backend,
                      transition.after, transition.before, transition.cause);
    }
    tell(std::move(event));
  }
}

View Controller::view() const {
  const std::lock_guard lock(mutex_);
  return {.runtime = runtime_,
          .desired = desired_,
          .dataplane = dataplane_,
          .started_unix = started_unix_,
          .configuration_file = configuration_file_,
          .now_unix = now(),
          .http_error = http_error_};
}

void Controller::note_http(const std::string& error) {
  const std::lock_guard lock(mutex_);
  http_error_ = error;
}

DataplaneView Controller::dataplane() const {
  const std::lock_guard lock(mutex_);
  return dataplane_;
}

Pulse Controller::pulse() const {
  const std::lock_guard lock(mutex_);
  Pulse pulse{.desired = desired_, .dataplane = dataplane_};
  for (const model::Service& service : runtime_.configuration().services) {
    pulse.backends += service.backends.size();
    pulse.serving += runtime_.state(service).serving();
  }
  return pulse;
}

std::string to_string(const Pulse& pulse) {
  const DataplaneView& dataplane = pulse.dataplane;
  std::string epochs = fmt::format("epoch {} applied", dataplane.applied.value);
  if (!dataplane.connected) {
    epochs = fmt::format("no dataplane ({}), epoch {} waits", dataplane.error, pulse.desired.value);
  } else if (dataplane.refused == pulse.desired) {
    epochs = fmt::format("epoch {} refused, {}", pulse.desired.value, epochs);
  } else if (dataplane.applied != pulse.desired) {
    epochs = fmt::format("epoch {} not yet confirmed, {}", pulse.desired.value, epochs);
  }
  return fmt::format("{}, {} of {} backends serve", epochs, pulse.serving, pulse.backends);
}

Result<std::vector<HistoryEntry>> Controller::history(const HistoryFilter& filter,
                                                      std::uint32_t limit) const {
  const std::lock_guard lock(mutex_);
  return journal_->history(filter, limit);
}

// The key of a running dataplane wins: changing it would tear flows. Under mutex_.
void Controller::ensure_flow_key(const dataplane::v1::HelloReply& hello,
                                 const std::optional<model::Desired>& running) {
  std::optional<model::FlowKey> key = flow_key_;
  if (running) key = running->flow_key;
  if (!key) {
    const Result<model::FlowKey> drawn = random_key();
    if (drawn) {
      key = *drawn;
    } else {
      spdlog::error("{}", drawn.error().message);
    }
  }
  if (!key || key == flow_key_) return;
  if (flow_key_) spdlog::warn("took the flow key of the running dataplane {}", hello.version());
  flow_key_ = key;
  warn_if_failed(journal_->set_flow_key(*key));
}

void Controller::connected(const dataplane::v1::HelloReply& hello,
                           const std::optional<model::Desired>& running) {
  const std::lock_guard lock(mutex_);
  tell({.kind = EventKind::kDataplane,
        .service = {},
        .backend = {},
        .text = fmt::format("connected to hawser-dataplane {}, epoch {}", hello.version(),
                            hello.epoch()),
        .author = {},
        .reason = {}});
  ensure_flow_key(hello, running);
  ensure_cookie_keys(running);
  if (!adopted_ && running) {
    const std::vector<IntentChange> wishes = runtime_.adopt(*running, journal_was_empty_, now());
    warn_if_failed(journal_->record(wishes));
  }
  adopted_ = true;
  follow_runtime();
  const bool same = instance_ == hello.instance() && hello.epoch() == desired_.value;
  if (!same && desired_.value <= hello.epoch()) {
    desired_ = Epoch(hello.epoch() + 1);
    reserve(desired_);
  }
  if (instance_ != hello.instance()) {
    dataplane_.refused = Epoch(0);
    passive_.forget();
  }
  instance_ = hello.instance();
  dataplane_.connected = true;
  dataplane_.version = hello.version();
  dataplane_.error.clear();
  dataplane_.since_unix = now();
  dataplane_.applied = Epoch(hello.epoch());
  told_.notify_all();
}

void Controller::disconnected(const std::string& error) {
  const std::lock_guard lock(mutex_);
  // Said once, not at every attempt.
  if (dataplane_.connected || dataplane_.error != error) {
    tell({.kind = EventKind::kDataplane,
          .severity = EventSeverity::kCritical,
          .service = {},
          .backend = {},
          .text = "no dataplane: " + error,
          .author = {},
          .reason = {}});
  }
  if (dataplane_.connected) dataplane_.since_unix = now();
  dataplane_.connected = false;
  dataplane_.version.clear();
  dataplane_.error = error;
  told_.notify_all();
}

std::optional<model::Desired> Controller::pending() {
  const std::lock_guard lock(mutex_);
  if (!flow_key_ || desired_ == dataplane_.applied || desired_ == dataplane_.refused) {
    return std::nullopt;
  }
  return model::Desired{.epoch = desired_,
                        .flow_key = *flow_key_,
                        .cookie_keys = published_keys_,
                        .services = published_,
                        .prefix_lists = published_lists_};
}

void Controller::applied(Epoch epoch, const dataplane::v1::ApplyReply& reply) {
  const std::lock_guard lock(mutex_);
  spdlog::debug("epoch {} applied in {} us, {} slots moved", epoch.value,
                reply.apply_microseconds(), reply.slots_moved());
  dataplane_.applied = epoch;
  if (epoch >= keys_epoch_) note_keys_taken();
  dataplane_.refused = Epoch(0);
  dataplane_.refusal.clear();
  told_.notify_all();
}

void Controller::refused(Epoch epoch, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  tell({.kind = EventKind::kSnapshot,
        .severity = EventSeverity::kCritical,
        .service = {},
        .backend = {},
        .text = fmt::format("the dataplane refused epoch {}: {}", epoch.value, reason),
        .author = {},
        .reason = {}});
  dataplane_.refused = epoch;
  dataplane_.refusal = reason;
  told_.notify_all();
}

}  // namespace hawser::control
