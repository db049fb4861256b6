// Decides what the dataplane is told: configuration, operators' intents and health into snapshots.
//
// Thread-safe. Changes by operators run one at a time and wait for the dataplane; checks and
// questions never wait for them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "changes.h"
#include "cookie_keys.h"
#include "dataplane_client.h"
#include "event_log.h"
#include "health.h"
#include "journal.h"
#include "passive.h"
#include "runtime.h"

namespace hawser::control {

// What is known of the dataplane without asking it.
struct DataplaneView {
  bool connected = false;
  std::string version;           // while connected
  std::string error;             // why not connected
  std::uint64_t since_unix = 0;  // connected or not
  Epoch applied;                 // confirmed
  Epoch refused;                 // newest refused, 0: none since the last that was applied
  std::string refusal;           // its reason
};

// A copy of everything, consistent in itself.
struct View {
  Runtime runtime;
  Epoch desired;
  DataplaneView dataplane;
  std::uint64_t started_unix = 0;
  std::string configuration_file;
  std::uint64_t now_unix = 0;  // when this was so
  std::string http_error;      // why HTTP is not answered; empty: it is, or need not be
};

// How things stand, in short.
struct Pulse {
  Epoch desired;
  DataplaneView dataplane;
  std::size_t backends = 0;
  std::size_t serving = 0;
};
// In one line: "epoch 12 applied, 40 of 40 backends serve".
[[nodiscard]] std::string to_string(const Pulse& pulse);

// Those the controller sets to work; each may be empty. Called under the controller's lock, so
// they must not call back.
struct ControllerHooks {
  std::function<void()> wake_dataplane;
  std::function<void(std::vector<CheckTarget>)> set_check_targets;
  std::function<void(std::vector<AgentTarget>)> set_agent_targets;
  std::function<std::uint64_t()> now_unix;  // empty: the system's clock
  // True when a reload begins, false when it has ended. Not under the lock.
  std::function<void(bool)> reloading;
  std::chrono::milliseconds confirm_time{5000};
};

struct WeightOrder {
  std::string service;  // may be empty when the backend's name is unique
  std::string backend;
  std::uint32_t weight = 0;
  bool to_file = false;  // back to the file's weight
  std::string author;
  std::string reason;
  bool dry_run = false;
};

struct ModeOrder {
  std::string service;
  std::string backend;
  Mode mode = Mode::kReady;
  std::uint64_t term_seconds = 0;    // a drain's deadline, a maintenance's end, from now; 0: none
  std::uint32_t jitter_seconds = 0;  // what is left at a drain's deadline is ended over so long,
  bool keep_flows = false;           // or not at all
  std::string author;
  std::string reason;
  bool dry_run = false;
  bool force = false;  // also where a guard says no
};

struct ReloadOrder {
  std::string author;
  std::string reason;
  bool dry_run = false;
};

struct RotateOrder {
  std::string author;
  std::string reason;
  bool dry_run = false;
  bool force = false;  // also where the guard says no
};

struct RotateOutcome {
  ChangeOutcome change;
  KeysView keys;  // as they are now, or would be
};

class Controller final : public DataplaneListener {
 public:
  // Puts the journal's intents in force; those whose backend is gone are taken back.
  [[nodiscard]] static Result<std::unique_ptr<Controller>> create(
      model::Configuration configuration, std::string configuration_file,
      std::unique_ptr<Journal> journal);

  // Once, before anything else, when those behind the hooks exist.
  void start(ControllerHooks hooks);
  // Drops the hooks, as those behind them are about to go, and lets no call wait any longer.
  void stop();

  // Each waits up to 5 s for the dataplane to confirm.
  [[nodiscard]] ChangeOutcome set_weight(const WeightOrder& order);
  [[nodiscard]] ChangeOutcome set_mode(const ModeOrder& order);
  [[nodiscard]] ReloadOutcome reload(const ReloadOrder& order);
  // A new key signs session cookies, the one before it still counts. Refused while that would unpin
  // users, unless forced.
  [[nodiscard]] RotateOutcome rotate_keys(const RotateOrder& order);

  void note_check(const CheckReport& report);
  void note_agent(const std::string& service, const std::string& backend, const AgentWord& word);
  // Ejects backends for what the dataplane saw of them. Every second or so.
  void note_signals(const dataplane::v1::CountersReply& counters);
  // What ends or grows by itself: slow starts, drains, ejections, maintenances. Every second.
  void tick();
  // HTTP cannot be answered, and why.
  void note_http(const std::string& error);
  [[nodiscard]] View view() const;
  [[nodiscard]] DataplaneView dataplane() const;
  [[nodiscard]] Pulse pulse() const;
  [[nodiscard]] KeysView keys() const;
  [[nodiscard]] const EventLog& events() const { return events_; }
  // Since start(), which is before anybody asks.
  [[nodiscard]] std::uint64_t started_unix() const { return started_unix_; }
  // What operators and hawserd itself changed: the newest `limit` entries, newest first.
  [[nodiscard]] Result<std::vector<HistoryEntry>> history(const HistoryFilter& filter,
                                                          std::uint32_t limit) const;

  void connected(const dataplane::v1::HelloReply& hello,
                 const std::optional<model::Desired>& running) override;
  void disconnected(const std::string& error) override;
  std::optional<model::Desired> pending() override;
  void applied(Epoch epoch, const dataplane::v1::ApplyReply& reply) override;
  void refused(Epoch epoch, const std::string& reason) override;

 private:
  enum class Confirmation : std::uint8_t { kConfirmed, kRefused, kTimedOut, kDisconnected };
  // An intent and what it changes; empty `changes`: it was so already.
  struct Wish {
    std::vector<IntentChange> journal;  // there, and back
    std::vector<Change> changes;
    std::function<void(Runtime&)> apply;
    std::function<void(Runtime&)> undo;
    bool guarded = false;
  };
  using Lock = std::unique_lock<std::mutex>;

  Controller(Runtime runtime, std::string configuration_file, std::unique_ptr<Journal> journal);

  [[nodiscard]] Wish wish_weight(const BackendRef& ref, const WeightOrder& order) const;
  [[nodiscard]] Wish wish_mode(const BackendRef& ref, const ModeOrder& order) const;
  [[nodiscard]] ChangeOutcome carry_out(Lock& lock, Wish wish, bool dry_run, bool force);
  [[nodiscard]] model::Desired desired_of(const Runtime& runtime) const;
  [[nodiscard]] model::Desired running_base() const;
  void note_reload(const ReloadOrder& order, ReloadOutcome& outcome,
                   const std::vector<IntentChange>& dropped);
  // Takes back what the dataplane refused.
  void undo(Wish& wish, const std::string& why);
  // Fills in epoch, note and failure from what the dataplane says to the newest snapshot.
  void settle(Lock& lock, ChangeOutcome& outcome, bool& refused);
  [[nodiscard]] std::function<void(bool)> announcer() const;
  [[nodiscard]] Confirmation wait(Lock& lock, Epoch epoch);
  // Tells what became different, and makes it the newest snapshot.
  void follow_runtime();
  void tell_transitions();
  void tell(FleetEvent event);
  void publish();
  void reserve(Epoch epoch);
  void ensure_flow_key(const dataplane::v1::HelloReply& hello,
                       const std::optional<model::Desired>& running);
  void ensure_cookie_keys(const std::optional<model::Desired>& running);
  [[nodiscard]] bool adopts_cookie_keys(const std::optional<model::Desired>& running) const;
  // The dataplane signs with the first key, from now on if it was not known to before.
  void note_keys_taken();
  [[nodiscard]] std::uint64_t lifetime_of_cookies() const;
  void update_check_targets();
  [[nodiscard]] std::uint64_t now() const;

  std::mutex change_mutex_;  // one change at a time; taken before mutex_
  mutable std::mutex mutex_;
  std::condition_variable told_;  // the dataplane confirmed, refused, or went away

  Runtime runtime_;
  const std::string configuration_file_;
  std::unique_ptr<Journal> journal_;
  ControllerHooks hooks_;
  std::optional<model::FlowKey> flow_key_;
  KeyRing keys_;
  std::vector<model::CookieKey> published_keys_;    // of epoch desired_
  Epoch keys_epoch_;                                // the first with them
  model::ServiceList published_;                    // of epoch desired_
  std::vector<model::PrefixList> published_lists_;  // of epoch desired_
  Epoch desired_;
  Epoch reserved_;  // on disk: no epoch above was ever used
  EventLog events_;
  PassiveJudge passive_;
  DataplaneView dataplane_;
  std::string http_error_;
  std::uint64_t instance_ = 0;  // of the dataplane last connected to
  bool adopted_ = false;
  bool journal_was_empty_ = false;
  std::uint64_t started_unix_;
};

}  // namespace hawser::control
