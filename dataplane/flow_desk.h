// FlowDesk: the main core's end of flow listings; one listing at a time asks all workers.
//
// Threading: main core only.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "dataplane/flow_lister.h"
#include "dataplane/worker.h"

namespace hawser::dataplane {

struct WorkerRow {
  WorkerId worker;
  FlowRow flow;
};

class FlowDesk {
 public:
  explicit FlowDesk(std::span<const std::unique_ptr<Worker>> workers) : workers_(workers) {}

  // Asks all workers; false while the listing before has not ended.
  [[nodiscard]] bool begin(FlowFilter filter);
  // The next row, from whichever worker has one.
  [[nodiscard]] bool take(WorkerRow& row);
  // Has every worker ended, and every row been taken?
  [[nodiscard]] bool has_ended() const noexcept { return running_ == 0; }
  // Nobody wants the rest. Call drain() until has_ended().
  void cancel();
  void drain();

 private:
  std::span<const std::unique_ptr<Worker>> workers_;
  FlowFilter filter_;
  std::vector<bool> ended_;  // by worker
  std::size_t running_ = 0;  // workers that have not ended
  std::size_t next_ = 0;     // whom to look at first, so that all get their turn
  bool cancelled_ = false;
};

}  // namespace hawser::dataplane
