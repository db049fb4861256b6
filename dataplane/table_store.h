// TableStore: the tables of services on disk, so that a restart goes on from them.
//
// A table depends on its past: it was changed with the fewest moves each time. A dataplane that is
// started again and builds it from nothing would send flows in the middle to other backends. So
// what cannot be built again from the snapshot alone is kept beside the socket, a file for each
// service, replaced whole. It is no more than a hint: without it, or with a damaged one, tables are
// built as the first time. Files are written after the snapshot is in force, one at a time between
// other work; a process that dies before has the table from before the last change on disk, from
// which the same change leads to the same table. Threading: main core only.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "hawser/base/result.h"
#include "hawser/pipeline/snapshot_builder.h"

namespace hawser::dataplane {

class TableStore {
 public:
  // `directory` is made when something is to be kept.
  explicit TableStore(std::string directory) : directory_(std::move(directory)) {}

  // What was kept; files that cannot be read or make no sense are skipped with a warning.
  [[nodiscard]] std::vector<pipeline::KnownTable> load();

  // These are to be kept as they are now, and those without a table not any more.
  void keep(std::vector<pipeline::KnownTable> changed);
  // Forgets what was loaded, but for these.
  void forget_all_but(const std::vector<pipeline::KnownTable>& wanted);
  // Writes or removes one file of what is to be done; false when nothing is. A failure is logged
  // once: forwarding does not depend on it.
  bool work();

 private:
  [[nodiscard]] Result<void> write(const std::string& name, const pipeline::KnownTable& table);

  std::string directory_;
  std::set<std::string> on_disk_;                      // file names
  std::map<std::string, pipeline::KnownTable> to_do_;  // by file name
  bool complained_ = false;
};

}  // namespace hawser::dataplane
