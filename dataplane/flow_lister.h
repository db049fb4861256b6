// FlowLister: a worker's part in a listing of flows, a few buckets at a time.
//
// The main core asks, the worker walks its tables between bursts and hands rows over a queue; when
// the queue is full it waits for the next turn. One listing at a time.
// Threading: ask, cancel and take are the main core's; step and is_active the worker's.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include <boost/lockfree/spsc_queue.hpp>

#include "hawser/base/limits.h"
#include "hawser/base/strong.h"
#include "hawser/net/address.h"
#include "hawser/pipeline/worker_state.h"

namespace hawser::dataplane {

// Which flows are wanted. Must stay until every worker asked has answered with its end.
struct FlowFilter {
  ServiceId service;                   // 0: all
  std::vector<bool> backends;          // by BackendId; empty: all, and connections without one
  std::optional<net::Prefix> clients;  // none: all
};

// One flow as a worker knows it, or the end of its listing.
struct FlowRow {
  net::IpAddress client;
  net::Big16 client_port;
  ServiceId service;
  BackendId backend;
  std::uint32_t nat = 0;  // FlowMeta::nat
  std::uint16_t idle_seconds = 0;
  l4::FlowState state = l4::FlowState::kFree;
  bool last = false;
};

class FlowLister {
 public:
  explicit FlowLister(pipeline::WorkerState& worker) noexcept : worker_(worker) {}

  // Begins a listing; the one before must have ended.
  void ask(const FlowFilter& filter);
  // The listing may end early; its end still comes.
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool take(FlowRow& row) { return rows_.pop(row); }

  // Walks on. Call once a turn of the loop.
  void step(CoarseTime now) noexcept;
  [[nodiscard]] bool is_active() const noexcept { return filter_ != nullptr; }

 private:
  [[nodiscard]] bool wants(const FlowRow& row) const noexcept;
  template <typename Flow>
  void visit(table::FlowTable<Flow>& flows, CoarseTime now) noexcept;
  template <typename Flow>
  void add(const Flow& flow, CoarseTime now) noexcept;

  pipeline::WorkerState& worker_;
  boost::lockfree::spsc_queue<const FlowFilter*, boost::lockfree::capacity<1>> questions_;
  boost::lockfree::spsc_queue<FlowRow, boost::lockfree::capacity<limits::kListingRows>> rows_;
  std::atomic<bool> cancelled_{false};
  // The worker's own.
  const FlowFilter* filter_ = nullptr;
  std::size_t bucket_ = 0;  // of both tables, IPv4 first
};

}  // namespace hawser::dataplane
