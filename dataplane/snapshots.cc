// Builds, publishes and retires snapshots.
#include "dataplane/snapshots.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "dataplane/helpers.h"
#include "dataplane/worker_clock.h"

namespace hawser::dataplane {

Snapshots::Snapshots(std::vector<pipeline::PortSetup> ports, Shared& shared,
                     std::span<const std::unique_ptr<Worker>> workers, std::string directory)
    : builder_(std::move(ports), limits::kMaxBackends,
               static_cast<std::uint16_t>(std::max<std::size_t>(workers.size(), 1))),
      shared_(shared),
      workers_(workers),
      running_(builder_.empty()),
      store_(std::move(directory)) {
  for (const std::unique_ptr<Worker>& worker : workers_) cores_.push_back(worker->core());
  builder_.spread_by([this](std::size_t count, const std::function<void(std::size_t)>& work) {
    // Before the first snapshot workers have nothing to do, and all that is to be forwarded waits
    // for its tables. Later their cores are theirs.
    spread(applied_ == 0 ? std::span<const unsigned>(cores_) : std::span<const unsigned>(), count,
           work);
  });
  builder_.prime(store_.load());
  shared_.snapshot.store(running_.get(), std::memory_order_release);
}

Snapshots::~Snapshots() {
  while (store_.work()) {
  }
}

Result<Snapshots::Applied> Snapshots::apply(model::Desired desired,
                                            std::chrono::steady_clock::time_point begun) {
  auto built = builder_.build(
      desired, [this](BackendId id) { return live_flows(id); }, pipeline_milliseconds());
  if (!built) {
    ++refused_;
    return built.error();
  }
  for (const BackendId id : builder_.reused()) {
    for (const std::unique_ptr<Worker>& worker : workers_) worker->reset_counters(id);
  }
  const std::unique_ptr<const pipeline::Snapshot> old = std::exchange(running_, *std::move(built));
  shared_.snapshot.store(running_.get(), std::memory_order_release);
  shared_.readers.synchronise();
  desired_ = std::move(desired);
  ++applied_;
  store_.keep(builder_.take_changed_tables());
  if (applied_ == 1) store_.forget_all_but(builder_.grown_tables());
  const auto took = std::chrono::steady_clock::now() - begun;
  return Applied{running_->epoch, running_->slots_moved,
                 static_cast<std::uint64_t>(
                     std::chrono::duration_cast<std::chrono::microseconds>(took).count())};
}

Result<pipeline::Preview> Snapshots::preview(const model::Desired& candidate) const {
  return builder_.preview(candidate, [this](BackendId id) { return live_flows(id); });
}

std::uint64_t Snapshots::live_flows(BackendId backend) const noexcept {
  std::uint64_t total = 0;
  for (const std::unique_ptr<Worker>& worker : workers_) {
    total += worker->state().backends[backend.value].flows.read();
  }
  return total;
}

}  // namespace hawser::dataplane
