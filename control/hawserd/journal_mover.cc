// JournalMover: moves what the journal's write-ahead log has gathered into the database.
#include "journal_mover.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace hawser::control {
namespace {

constexpr std::chrono::milliseconds kPeriod{1000};

}  // namespace

Result<std::unique_ptr<JournalMover>> JournalMover::start(const std::string& path) {
  sqlite3* database = nullptr;
  int opened = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr);
  std::unique_ptr<JournalMover> mover(new JournalMover(database));
  // A connection that has read nothing yet does not know of the log, and would move nothing.
  if (opened == SQLITE_OK) {
    opened = sqlite3_exec(database, "PRAGMA schema_version", nullptr, nullptr, nullptr);
  }
  if (opened != SQLITE_OK) {
    return fail(fmt::format("the journal {} cannot be opened a second time: {}", path,
                            sqlite3_errmsg(database)));
  }
  // Passive: whoever writes meanwhile does not wait, and what is in use stays for the next time.
  mover->ticker_ = std::make_unique<Ticker>(kPeriod, [database] {
    sqlite3_wal_checkpoint_v2(database, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  });
  return mover;
}

JournalMover::~JournalMover() {
  ticker_.reset();
  sqlite3_close(database_);
}

}  // namespace hawser::control
