// Pools: the packet buffers of the process, near the cores that use them.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>

#include "hawser/base/result.h"

struct rte_mempool;

namespace hawser::dataplane {

class Pools {
 public:
  // `count` buffers in all, `data_room` bytes each, dealt to the NUMA nodes of `sockets` (one entry
  // a worker, -1: any).
  [[nodiscard]] static Result<Pools> create(std::span<const int> sockets, std::size_t count,
                                            std::size_t data_room);

  [[nodiscard]] rte_mempool* on(int socket) const noexcept { return pools_.at(socket).get(); }

 private:
  struct Deleter {
    void operator()(rte_mempool* pool) const noexcept;
  };
  std::map<int, std::unique_ptr<rte_mempool, Deleter>> pools_;  // by NUMA node
};

}  // namespace hawser::dataplane
