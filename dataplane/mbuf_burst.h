// Between mbufs and pipeline packets: nothing is copied, the packet points into the mbuf.
#pragma once

#include <rte_ether.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "hawser/base/strong.h"
#include "hawser/pipeline/packet.h"

namespace hawser::dataplane {

// What the port says about a checksum; a missing flag says nothing, whatever the port can do.
[[nodiscard]] inline pipeline::ChecksumSeen checksum_seen(std::uint64_t flags, std::uint64_t mask,
                                                          std::uint64_t good,
                                                          std::uint64_t bad) noexcept {
  if ((flags & mask) == good) return pipeline::ChecksumSeen::kGood;
  if ((flags & mask) == bad) return pipeline::ChecksumSeen::kBad;
  return pipeline::ChecksumSeen::kUnknown;
}

static_assert(RTE_PKTMBUF_HEADROOM >= limits::kHeadroom);

// The driver may have taken a VLAN tag out of the frame; the pipeline reads it there. False when it
// does not fit back in: such a frame is lost.
[[nodiscard]] inline bool restore_vlan_tag(rte_mbuf*& mbuf) noexcept {
  constexpr std::uint64_t kStripped = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
  if ((mbuf->ol_flags & kStripped) != kStripped) [[likely]]
    return true;
  mbuf->ol_flags &= ~kStripped;
  return rte_vlan_insert(&mbuf) == 0;
}

// A packet as the pipeline wants to see it, that came in through `port_in`.
[[nodiscard]] inline pipeline::Packet packet_of(rte_mbuf* mbuf, PortId port_in) noexcept {
  constexpr std::uint32_t kMost = std::numeric_limits<std::uint16_t>::max();
  pipeline::Packet packet;
  packet.data = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
  packet.handle = mbuf;
  // What is longer than that is dropped as too long anyway.
  packet.length = static_cast<std::uint16_t>(std::min(rte_pktmbuf_pkt_len(mbuf), kMost));
  packet.contiguous = rte_pktmbuf_data_len(mbuf);
  // An answer may grow into the rest of the buffer, but not over the link to a next one.
  const unsigned tail = mbuf->nb_segs == 1 ? rte_pktmbuf_tailroom(mbuf) : 0U;
  packet.capacity = static_cast<std::uint16_t>(packet.contiguous + tail);
  packet.port_in = port_in;
  packet.ip_checksum = checksum_seen(mbuf->ol_flags, RTE_MBUF_F_RX_IP_CKSUM_MASK,
                                     RTE_MBUF_F_RX_IP_CKSUM_GOOD, RTE_MBUF_F_RX_IP_CKSUM_BAD);
  packet.transport_checksum =
      checksum_seen(mbuf->ol_flags, RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD,
                    RTE_MBUF_F_RX_L4_CKSUM_BAD);
  return packet;
}

// An empty buffer that the pipeline may make a packet in.
[[nodiscard]] inline pipeline::Packet spare_of(rte_mbuf* mbuf) noexcept {
  pipeline::Packet packet;
  packet.data = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
  packet.handle = mbuf;
  packet.capacity = rte_pktmbuf_tailroom(mbuf);
  return packet;
}

// Cuts the tail of a frame off, whole segments first. `length` is at most what it has.
inline void shorten(rte_mbuf* mbuf, std::uint32_t length) noexcept {
  rte_mbuf* segment = mbuf;
  std::uint32_t left = length;
  while (segment->next != nullptr && left > segment->data_len) {
    left -= segment->data_len;
    segment = segment->next;
  }
  segment->data_len = static_cast<std::uint16_t>(left);
  std::uint16_t cut = 0;
  for (rte_mbuf* next = segment->next; next != nullptr; ++cut) {
    rte_mbuf* after = next->next;
    rte_pktmbuf_free_seg(next);
    next = after;
  }
  segment->next = nullptr;
  mbuf->nb_segs = static_cast<std::uint16_t>(mbuf->nb_segs - cut);
  mbuf->pkt_len = length;
}

// The mbuf of a packet that has its verdict, with the length the pipeline gave it, ready to send.
[[nodiscard]] inline rte_mbuf* finish(const pipeline::Packet& packet) noexcept {
  auto* mbuf = static_cast<rte_mbuf*>(packet.handle);
  // Headers were added in front, or taken away.
  const std::ptrdiff_t grown = rte_pktmbuf_mtod(mbuf, std::uint8_t*) - packet.data;
  mbuf->data_off = static_cast<std::uint16_t>(mbuf->data_off - grown);
  mbuf->data_len = static_cast<std::uint16_t>(mbuf->data_len + grown);
  mbuf->pkt_len = static_cast<std::uint32_t>(mbuf->pkt_len + grown);
  if (packet.length < mbuf->pkt_len) {
    shorten(mbuf, packet.length);
  } else if (packet.length > mbuf->pkt_len) {
    mbuf->data_len = static_cast<std::uint16_t>(packet.length);
    mbuf->pkt_len = packet.length;
  }
  // Flags of reception are none of the transmitter's business.
  mbuf->ol_flags = 0;
  return mbuf;
}

}  // namespace hawser::dataplane
