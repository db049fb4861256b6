// Creates and empties the rings between cores.
#include "dataplane/rings.h"

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <array>
#include <string>
#include <utility>

#include "hawser/base/limits.h"

namespace hawser::dataplane {
namespace {

void** as_objects(std::span<rte_mbuf*> mbufs) {
  return reinterpret_cast<void**>(mbufs.data());
}

}  // namespace

Result<Ring> Ring::create(const std::string& name, unsigned size, Producers producers, int socket) {
  const unsigned flags =
      RING_F_EXACT_SZ | RING_F_SC_DEQ | (producers == Producers::kOne ? RING_F_SP_ENQ : 0U);
  rte_ring* ring = rte_ring_create(name.c_str(), size, socket, flags);
  if (ring == nullptr) {
    return fail("no memory for the ring " + name + ": " + rte_strerror(rte_errno));
  }
  return Ring(ring);
}

void Ring::Deleter::operator()(rte_ring* ring) const noexcept {
  std::array<void*, limits::kBurst> left{};
  while (const unsigned count = rte_ring_dequeue_burst(ring, left.data(), left.size(), nullptr)) {
    for (unsigned i = 0; i < count; ++i) rte_pktmbuf_free(static_cast<rte_mbuf*>(left[i]));
  }
  rte_ring_free(ring);
}

unsigned Ring::put(std::span<rte_mbuf*> mbufs) noexcept {
  return rte_ring_enqueue_burst(ring_.get(), as_objects(mbufs), static_cast<unsigned>(mbufs.size()),
                                nullptr);
}

unsigned Ring::take(std::span<rte_mbuf*> room) noexcept {
  return rte_ring_sc_dequeue_burst(ring_.get(), as_objects(room),
                                   static_cast<unsigned>(room.size()), nullptr);
}

bool Ring::is_empty() const noexcept {
  return rte_ring_empty(ring_.get()) != 0;
}

Result<Rings> Rings::create(std::span<const int> sockets) {
  std::vector<Ring> hand_off;
  for (std::size_t w = 0; w < sockets.size(); ++w) {
    Result<Ring> ring = Ring::create("hand_off_" + std::to_string(w), limits::kHandOffRing,
                                     Ring::Producers::kMany, sockets[w]);
    if (!ring) return ring.error();
    hand_off.push_back(*std::move(ring));
  }
  Result<Ring> punt = Ring::create("punt", limits::kPuntRing, Ring::Producers::kMany, -1);
  if (!punt) return punt.error();
  Result<Ring> inject =
      Ring::create("inject", limits::kInjectRing, Ring::Producers::kOne, sockets.front());
  if (!inject) return inject.error();
  return Rings{std::move(hand_off), *std::move(punt), *std::move(inject)};
}

}  // namespace hawser::dataplane
