// The controller's side towards operators: validate, journal, publish, wait, roll back.
#include <functional>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "authorship.h"
#include "configuration_file.h"
#include "controller.h"
#include "hawser/base/limits.h"

namespace hawser::control {
namespace {

ChangeOutcome failed(Failure failure, std::string message) {
  ChangeOutcome outcome;
  outcome.failure = failure;
  outcome.message = std::move(message);
  return outcome;
}

ChangeOutcome failed(const Lookup& lookup) {
  const bool ambiguous = lookup.failure == LookupFailure::kAmbiguous;
  return failed(ambiguous ? Failure::kInvalid : Failure::kNotFound, lookup.message);
}

// What the journal holds of a backend now, to put it back after a refusal.
Intent intent_of(const BackendRef& ref, const BackendState& state, const std::string& field) {
  Intent intent{.service = ref.service->name, .backend = ref.backend->name, .field = field};
  const bool weight = field == "weight";
  intent.by = weight ? state.weight_by : state.mode_by;
  if (weight && state.weight) intent.value = std::to_string(*state.weight);
  if (!weight && state.mode != Mode::kReady) intent.value = to_string(state.mode);
  if (!weight) intent.terms = state.terms;
  return intent;
}

// A journal change and the one that takes it back.
std::vector<IntentChange> there_and_back(const Intent& before, const Intent& after,
                                         const Change& change) {
  return {{.intent = after, .before = change.before, .after = change.after, .by = after.by},
          {.intent = before, .before = change.after, .after = change.before, .by = after.by}};
}

Result<void> check_terms(const ModeOrder& order) {
  if (order.mode == Mode::kReady && order.term_seconds != 0) {
    return fail("ready has no end; drain and maintenance have");
  }
  if (order.term_seconds > limits::kMaxTermSeconds) {
    return fail(fmt::format("{} s is too long, at most {} s are possible", order.term_seconds,
                            limits::kMaxTermSeconds));
  }
  if (order.jitter_seconds > limits::kMaxJitterSeconds) {
    return fail(fmt::format("a jitter of {} s is too long, at most {} s are possible",
                            order.jitter_seconds, limits::kMaxJitterSeconds));
  }
  return {};
}

// Says that a reload goes on for as long as it lives.
class Announcement {
 public:
  explicit Announcement(std::function<void(bool)> tell) : tell_(std::move(tell)) {
    if (tell_) tell_(true);
  }
  ~Announcement() {
    if (tell_) tell_(false);
  }
  Announcement(const Announcement&) = delete;
  Announcement& operator=(const Announcement&) = delete;

 private:
  std::function<void(bool)> tell_;
};

}  // namespace

Controller::Wish Controller::wish_weight(const BackendRef& ref, const WeightOrder& order) const {
  const BackendState& state = runtime_.state(*ref.service, *ref.backend);
  const std::uint32_t file = ref.backend->weight;
  // The weight of the file is no wish of its own: later changes of the file count again.
  const bool to_file = order.to_file || order.weight == file;
  const std::uint32_t wanted = to_file ? file : order.weight;
  if (weight_of(state, *ref.backend) == wanted && to_file == !state.weight) return {};
  const std::uint64_t at = now();
  const Authorship by{author_or_unknown(order.author), order.reason, at};
  Intent intent{ref.service->name, ref.backend->name, "weight", "", by};
  if (!to_file) intent.value = std::to_string(wanted);
  const Change change{intent.service, intent.backend, "weight",
                      std::to_string(weight_of(state, *ref.backend)), std::to_string(wanted)};
  const std::optional<std::uint32_t> weight = to_file ? std::nullopt : std::optional(wanted);
  return {.journal = there_and_back(intent_of(ref, state, "weight"), intent, change),
          .changes = {change},
          .apply = [=](Runtime& runtime) { runtime.set_weight(ref, weight, by, at); },
          .undo = [=, was = state.weight, was_by = state.weight_by](
                      Runtime& runtime) { runtime.set_weight(ref, was, was_by, at); }};
}

Controller::Wish Controller::wish_mode(const BackendRef& ref, const ModeOrder& order) const {
  const BackendState& state = runtime_.state(*ref.service, *ref.backend);
  const std::uint64_t at = now();
  Terms terms;
  if (order.term_seconds != 0) {
    terms = {.until_unix = at + order.term_seconds,
             .jitter_seconds = order.jitter_seconds,
             .keep_flows = order.keep_flows};
  }
  if (state.mode == order.mode && state.terms == terms) return {};
  const Authorship by{author_or_unknown(order.author), order.reason, at};
  Intent intent{ref.service->name, ref.backend->name, "mode", "", by, terms};
  if (order.mode != Mode::kReady) intent.value = to_string(order.mode);
  const Change change{intent.service, intent.backend, "mode", mode_text(state.mode, state.terms),
                      mode_text(order.mode, terms)};
  return {.journal = there_and_back(intent_of(ref, state, "mode"), intent, change),
          .changes = {change},
          .apply = [=, mode = order.mode](
                       Runtime& runtime) { runtime.set_mode(ref, mode, terms, by, at); },
          .undo = [=, mode = state.mode, was = state.terms, was_by = state.mode_by](
                      Runtime& runtime) { runtime.set_mode(ref, mode, was, was_by, at); },
          .guarded = order.mode != Mode::kReady};
}

ChangeOutcome Controller::set_weight(const WeightOrder& order) {
  const std::lock_guard one_at_a_time(change_mutex_);
  Lock lock(mutex_);
  const Lookup lookup = runtime_.find(order.service, order.backend);
  if (!lookup.found) return failed(lookup);
  const bool in_range = order.weight >= limits::kMinWeight && order.weight <= limits::kMaxWeight;
  if (!order.to_file && !in_range) {
    return failed(Failure::kInvalid,
                  fmt::format("the weight is {}, must be {} to {}; to take a backend out of "
                              "service use `hawserctl drain` or `hawserctl maintenance`",
                              order.weight, limits::kMinWeight, limits::kMaxWeight));
  }
  const Result<void> authorship = check_authorship(order.author, order.reason);
  if (!authorship) return failed(Failure::kInvalid, authorship.error().message);
  return carry_out(lock, wish_weight(*lookup.found, order), order.dry_run, false);
}

ChangeOutcome Controller::set_mode(const ModeOrder& order) {
  const std::lock_guard one_at_a_time(change_mutex_);
  Lock lock(mutex_);
  const Lookup lookup = runtime_.find(order.service, order.backend);
  if (!lookup.found) return failed(lookup);
  const Result<void> authorship = check_authorship(order.author, order.reason);
  if (!authorship) return failed(Failure::kInvalid, authorship.error().message);
  const Result<void> terms = check_terms(order);
  if (!terms) return failed(Failure::kInvalid, terms.error().message);
  return carry_out(lock, wish_mode(*lookup.found, order), order.dry_run, order.force);
}

model::Desired Controller::desired_of(const Runtime& runtime) const {
  return {.epoch = Epoch(desired_.value + 1),
          .flow_key = flow_key_.value_or(model::FlowKey{}),
          .cookie_keys = published_keys_,
          .services = runtime.services(),
          .prefix_lists = runtime.configuration().prefix_lists};
}

// What the dataplane runs, as far as that is known for sure; else nothing, and the whole is sent.
model::Desired Controller::running_base() const {
  if (dataplane_.applied != desired_) return {};
  model::Desired base = desired_of(runtime_);
  base.epoch = desired_;
  return base;
}

ChangeOutcome Controller::carry_out(Lock& lock, Wish wish, bool dry_run, bool force) {
  ChangeOutcome outcome;
  outcome.changes = wish.changes;
  Runtime after = runtime_;
  if (!wish.changes.empty()) wish.apply(after);
  outcome.plan = plan_change(runtime_, after, wish.guarded);
  if (dry_run) {
    outcome.base = running_base();
    outcome.candidate = desired_of(after);
    return outcome;
  }
  const bool guarded = outcome.plan.is_refused();
  if (guarded && !force) {
    return failed(Failure::kRefused,
                  outcome.plan.refusal() + "; --force does it all the same, which is written down");
  }
  if (!outcome.changes.empty()) {
    IntentChange& there = wish.journal.front();
    there.by.forced = guarded;
    const Result<void> stored = journal_->record(std::span(&there, 1));
    if (!stored) return failed(Failure::kInternal, stored.error().message);
    runtime_ = std::move(after);
    const Change& change = outcome.changes.front();
    tell({.kind = EventKind::kChange,
          .service = change.service,
          .backend = change.backend,
          .text =
              fmt::format("{} of {}/{}: {} -> {}{}", change.field, change.service, change.backend,
                          change.before, change.after, guarded ? ", past a guard" : ""),
          .author = there.by.author,
          .reason = there.by.reason});
    follow_runtime();
  }
  bool refused = false;
  settle(lock, outcome, refused);
  if (!refused || outcome.changes.empty()) return outcome;
  undo(wish, outcome.message);
  outcome.changes.clear();
  return outcome;
}

// Checks may have moved on meanwhile; only what the operator did is taken back. Under mutex_.
void Controller::undo(Wish& wish, const std::string& why) {
  const Change& change = wish.changes.front();
  if (runtime_.find(change.service, change.backend).found) wish.undo(runtime_);
  IntentChange& back = wish.journal.back();
  back.by.reason = why;
  const Result<void> undone = journal_->record(std::span(&back, 1));
  if (!undone) spdlog::error("{}", undone.error().message);
  follow_runtime();
}

Controller::Confirmation Controller::wait(Lock& lock, Epoch epoch) {
  const auto decided = [&] {
    return dataplane_.applied.value >= epoch.value || dataplane_.refused.value >= epoch.value ||
           !dataplane_.connected;
  };
  const bool in_time = told_.wait_for(lock, hooks_.confirm_time, decided);
  if (dataplane_.connected && dataplane_.applied.value >= epoch.value)
    return Confirmation::kConfirmed;
  if (dataplane_.refused.value >= epoch.value) return Confirmation::kRefused;
  return in_time ? Confirmation::kDisconnected : Confirmation::kTimedOut;
}

void Controller::settle(Lock& lock, ChangeOutcome& outcome, bool& refused) {
  const Epoch epoch = desired_;
  switch (wait(lock, epoch)) {
    case Confirmation::kConfirmed:
      outcome.epoch = dataplane_.applied.value;
      break;
    case Confirmation::kRefused:
      refused = true;
      outcome.failure = Failure::kRefused;
      outcome.message = "the dataplane refused it: " + dataplane_.refusal;
      break;
    case Confirmation::kTimedOut:
      outcome.failure = Failure::kTimedOut;
      outcome.message = fmt::format(
          "the dataplane did not confirm epoch {} within {} ms; the "
          "change is stored and will be applied",
          epoch.value, hooks_.confirm_time.count());
      break;
    case Confirmation::kDisconnected:
      outcome.note = "the dataplane is not connected (" + dataplane_.error +
                     "); the change is stored and will be applied when it returns";
      break;
  }
}

std::function<void(bool)> Controller::announcer() const {
  const std::lock_guard lock(mutex_);
  return hooks_.reloading;
}

ReloadOutcome Controller::reload(const ReloadOrder& order) {
  const std::lock_guard one_at_a_time(change_mutex_);
  const Announcement announcement(order.dry_run ? nullptr : announcer());
  ReloadOutcome outcome;
  // Reading and compiling takes time in which checks go on; only reloads change what is running.
  const model::Configuration running = view().runtime.configuration();
  model::ParsedConfiguration parsed = read_configuration(configuration_file_, running);
  for (const model::Diagnostic& diagnostic : parsed.diagnostics) {
    outcome.diagnostics.push_back(diagnostic.to_string());
  }
  Lock lock(mutex_);
  FleetEvent event{.kind = EventKind::kReload,
                   .service = {},
                   .backend = {},
                   .text = {},
                   .author = author_or_unknown(order.author),
                   .reason = order.reason};
  if (!parsed.ok()) {
    if (order.dry_run) return outcome;
    event.severity = EventSeverity::kWarning;
    event.text = "reload refused, nothing changed: " + outcome.diagnostics.front();
    tell(std::move(event));
    return outcome;
  }
  outcome.change.changes = differences(runtime_.configuration(), parsed.configuration);
  outcome.notes = restart_notes(runtime_.configuration(), parsed.configuration);
  Runtime after = runtime_;
  const std::vector<IntentChange> dropped = after.replace(std::move(parsed.configuration), now());
  outcome.change.plan = plan_change(runtime_, after, false);
  if (order.dry_run) {
    outcome.change.base = running_base();
    outcome.change.candidate = desired_of(after);
    return outcome;
  }
  const Runtime before = std::exchange(runtime_, std::move(after));
  follow_runtime();
  update_check_targets();
  bool refused = false;
  settle(lock, outcome.change, refused);
  if (refused && !outcome.change.changes.empty()) {
    runtime_ = before;
    publish();
    update_check_targets();
    outcome.change.changes.clear();
    outcome.notes.clear();
    return outcome;
  }
  note_reload(order, outcome, dropped);
  event.text =
      fmt::format("reloaded {}: {} changes", configuration_file_, outcome.change.changes.size());
  tell(std::move(event));
  return outcome;
}

// What a reload leaves behind in the journal. Under mutex_.
void Controller::note_reload(const ReloadOrder& order, ReloadOutcome& outcome,
                             const std::vector<IntentChange>& dropped) {
  for (const IntentChange& change : dropped) {
    outcome.notes.push_back(fmt::format("{} {} of {}/{} is dropped: {}", change.intent.field,
                                        change.before, change.intent.service, change.intent.backend,
                                        change.by.reason));
  }
  Result<void> stored = journal_->record(dropped);
  if (stored && !outcome.change.changes.empty()) {
    stored = journal_->note({.service = {},
                             .backend = {},
                             .field = "reload",
                             .before = {},
                             .after = fmt::format("{} changes", outcome.change.changes.size()),
                             .by = {author_or_unknown(order.author), order.reason, now()}});
  }
  if (!stored) spdlog::error("{}", stored.error().message);
}

}  // namespace hawser::control
