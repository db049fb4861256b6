// Asks workers for flows and collects their rows.
#include "dataplane/flow_desk.h"

#include <utility>

namespace hawser::dataplane {

bool FlowDesk::begin(FlowFilter filter) {
  drain();
  if (!has_ended()) return false;
  filter_ = std::move(filter);
  ended_.assign(workers_.size(), false);
  running_ = workers_.size();
  cancelled_ = false;
  for (const std::unique_ptr<Worker>& worker : workers_) worker->lister().ask(filter_);
  return true;
}

bool FlowDesk::take(WorkerRow& row) {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    const std::size_t w = (next_ + i) % workers_.size();
    if (ended_.empty() || ended_[w] || !workers_[w]->lister().take(row.flow)) continue;
    if (row.flow.last) {
      ended_[w] = true;
      --running_;
      continue;
    }
    row.worker = workers_[w]->id();
    next_ = w;
    return true;
  }
  return false;
}

void FlowDesk::cancel() {
  if (has_ended()) return;
  cancelled_ = true;
  for (const std::unique_ptr<Worker>& worker : workers_) worker->lister().cancel();
  drain();
}

void FlowDesk::drain() {
  if (!cancelled_) return;
  WorkerRow row;
  while (take(row)) {
  }
}

}  // namespace hawser::dataplane
