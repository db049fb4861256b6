// Creates the packet buffers.
#include "dataplane/pools.h"

#include <rte_errno.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <set>
#include <string>

#include "hawser/base/limits.h"

namespace hawser::dataplane {

Result<Pools> Pools::create(std::span<const int> sockets, std::size_t count,
                            std::size_t data_room) {
  Pools pools;
  for (const int socket : std::set<int>(sockets.begin(), sockets.end())) {
    const auto users = static_cast<std::size_t>(std::count(sockets.begin(), sockets.end(), socket));
    const auto share = static_cast<unsigned>(count * users / sockets.size());
    rte_mempool* pool = rte_pktmbuf_pool_create(("mbufs_" + std::to_string(socket + 1)).c_str(),
                                                share, limits::kMbufCache, 0,
                                                static_cast<std::uint16_t>(data_room), socket);
    if (pool == nullptr) {
      return fail("no memory for " + std::to_string(share) +
                  " packet buffers: " + rte_strerror(rte_errno) +
                  "; reserve more huge pages, or lower `mbufs` or the descriptors in [dataplane]");
    }
    pools.pools_.emplace(socket, pool);
  }
  return pools;
}

void Pools::Deleter::operator()(rte_mempool* pool) const noexcept {
  rte_mempool_free(pool);
}

}  // namespace hawser::dataplane
