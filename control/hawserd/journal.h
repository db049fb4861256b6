// What must survive a restart: operators' intents, their history, all keys, the last epoch.
//
// One SQLite database in the state directory, which is locked for one process. Every call is one
// transaction, on disk when it returns. Not thread-safe: the controller's lock guards it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "file_lock.h"
#include "hawser/base/result.h"
#include "hawser/base/strong.h"
#include "hawser/model/service.h"
#include "journal_mover.h"

struct sqlite3;
struct sqlite3_stmt;

namespace hawser::control {

// Who did something, why, and when (seconds since 1970).
struct Authorship {
  std::string author;
  std::string reason;
  std::uint64_t since_unix = 0;
  bool forced = false;  // past a guard; kept in the history only
  friend bool operator==(const Authorship&, const Authorship&) = default;
};

// How long a drain or a maintenance lasts.
struct Terms {
  // Drain: the deadline. Maintenance: its end, when the backend is ready again. 0: none.
  std::uint64_t until_unix = 0;
  std::uint32_t jitter_seconds = 0;  // what is left at a drain's deadline is ended over so long,
  bool keep_flows = false;           // or not at all
  friend bool operator==(const Terms&, const Terms&) = default;
};

// One thing an operator wants different from the file.
struct Intent {
  std::string service;
  std::string backend;
  std::string field;  // "weight" or "mode"
  std::string value;
  Authorship by;
  Terms terms = {};  // of a mode
  friend bool operator==(const Intent&, const Intent&) = default;
};

// A change of an intent: `intent.value` is the new value; empty takes the intent back. The rest is
// for the history.
struct IntentChange {
  Intent intent;
  std::string before;
  std::string after;
  Authorship by;
};

struct HistoryEntry {
  std::string service;
  std::string backend;
  std::string field;
  std::string before;
  std::string after;
  Authorship by;
};

// Which entries of the history are asked for; what is empty does not matter.
struct HistoryFilter {
  std::string service;
  std::string backend;
};

// A key that signs session cookies, or did.
struct KeyRecord {
  model::CookieKey key;
  Authorship by;           // since: the dataplane signs with it, or else it was asked to
  bool confirmed = false;  // the dataplane has taken it
  friend bool operator==(const KeyRecord&, const KeyRecord&) = default;
};
// The one that signs first, then at most one that still counts. Empty before the first.
using KeyRing = std::vector<KeyRecord>;

class Journal {
 public:
  // Creates the directory (mode 0700) and the database as needed. Fails when another process has
  // the directory.
  [[nodiscard]] static Result<std::unique_ptr<Journal>> open(const std::string& directory);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  [[nodiscard]] Result<std::vector<Intent>> intents();
  // All of the changes or none, with a line of history each.
  [[nodiscard]] Result<void> record(std::span<const IntentChange> changes);
  // The newest `limit` entries that pass the filter, newest first. An index leads to them, so that
  // the time it takes does not grow with the history.
  [[nodiscard]] Result<std::vector<HistoryEntry>> history(const HistoryFilter& filter,
                                                          std::uint32_t limit);

  [[nodiscard]] Result<std::optional<model::FlowKey>> flow_key();
  [[nodiscard]] Result<void> set_flow_key(const model::FlowKey& key);
  [[nodiscard]] Result<KeyRing> cookie_keys();
  // Replaces all of them or none; what is not in `ring` is erased. With a line of history, if any.
  [[nodiscard]] Result<void> set_cookie_keys(const KeyRing& ring,
                                             const std::optional<HistoryEntry>& entry);
  // A line of history of its own.
  [[nodiscard]] Result<void> note(const HistoryEntry& entry);
  // No epoch above it was ever used. 0 when there was none.
  [[nodiscard]] Result<Epoch> reserved_epoch();
  [[nodiscard]] Result<void> reserve_epoch(Epoch epoch);

 private:
  Journal(FileLock lock, sqlite3* database, std::string path);
  [[nodiscard]] Result<void> run(const char* sql);
  [[nodiscard]] Result<void> apply(const IntentChange& change);
  [[nodiscard]] Result<void> upgrade();
  [[nodiscard]] Result<void> replace(const KeyRing& ring);
  // Ends a transaction: commits when `done` is good, else goes back; the error that counts.
  [[nodiscard]] Result<void> finish(Result<void> done);
  [[nodiscard]] Error failure() const;

  FileLock lock_;
  sqlite3* database_;
  std::string path_;
  std::unique_ptr<JournalMover> mover_;
};

}  // namespace hawser::control
