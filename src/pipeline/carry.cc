// Stage: rewrites the packets that recognise knew, where nothing is in their way.
//
// Such a packet is whole, begins with an untagged Ethernet header and an IP header without options,
// and opens nothing: where its headers lie is known before it is read. What does not fit the way,
// has no hop left, or needs more than addresses and headers, is left to rewrite as it came.
#include "hawser/pipeline/pipeline.h"
#include "link.h"
#include "nat_rewrite.h"
#include "opening.h"
#include "outer_header.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

constexpr std::size_t kLink = sizeof(net::EthernetHeader);

template <typename Traits>
constexpr net::Big16 kEtherType =
    Traits::kFamily == net::Family::kIpv4 ? net::kEtherTypeIpv4 : net::kEtherTypeIpv6;

// --- client to backend ---------------------------------------------------------------------------

// In another packet, as encapsulate does it. False when there is more to it.
template <typename Traits, typename Outer, std::size_t kUdp>
bool wrap(Packet& packet, const ServiceEntry& service, const BackendEntry& backend,
          const PortEntry& out, Context& context) noexcept {
  constexpr std::size_t kOverhead = sizeof(typename Outer::Header) + kUdp;
  const std::size_t length = sizeof(typename Traits::Header) + packet.l4_length;
  if (length + kOverhead > out.mtu) return false;
  if (context.worker.paths->get(backend.path, context.now_ms) != PathMtus::kUnknown) return false;
  std::uint8_t* const data = packet.data;
  std::uint8_t* const ip = data + kLink;
  net::ChecksumDelta delta;
  if (!take_hop<Traits>(ip, delta)) return false;
  update_header_checksum<Traits>(ip, delta);
  const Inner inner = describe<Traits>(ip, length);
  const std::uint8_t protocol = kUdp != 0 ? net::kProtocolUdp : inner.protocol;
  const net::IpAddress& source = *out.tunnel_source(Outer::kFamily);
  std::uint8_t* const at = ip - kOverhead;
  if constexpr (Outer::kFamily == net::Family::kIpv4) {
    write_outer_ipv4(at, source.v4(), backend.address.v4(), protocol, length + kUdp, inner,
                     context.worker);
    if (kUdp != 0) write_gue(at + sizeof(net::Ipv4Header), packet.hash, service.gue_port, length);
  } else {
    write_outer_ipv6(at, source, backend.address, protocol, length, inner, packet.hash);
  }
  // Without the padding that Ethernet may have added.
  const auto whole = static_cast<std::uint16_t>(kLink + length);
  packet.contiguous = static_cast<std::uint16_t>(std::min(packet.contiguous, whole) + kOverhead);
  packet.length = static_cast<std::uint16_t>(whole + kOverhead);
  packet.capacity = static_cast<std::uint16_t>(packet.capacity + kOverhead);
  packet.l4_offset = static_cast<std::uint16_t>(packet.l4_offset + kOverhead);
  packet.data = data - kOverhead;
  packet.family = Outer::kFamily;
  return true;
}

template <typename Traits>
bool translate_to(Packet& packet, const BackendEntry& backend, const PortEntry& out,
                  const Snapshot& snapshot) noexcept {
  using Address = typename Traits::Address;
  if (sizeof(typename Traits::Header) + packet.l4_length > out.mtu) return false;
  std::uint8_t* const ip = packet.data + kLink;
  const net::IpAddress& local = snapshot.nat_addresses[packet.nat_address];
  return translate<Traits>(ip, ip + sizeof(typename Traits::Header), packet.protocol,
                           {.source = load<Address>(local.bytes.data()),
                            .source_port = net::Big16(packet.nat_port),
                            .destination = load<Address>(backend.address.bytes.data()),
                            .destination_port = backend.port});
}

// The verdict; kUndecided when there is more to it.
template <typename Traits>
Verdict transform(Packet& packet, const ServiceEntry& service, const BackendEntry& backend,
                  const PortEntry& out, Context& context) noexcept {
  switch (service.forward) {
    case model::Forward::kNat:
      return translate_to<Traits>(packet, backend, out, context.snapshot) ? kForwardNat
                                                                          : kUndecided;
    case model::Forward::kDsrL2:
      return sizeof(typename Traits::Header) + packet.l4_length > out.mtu ? kUndecided
                                                                          : kForwardDsrL2;
    case model::Forward::kDsrIpip: {
      const bool wrapped =
          backend.address.is_ipv4()
              ? wrap<Traits, Ipv4Traits, 0>(packet, service, backend, out, context)
              : wrap<Traits, Ipv6Traits, 0>(packet, service, backend, out, context);
      return wrapped ? kForwardDsrIpip : kUndecided;
    }
    case model::Forward::kDsrGue: {
      // Over IPv6 its checksum covers the whole packet.
      constexpr std::size_t kUdp = sizeof(net::UdpHeader);
      const bool wrapped = backend.address.is_ipv4() &&
                           wrap<Traits, Ipv4Traits, kUdp>(packet, service, backend, out, context);
      return wrapped ? kForwardDsrGue : kUndecided;
    }
    case model::Forward::kSplice:
      break;
  }
  return kUndecided;
}

template <typename Traits>
void to_backend(Packet& packet, Context& context) noexcept {
  const Snapshot& snapshot = context.snapshot;
  const ServiceEntry& service = snapshot.services[packet.service.value];
  const BackendEntry& backend = snapshot.backends[packet.backend.value];
  const PortEntry& out = snapshot.ports[backend.port_out.value];
  const std::uint64_t mac = context.neighbours.word(backend.next_hop);
  if (mac == 0 || out.vlan != 0 || introduces(service)) return;
  const Verdict verdict = transform<Traits>(packet, service, backend, out, context);
  if (verdict == kUndecided) return;
  const bool ipv4 = packet.family == net::Family::kIpv4;
  net::write_ethernet(packet.data, mac, net::mac_word(out.mac),
                      ipv4 ? net::kEtherTypeIpv4 : net::kEtherTypeIpv6);
  packet.port_out = backend.port_out;
  packet.verdict = verdict;
  stats::BackendCounters& counters = context.worker.backends[packet.backend.value];
  counters.packets_in.add(1);
  counters.bytes_in.add(packet.length);
}

// --- backend to client ---------------------------------------------------------------------------

template <typename Traits>
void to_client(Packet& packet, Context& context) noexcept {
  using Address = typename Traits::Address;
  const table::NatRecord& record = context.worker.nat.record({packet.nat_address, packet.nat_port});
  // Another packet of this burst may have ended the flow meanwhile.
  if (record.service != packet.service) return;
  const ServiceEntry& service = context.snapshot.services[record.service.value];
  const PortId port = record.client_port_id();
  const PortEntry& out = context.snapshot.ports[port.value];
  if (out.vlan != 0 || introduces(service)) return;
  if (sizeof(typename Traits::Header) + packet.l4_length > out.mtu) return;
  std::uint8_t* const ip = packet.data + kLink;
  const bool alive = translate<Traits>(ip, ip + sizeof(typename Traits::Header), packet.protocol,
                                       {.source = load<Address>(service.address.bytes.data()),
                                        .source_port = service.port,
                                        .destination = load<Address>(record.client.data()),
                                        .destination_port = record.client_port});
  if (!alive) return;
  net::write_ethernet(packet.data, mac_towards_client(record, Traits::kFamily, context),
                      net::mac_word(out.mac), kEtherType<Traits>);
  packet.port_out = port;
  packet.verdict = kReturnNat;
  stats::BackendCounters& counters = context.worker.backends[packet.backend.value];
  counters.packets_out.add(1);
  counters.bytes_out.add(packet.length);
}

template <typename Traits>
void carry_one(Packet& packet, Context& context) noexcept {
  if (packet.direction == Direction::kToClient) {
    to_client<Traits>(packet, context);
  } else {
    to_backend<Traits>(packet, context);
  }
}

}  // namespace

void carry(Burst& burst, Context& context) noexcept {
  for (Packet& packet : burst.recognised()) {
    if (packet.family == net::Family::kIpv4) {
      carry_one<Ipv4Traits>(packet, context);
    } else {
      carry_one<Ipv6Traits>(packet, context);
    }
  }
}

}  // namespace hawser::pipeline
