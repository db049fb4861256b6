// Rings: the bounded queues of packets between cores.
//
//   worker i --hand-off j--> worker j     a packet that came in on the wrong core
//   workers  --punt-------> main core     for the kernel and the resolver
//   main core --inject----> worker 0      frames of the kernel and the resolver
//
// An mbuf on the hand-off and punt rings carries in `port` where it came in, on the inject ring
// where it goes out: a PortId, since several ports may share a device. Threading: as drawn; every
// ring has one consumer.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hawser/base/result.h"
#include "hawser/base/strong.h"

struct rte_mbuf;
struct rte_ring;

namespace hawser::dataplane {

// A queue of mbufs with one consumer.
class Ring {
 public:
  enum class Producers : unsigned char { kOne, kMany };

  // `size`: packets. `socket`: the NUMA node of the consumer, or -1.
  [[nodiscard]] static Result<Ring> create(const std::string& name, unsigned size,
                                           Producers producers, int socket);

  // Takes as many as fit, from the front; the others stay the caller's.
  [[nodiscard]] unsigned put(std::span<rte_mbuf*> mbufs) noexcept;
  // Fills `room` from the front; how many.
  [[nodiscard]] unsigned take(std::span<rte_mbuf*> room) noexcept;
  [[nodiscard]] bool is_empty() const noexcept;

 private:
  struct Deleter {
    void operator()(rte_ring* ring) const noexcept;  // frees the packets left in it
  };
  explicit Ring(rte_ring* ring) noexcept : ring_(ring) {}
  std::unique_ptr<rte_ring, Deleter> ring_;
};

struct Rings {
  // `sockets`: the NUMA node of each worker's core, or -1.
  [[nodiscard]] static Result<Rings> create(std::span<const int> sockets);

  std::vector<Ring> hand_off;  // by the worker that takes
  Ring punt;
  Ring inject;
};

}  // namespace hawser::dataplane
