// WorkerMemory: the tables of one worker, sized once for the life of the process.
#pragma once

#include <cstdint>

#include "dataplane/mapping.h"
#include "hawser/base/result.h"
#include "hawser/base/strong.h"
#include "hawser/model/configuration.h"
#include "hawser/pipeline/worker_state.h"

namespace hawser::dataplane {

class WorkerMemory {
 public:
  // Room for the configured flows, for every local port of `nat_addresses` that is one of
  // `workers`' share, and for the counters of every possible backend.
  [[nodiscard]] static Result<WorkerMemory> create(const model::Dataplane& dataplane,
                                                   std::size_t nat_addresses);

  // An empty state in this memory, which must outlive it.
  [[nodiscard]] pipeline::WorkerState state(WorkerId id) const;

  // Takes all pages of the tables now. From the worker's own core, so that they lie near it.
  void touch() noexcept;

  [[nodiscard]] bool in_huge_pages() const noexcept { return ipv4_.in_huge_pages(); }

 private:
  std::size_t ipv4_buckets_ = 0;
  std::size_t ipv6_buckets_ = 0;
  std::size_t nat_addresses_ = 0;
  std::uint16_t workers_ = 0;
  Mapping ipv4_;
  Mapping ipv6_;
  Mapping nat_;
  std::size_t spliced_ = 0;
  Mapping counters_;
  Mapping times_;
  Mapping sessions_;
  Mapping connections_;
  Mapping exchanges_;
  Mapping heads_;
  Mapping texts_;
};

}  // namespace hawser::dataplane
