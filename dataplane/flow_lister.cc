// Walks a worker's flow tables for a listing.
#include "dataplane/flow_lister.h"

#include <algorithm>

#include "hawser/base/contract.h"

namespace hawser::dataplane {

void FlowLister::ask(const FlowFilter& filter) {
  cancelled_.store(false, std::memory_order_relaxed);
  HAWSER_REQUIRE(questions_.push(&filter));
}

void FlowLister::step(CoarseTime now) noexcept {
  if (filter_ == nullptr) {
    if (!questions_.pop(filter_)) return;
    bucket_ = 0;
  }
  const std::size_t ipv4 = worker_.ipv4.buckets();
  const std::size_t total = ipv4 + worker_.ipv6.buckets();
  if (cancelled_.load(std::memory_order_relaxed)) bucket_ = total;
  for (std::size_t i = 0; i < limits::kListingBuckets && bucket_ < total; ++i, ++bucket_) {
    // Room for a whole bucket, so that none is listed by halves.
    if (rows_.write_available() < pipeline::Ipv4Flows::kPerBucket) return;
    if (bucket_ < ipv4) {
      visit(worker_.ipv4, now);
    } else {
      visit(worker_.ipv6, now);
    }
  }
  if (bucket_ < total) return;
  FlowRow end;
  end.last = true;
  if (rows_.push(end)) filter_ = nullptr;
}

template <typename Flow>
void FlowLister::visit(table::FlowTable<Flow>& flows, CoarseTime now) noexcept {
  const std::size_t first = sizeof(Flow) == sizeof(table::Ipv4Flow) ? 0 : worker_.ipv4.buckets();
  flows.visit_bucket(bucket_ - first, [&](const Flow& flow) { add(flow, now); });
}

template <typename Flow>
void FlowLister::add(const Flow& flow, CoarseTime now) noexcept {
  std::uint16_t idle = now.since(flow.meta.seen());
  BackendId backend = flow.meta.backend();
  std::uint32_t nat = flow.meta.nat();
  if (flow.meta.state() == l4::FlowState::kSpliced) {
    const pipeline::Connection& spliced = worker_.splice.connections.at(nat);
    idle = now.since(spliced.seen);
    backend = spliced.backend;
    nat = spliced.local.packed();
  }
  FlowRow row{.client = net::IpAddress(flow.client),
              .client_port = flow.client_port,
              .service = flow.service,
              .backend = backend,
              .nat = nat,
              .idle_seconds = idle,
              .state = flow.meta.state(),
              .last = false};
  if (!wants(row)) return;
  if (nat != table::FlowMeta::kNoNat && flow.meta.state() != l4::FlowState::kSpliced) {
    // Replies touch only the record: the younger of both counts.
    row.idle_seconds =
        std::min(idle, now.since(worker_.nat.record(table::NatIndex::unpack(nat)).seen));
  }
  rows_.push(row);
}

bool FlowLister::wants(const FlowRow& row) const noexcept {
  if (filter_->service != ServiceId() && row.service != filter_->service) return false;
  const std::vector<bool>& backends = filter_->backends;
  const std::size_t backend = row.backend.value;
  if (!backends.empty() && (backend >= backends.size() || !backends[backend])) return false;
  return !filter_->clients || filter_->clients->contains(row.client);
}

}  // namespace hawser::dataplane
