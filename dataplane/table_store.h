// TableStore: the tables of services on disk, so that a restart goes on from them.
//
// A table depends on its past: it was changed with the fewest moves each time. A dataplane that is
// started again and builds it from nothing would send flows in the middle to other backends. So
// what cannot be built again from the snapshot alone is kept beside the socket, a file for each
// service, replaced whole. It is no more than a hint: without it, or with a damaged one, tables are
// built as the first time. Threading: main core only.
#pragma once

#include <map>
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
  [[nodiscard]] std::vector<pipeline::KnownTable> load() const;

  // Keeps the tables as they are now; writes only what has changed since the last call. A failure
  // is logged once: forwarding does not depend on it.
  void save(const std::vector<pipeline::KnownTable>& tables);

 private:
  [[nodiscard]] Result<void> write(const std::string& name, const pipeline::KnownTable& table);

  std::string directory_;
  std::map<std::string, std::shared_ptr<const table::Maglev>> kept_;  // by file name
  bool complained_ = false;
};

}  // namespace hawser::dataplane
