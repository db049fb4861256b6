// ExceptionPath: between ports and the kernel, for everything that is not balanced.
//
// One TAP stands for each port: what a port got and is not for a service goes in, what the kernel
// sends there goes out of the port. Also sends the resolver's frames. Threading: main core only.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "dataplane/frames.h"
#include "dataplane/rings.h"
#include "dataplane/tap.h"
#include "hawser/base/limits.h"
#include "hawser/base/strong.h"

struct rte_mempool;

namespace hawser::dataplane {

class ExceptionPath {
 public:
  struct Link {
    Tap tap;
    std::uint16_t vlan = 0;  // of the port it stands for; 0: untagged
  };
  struct Totals {
    std::uint64_t to_kernel = 0;
    std::uint64_t from_kernel = 0;
    std::uint64_t kernel_refused = 0;    // the TAP did not take a frame
    std::uint64_t inject_ring_full = 0;  // the first worker did not take frames in time
    std::uint64_t no_mbuf = 0;           // no packet buffer for a frame to send
  };
  // Told of each punted frame and the port it came in through.
  using Observer = std::function<void(PortId, std::span<const std::uint8_t>)>;

  // `links` by PortId. `rings` and `pool` must outlive this.
  ExceptionPath(std::vector<Link> links, Rings& rings, rte_mempool* pool, Observer observer);

  // Moves what waits, a bounded number of frames each way; how many.
  unsigned punt();
  unsigned read_tap(PortId port);
  // Somebody has removed the TAP of `port`; the others go on.
  void lose_tap(PortId port);
  // Sends a frame of our own out of `port`.
  void send(PortId port, std::span<const std::uint8_t> frame);

  [[nodiscard]] const std::vector<Link>& links() const noexcept { return links_; }
  [[nodiscard]] const Totals& totals() const noexcept { return totals_; }

 private:
  void to_kernel(rte_mbuf& mbuf);
  void inject(rte_mbuf* mbuf, PortId port);

  std::vector<Link> links_;
  Rings& rings_;
  rte_mempool* pool_;
  Observer observer_;
  std::array<std::uint8_t, limits::kMaxFrame> scratch_{};  // for a frame in several segments
  Totals totals_;
};

}  // namespace hawser::dataplane
