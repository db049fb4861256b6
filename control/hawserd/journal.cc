// The journal as an SQLite database in write-ahead mode.
#include "journal.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>
#include <sqlite3.h>

#include "hawser/base/limits.h"

namespace hawser::control {
namespace {

// synchronous=FULL: a change that was acknowledged survives the loss of power.
// secure_delete: a key that is gone is overwritten.
// wal_autocheckpoint: the log is moved by the mover, so that no commit waits for it.
// Each filter of the history has an index of its own: entries with the same names are in it by id.
constexpr const char* kSchema = R"(
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA secure_delete = ON;
PRAGMA wal_autocheckpoint = 0;
CREATE TABLE IF NOT EXISTS intent (
  service TEXT NOT NULL, backend TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,
  author TEXT NOT NULL, reason TEXT NOT NULL, since_unix INTEGER NOT NULL,
  PRIMARY KEY (service, backend, field)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (
  id INTEGER PRIMARY KEY, at_unix INTEGER NOT NULL, service TEXT NOT NULL, backend TEXT NOT NULL,
  field TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, author TEXT NOT NULL,
  reason TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS history_of_service ON history (service);
CREATE INDEX IF NOT EXISTS history_of_backend ON history (backend);
CREATE INDEX IF NOT EXISTS history_of_both ON history (service, backend);
CREATE TABLE IF NOT EXISTS cookie_key (
  place INTEGER PRIMARY KEY, id INTEGER NOT NULL, secret BLOB NOT NULL, author TEXT NOT NULL,
  reason TEXT NOT NULL, since_unix INTEGER NOT NULL, confirmed INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
)";

// Longest wait for the mover, by who must have the whole log moved.
constexpr int kBusyMilliseconds = 5000;

// What each version of the journal added to the one before; the first is made by the schema.
constexpr std::array<const char*, 1> kUpgrades{R"(
ALTER TABLE intent ADD COLUMN until_unix INTEGER NOT NULL DEFAULT 0;
ALTER TABLE intent ADD COLUMN jitter_seconds INTEGER NOT NULL DEFAULT 0;
ALTER TABLE intent ADD COLUMN keep_flows INTEGER NOT NULL DEFAULT 0;
ALTER TABLE history ADD COLUMN forced INTEGER NOT NULL DEFAULT 0;
)"};

// A prepared statement with its parameters bound in order.
class Statement {
 public:
  Statement(sqlite3* database, const char* sql) {
    sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& text(const std::string& value) {
    sqlite3_bind_text(statement_, ++bound_, value.data(), static_cast<int>(value.size()),
                      SQLITE_TRANSIENT);
    return *this;
  }
  Statement& number(std::uint64_t value) {
    sqlite3_bind_int64(statement_, ++bound_, static_cast<sqlite3_int64>(value));
    return *this;
  }
  Statement& blob(std::span<const std::uint8_t> bytes) {
    sqlite3_bind_blob(statement_, ++bound_, bytes.data(), static_cast<int>(bytes.size()),
                      SQLITE_TRANSIENT);
    return *this;
  }

  // SQLITE_ROW, SQLITE_DONE or an error; a statement that did not compile is an error too.
  int step() { return statement_ == nullptr ? SQLITE_ERROR : sqlite3_step(statement_); }

  [[nodiscard]] std::string column_text(int index) const {
    const unsigned char* text = sqlite3_column_text(statement_, index);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, index));
    return text == nullptr ? std::string() : std::string(text, text + size);
  }
  [[nodiscard]] std::uint64_t column_number(int index) const {
    return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, index));
  }
  [[nodiscard]] std::span<const std::uint8_t> column_blob(int index) const {
    const void* bytes = sqlite3_column_blob(statement_, index);
    return {static_cast<const std::uint8_t*>(bytes),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, index))};
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

}  // namespace

Journal::Journal(FileLock lock, sqlite3* database, std::string path)
    : lock_(std::move(lock)), database_(database), path_(std::move(path)) {}

Journal::~Journal() {
  mover_.reset();
  sqlite3_close(database_);
}

Error Journal::failure() const {
  return fail(
      fmt::format("the journal {} failed: {}; check the space and the permissions of the "
                  "state directory",
                  path_, sqlite3_errmsg(database_)));
}

Result<std::unique_ptr<Journal>> Journal::open(const std::string& directory) {
  const Result<void> made = make_directories(directory, 0700);
  if (!made) return made.error();
  Result<FileLock> lock = FileLock::take(directory + "/lock", "the state directory " + directory);
  if (!lock) return lock.error();
  const std::string path = directory + "/journal.sqlite";
  sqlite3* database = nullptr;
  const int opened = sqlite3_open(path.c_str(), &database);
  std::unique_ptr<Journal> journal(new Journal(*std::move(lock), database, path));
  if (opened != SQLITE_OK) return journal->failure();
  sqlite3_busy_timeout(database, kBusyMilliseconds);
  const Result<void> schema = journal->run(kSchema);
  if (!schema) return schema.error();
  const Result<void> upgraded = journal->upgrade();
  if (!upgraded) return upgraded.error();
  Result<std::unique_ptr<JournalMover>> mover = JournalMover::start(path);
  if (!mover) return mover.error();
  journal->mover_ = *std::move(mover);
  return journal;
}

// One transaction: a journal is of one version or of the next.
Result<void> Journal::upgrade() {
  std::uint64_t version = 0;
  {
    Statement select(database_, "PRAGMA user_version");
    if (select.step() != SQLITE_ROW) return failure();
    version = select.column_number(0);
  }
  if (version > kUpgrades.size()) {
    return fail(
        fmt::format("the journal {} was written by a newer hawserd (version {} of its "
                    "tables, this one knows {}); run that one",
                    path_, version, kUpgrades.size()));
  }
  if (version == kUpgrades.size()) return {};
  Result<void> done = run("BEGIN IMMEDIATE");
  for (; done && version < kUpgrades.size(); ++version) done = run(kUpgrades[version]);
  if (done) done = run(fmt::format("PRAGMA user_version = {}", kUpgrades.size()).c_str());
  return finish(std::move(done));
}

Result<void> Journal::run(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failure();
  return {};
}

Result<std::vector<Intent>> Journal::intents() {
  Statement select(
      database_,
      "SELECT service, backend, field, value, author, reason, since_unix, "
      "until_unix, jitter_seconds, keep_flows FROM intent ORDER BY service, backend, field");
  std::vector<Intent> found;
  int step = select.step();
  for (; step == SQLITE_ROW; step = select.step()) {
    found.push_back({select.column_text(0),
                     select.column_text(1),
                     select.column_text(2),
                     select.column_text(3),
                     {select.column_text(4), select.column_text(5), select.column_number(6)},
                     {.until_unix = select.column_number(7),
                      .jitter_seconds = static_cast<std::uint32_t>(select.column_number(8)),
                      .keep_flows = select.column_number(9) != 0}});
  }
  if (step != SQLITE_DONE) return failure();
  return found;
}

Result<void> Journal::apply(const IntentChange& change) {
  const Intent& intent = change.intent;
  if (intent.value.empty()) {
    Statement remove(database_,
                     "DELETE FROM intent WHERE service = ? AND backend = ? AND field = ?");
    remove.text(intent.service).text(intent.backend).text(intent.field);
    if (remove.step() != SQLITE_DONE) return failure();
  } else {
    Statement insert(database_,
                     "INSERT OR REPLACE INTO intent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.text(intent.service).text(intent.backend).text(intent.field).text(intent.value);
    insert.text(intent.by.author).text(intent.by.reason).number(intent.by.since_unix);
    insert.number(intent.terms.until_unix).number(intent.terms.jitter_seconds);
    insert.number(intent.terms.keep_flows ? 1 : 0);
    if (insert.step() != SQLITE_DONE) return failure();
  }
  return note({.service = intent.service,
               .backend = intent.backend,
               .field = intent.field,
               .before = change.before,
               .after = change.after,
               .by = change.by});
}

Result<void> Journal::note(const HistoryEntry& entry) {
  Statement history(database_, "INSERT INTO history VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  history.number(entry.by.since_unix).text(entry.service).text(entry.backend).text(entry.field);
  history.text(entry.before).text(entry.after).text(entry.by.author).text(entry.by.reason);
  if (history.number(entry.by.forced ? 1 : 0).step() != SQLITE_DONE) return failure();
  Statement prune(database_, "DELETE FROM history WHERE id <= (SELECT max(id) FROM history) - ?");
  if (prune.number(limits::kMaxHistoryKept).step() != SQLITE_DONE) return failure();
  return {};
}

Result<void> Journal::finish(Result<void> done) {
  if (done) done = run("COMMIT");
  // The error that counts is the first one, not that of the way back.
  if (!done) static_cast<void>(run("ROLLBACK"));
  return done;
}

Result<void> Journal::record(std::span<const IntentChange> changes) {
  if (changes.empty()) return {};
  Result<void> done = run("BEGIN IMMEDIATE");
  if (!done) return done;
  for (const IntentChange& change : changes) {
    done = apply(change);
    if (!done) break;
  }
  return finish(std::move(done));
}

Result<std::vector<HistoryEntry>> Journal::history(const HistoryFilter& filter,
                                                   std::uint32_t limit) {
  std::string sql =
      "SELECT at_unix, service, backend, field, before, after, author, reason, forced FROM "
      "history";
  if (!filter.service.empty()) sql += " WHERE service = ?";
  if (!filter.backend.empty()) sql += filter.service.empty() ? " WHERE" : " AND";
  if (!filter.backend.empty()) sql += " backend = ?";
  sql += " ORDER BY id DESC LIMIT ?";
  Statement select(database_, sql.c_str());
  if (!filter.service.empty()) select.text(filter.service);
  if (!filter.backend.empty()) select.text(filter.backend);
  select.number(limit);
  std::vector<HistoryEntry> found;
  int step = select.step();
  for (; step == SQLITE_ROW; step = select.step()) {
    found.push_back({select.column_text(1),
                     select.column_text(2),
                     select.column_text(3),
                     select.column_text(4),
                     select.column_text(5),
                     {select.column_text(6), select.column_text(7), select.column_number(0),
                      select.column_number(8) != 0}});
  }
  if (step != SQLITE_DONE) return failure();
  return found;
}

Result<std::optional<model::FlowKey>> Journal::flow_key() {
  Statement select(database_, "SELECT value FROM meta WHERE key = 'flow_key'");
  const int step = select.step();
  if (step == SQLITE_DONE) return std::optional<model::FlowKey>();
  if (step != SQLITE_ROW) return failure();
  model::FlowKey key{};
  const std::span<const std::uint8_t> bytes = select.column_blob(0);
  if (bytes.size() != key.size()) {
    return fail(
        fmt::format("the journal {} is damaged: its flow key has {} bytes; restore or "
                    "remove it",
                    path_, bytes.size()));
  }
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return std::optional<model::FlowKey>(key);
}

Result<void> Journal::set_flow_key(const model::FlowKey& key) {
  Statement insert(database_, "INSERT OR REPLACE INTO meta VALUES ('flow_key', ?)");
  if (insert.blob(key).step() != SQLITE_DONE) return failure();
  return {};
}

Result<KeyRing> Journal::cookie_keys() {
  Statement select(database_,
                   "SELECT id, secret, author, reason, since_unix, confirmed FROM cookie_key "
                   "ORDER BY place");
  KeyRing ring;
  int step = select.step();
  for (; step == SQLITE_ROW; step = select.step()) {
    KeyRecord record;
    record.key.id = static_cast<std::uint8_t>(select.column_number(0));
    const std::span<const std::uint8_t> secret = select.column_blob(1);
    if (secret.size() != record.key.secret.size()) {
      return fail(
          fmt::format("the journal {} is damaged: a cookie key has {} bytes; restore or remove it",
                      path_, secret.size()));
    }
    std::copy(secret.begin(), secret.end(), record.key.secret.begin());
    record.by = {select.column_text(2), select.column_text(3), select.column_number(4)};
    record.confirmed = select.column_number(5) != 0;
    ring.push_back(std::move(record));
  }
  if (step != SQLITE_DONE) return failure();
  return ring;
}

Result<void> Journal::replace(const KeyRing& ring) {
  Result<void> done = run("DELETE FROM cookie_key");
  if (!done) return done;
  for (std::size_t place = 0; place < ring.size(); ++place) {
    const KeyRecord& record = ring[place];
    Statement insert(database_, "INSERT INTO cookie_key VALUES (?, ?, ?, ?, ?, ?, ?)");
    insert.number(place).number(record.key.id).blob(record.key.secret);
    insert.text(record.by.author).text(record.by.reason).number(record.by.since_unix);
    if (insert.number(record.confirmed ? 1 : 0).step() != SQLITE_DONE) return failure();
  }
  return {};
}

Result<void> Journal::set_cookie_keys(const KeyRing& ring,
                                      const std::optional<HistoryEntry>& entry) {
  Result<void> done = run("BEGIN IMMEDIATE");
  if (!done) return done;
  done = replace(ring);
  if (done && entry) done = note(*entry);
  done = finish(std::move(done));
  // What was erased still stands in the write-ahead log until it is moved into the database.
  if (done) static_cast<void>(run("PRAGMA wal_checkpoint(TRUNCATE)"));
  return done;
}

Result<Epoch> Journal::reserved_epoch() {
  Statement select(database_, "SELECT value FROM meta WHERE key = 'epoch'");
  const int step = select.step();
  if (step == SQLITE_DONE) return Epoch(0);
  if (step != SQLITE_ROW) return failure();
  return Epoch(select.column_number(0));
}

Result<void> Journal::reserve_epoch(Epoch epoch) {
  Statement insert(database_, "INSERT OR REPLACE INTO meta VALUES ('epoch', ?)");
  if (insert.number(epoch.value).step() != SQLITE_DONE) return failure();
  return {};
}

}  // namespace hawser::control
