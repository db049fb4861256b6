// Carries frames between the punt ring, the TAPs and the inject ring.
#include "dataplane/exception.h"

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>

#include "hawser/base/limits.h"

namespace hawser::dataplane {

ExceptionPath::ExceptionPath(std::vector<Link> links, Rings& rings, rte_mempool* pool,
                             Observer observer)
    : links_(std::move(links)), rings_(rings), pool_(pool), observer_(std::move(observer)) {}

unsigned ExceptionPath::punt() {
  std::array<rte_mbuf*, limits::kPuntBurst> mbufs{};
  const unsigned count = rings_.punt.take(mbufs);
  for (unsigned i = 0; i < count; ++i) {
    to_kernel(*mbufs[i]);
    rte_pktmbuf_free(mbufs[i]);
  }
  return count;
}

namespace {

// The kernel's side of a VLAN's port is that VLAN alone: frames without tag.
void take_tag_out(rte_mbuf& mbuf) {
  auto* begin = rte_pktmbuf_mtod(&mbuf, std::uint8_t*);
  if (mbuf.data_len < sizeof(rte_ether_hdr) + sizeof(rte_vlan_hdr)) return;
  if (reinterpret_cast<const rte_ether_hdr*>(begin)->ether_type !=
      rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN)) {
    return;
  }
  std::memmove(begin + sizeof(rte_vlan_hdr), begin, 2UL * RTE_ETHER_ADDR_LEN);
  rte_pktmbuf_adj(&mbuf, sizeof(rte_vlan_hdr));
}

}  // namespace

void ExceptionPath::to_kernel(rte_mbuf& mbuf) {
  if (mbuf.port < links_.size() && links_[mbuf.port].vlan != 0) take_tag_out(mbuf);
  const std::uint32_t length = rte_pktmbuf_pkt_len(&mbuf);
  if (length > scratch_.size() || mbuf.port >= links_.size()) {
    ++totals_.kernel_refused;
    return;
  }
  const void* whole = rte_pktmbuf_read(&mbuf, 0, length, scratch_.data());
  const std::span<const std::uint8_t> frame(static_cast<const std::uint8_t*>(whole), length);
  const PortId port(mbuf.port);
  observer_(port, frame);
  if (links_[port.value].tap.write(frame)) {
    ++totals_.to_kernel;
  } else {
    ++totals_.kernel_refused;
  }
}

unsigned ExceptionPath::read_tap(PortId port) {
  Link& link = links_[port.value];
  for (unsigned count = 0; count < limits::kTapBurst; ++count) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
    if (mbuf == nullptr) {
      // The kernel keeps its frames, or drops them itself when its queue is full.
      ++totals_.no_mbuf;
      return count;
    }
    auto* data = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
    const std::size_t length = link.tap.read({data, rte_pktmbuf_tailroom(mbuf)});
    if (length == 0) {
      rte_pktmbuf_free(mbuf);
      return count;
    }
    mbuf->data_len = static_cast<std::uint16_t>(length);
    mbuf->pkt_len = static_cast<std::uint32_t>(length);
    ++totals_.from_kernel;
    inject(mbuf, port);
  }
  return limits::kTapBurst;
}

void ExceptionPath::lose_tap(PortId port) {
  Tap& tap = links_[port.value].tap;
  spdlog::error(
      "the exception TAP {} was removed: the kernel is cut off from its port until "
      "hawser-dataplane is restarted",
      tap.name());
  tap.close();
}

void ExceptionPath::send(PortId port, std::span<const std::uint8_t> frame) {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
  if (mbuf == nullptr) {
    ++totals_.no_mbuf;
    return;
  }
  char* room = rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(frame.size()));
  std::memcpy(room, frame.data(), frame.size());
  inject(mbuf, port);
}

void ExceptionPath::inject(rte_mbuf* mbuf, PortId port) {
  mbuf->port = port.value;
  mbuf->vlan_tci = links_[port.value].vlan;
  const bool tagged = mbuf->vlan_tci == 0 || rte_vlan_insert(&mbuf) == 0;
  if (tagged && rings_.inject.put({&mbuf, 1}) == 1) return;
  ++totals_.inject_ring_full;
  rte_pktmbuf_free(mbuf);
}

}  // namespace hawser::dataplane
