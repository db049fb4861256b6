// JournalMover: moves what the journal's write-ahead log has gathered into the database.
//
// SQLite would do that within the commit that makes the log too long, and the operator of that
// change, and all behind him, would wait for hundreds of pages to reach the disk.
#pragma once

#include <memory>
#include <string>

#include "hawser/base/result.h"
#include "ticker.h"

struct sqlite3;

namespace hawser::control {

class JournalMover {
 public:
  // Over a connection of its own, every second, on a thread of its own. The journal at `path` must
  // have been opened, and must not move anything by itself.
  [[nodiscard]] static Result<std::unique_ptr<JournalMover>> start(const std::string& path);
  // Waits for the move under way.
  ~JournalMover();
  JournalMover(const JournalMover&) = delete;
  JournalMover& operator=(const JournalMover&) = delete;

 private:
  explicit JournalMover(sqlite3* database) : database_(database) {}

  sqlite3* database_;
  std::unique_ptr<Ticker> ticker_;
};

}  // namespace hawser::control
