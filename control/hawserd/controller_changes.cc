// The controller's side towards operators: validate, journal, publish, wait, roll back.
#include <functional>

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
  return intent;
}

// A journal change and the one that takes it back.
std::vector<IntentChange> there_and_back(const Intent& before, const Intent& after,
                                         const Change& change) {
  return {{.intent = after, .before = change.before, .after = change.after, .by = after.by},
          {.intent = before, .before = change.after, .after = change.before, .by = after.by}};
}

}  // namespace

Controller::Plan Controller::plan_weight(const BackendRef& ref, const WeightOrder& order) const {
  const BackendState& state = runtime_.state(*ref.service, *ref.backend);
  const std::uint32_t file = ref.backend->weight;
  // The weight of the file is no wish of its own: later changes of the file count again.
  const bool to_file = order.to_file || order.weight == file;
  const std::uint32_t wanted = to_file ? file : order.weight;
  if (weight_of(state, *ref.backend) == wanted && to_file == !state.weight) return {};
  const Authorship by{author_or_unknown(order.author), order.reason, now()};
  Intent intent{ref.service->name, ref.backend->name, "weight", "", by};
  if (!to_file) intent.value = std::to_string(wanted);
  const Change change{intent.service, intent.backend, "weight",
                      std::to_string(weight_of(state, *ref.backend)), std::to_string(wanted)};
  const std::optional<std::uint32_t> weight = to_file ? std::nullopt : std::optional(wanted);
  return {.journal = there_and_back(intent_of(ref, state, "weight"), intent, change),
          .changes = {change},
          .apply = [ref, weight, by](Runtime& runtime) { runtime.set_weight(ref, weight, by); }};
}

Controller::Plan Controller::plan_mode(const BackendRef& ref, const ModeOrder& order) const {
  const BackendState& state = runtime_.state(*ref.service, *ref.backend);
  if (state.mode == order.mode) return {};
  const Authorship by{author_or_unknown(order.author), order.reason, now()};
  Intent intent{ref.service->name, ref.backend->name, "mode", "", by};
  if (order.mode != Mode::kReady) intent.value = to_string(order.mode);
  const Change change{intent.service, intent.backend, "mode", std::string(to_string(state.mode)),
                      std::string(to_string(order.mode))};
  return {
      .journal = there_and_back(intent_of(ref, state, "mode"), intent, change),
      .changes = {change},
      .apply = [ref, mode = order.mode, by](Runtime& runtime) { runtime.set_mode(ref, mode, by); }};
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
  return carry_out(lock, plan_weight(*lookup.found, order), order.dry_run);
}

ChangeOutcome Controller::set_mode(const ModeOrder& order) {
  const std::lock_guard one_at_a_time(change_mutex_);
  Lock lock(mutex_);
  const Lookup lookup = runtime_.find(order.service, order.backend);
  if (!lookup.found) return failed(lookup);
  const Result<void> authorship = check_authorship(order.author, order.reason);
  if (!authorship) return failed(Failure::kInvalid, authorship.error().message);
  return carry_out(lock, plan_mode(*lookup.found, order), order.dry_run);
}

ChangeOutcome Controller::carry_out(Lock& lock, Plan plan, bool dry_run) {
  ChangeOutcome outcome;
  outcome.changes = std::move(plan.changes);
  if (dry_run) return outcome;
  const Runtime before = runtime_;
  if (!outcome.changes.empty()) {
    const Result<void> stored = journal_->record(std::span(plan.journal).first(1));
    if (!stored) return failed(Failure::kInternal, stored.error().message);
    plan.apply(runtime_);
    const Change& change = outcome.changes.front();
    spdlog::info("{} of {}/{}: {} -> {} by {} ({})", change.field, change.service, change.backend,
                 change.before, change.after, plan.journal.front().by.author,
                 plan.journal.front().by.reason);
    publish();
  }
  bool refused = false;
  settle(lock, outcome, refused);
  if (!refused || outcome.changes.empty()) return outcome;
  // Checks may have moved on meanwhile; only what the operator did is taken back.
  const Change change = outcome.changes.front();
  const Lookup lookup = runtime_.find(change.service, change.backend);
  if (lookup.found) {
    const BackendState& old = before.state(*lookup.found->service, *lookup.found->backend);
    if (change.field == "weight") runtime_.set_weight(*lookup.found, old.weight, old.weight_by);
    if (change.field == "mode") runtime_.set_mode(*lookup.found, old.mode, old.mode_by);
  }
  plan.journal.back().by.reason = outcome.message;
  const Result<void> undone = journal_->record(std::span(plan.journal).last(1));
  if (!undone) spdlog::error("{}", undone.error().message);
  publish();
  outcome.changes.clear();
  return outcome;
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

ReloadOutcome Controller::reload(bool dry_run) {
  const std::lock_guard one_at_a_time(change_mutex_);
  ReloadOutcome outcome;
  // Reading and compiling takes time in which checks go on; only reloads change what is running.
  const model::Configuration running = view().runtime.configuration();
  model::ParsedConfiguration parsed = read_configuration(configuration_file_, running);
  for (const model::Diagnostic& diagnostic : parsed.diagnostics) {
    outcome.diagnostics.push_back(diagnostic.to_string());
  }
  if (!parsed.ok()) {
    spdlog::error("reload refused, nothing changed: {}", outcome.diagnostics.front());
    return outcome;
  }
  Lock lock(mutex_);
  outcome.change.changes = differences(runtime_.configuration(), parsed.configuration);
  outcome.notes = restart_notes(runtime_.configuration(), parsed.configuration);
  if (dry_run) return outcome;
  Runtime before = runtime_;
  const std::vector<IntentChange> dropped =
      runtime_.replace(std::move(parsed.configuration), now());
  publish();
  update_check_targets();
  bool refused = false;
  settle(lock, outcome.change, refused);
  if (refused && !outcome.change.changes.empty()) {
    runtime_ = std::move(before);
    publish();
    update_check_targets();
    outcome.change.changes.clear();
    outcome.notes.clear();
    return outcome;
  }
  for (const IntentChange& change : dropped) {
    outcome.notes.push_back(fmt::format("{} {} of {}/{} is dropped: {}", change.intent.field,
                                        change.before, change.intent.service, change.intent.backend,
                                        change.by.reason));
  }
  const Result<void> stored = journal_->record(dropped);
  if (!stored) spdlog::error("{}", stored.error().message);
  spdlog::info("reloaded {}: {} changes", configuration_file_, outcome.change.changes.size());
  return outcome;
}

}  // namespace hawser::control
