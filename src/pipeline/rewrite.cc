// Stage: makes the packet what leaves: addresses, ports, tunnels, MACs, checksums, or an answer.
#include "fit.h"
#include "fragments.h"
#include "hawser/l4/tcp_options.h"
#include "hawser/l4/toa.h"
#include "hawser/pipeline/pipeline.h"
#include "link.h"
#include "opening.h"
#include "quote_rewrite.h"
#include "reset.h"
#include "tunnel.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

// --- what both directions share ------------------------------------------------------------------

// Fragments behind nat get an identification of their own: their sources have become one.
void renumber(Packet& packet, Context& context) noexcept {
  const std::uint64_t key = fragment_key(packet, context.snapshot);
  const table::FragmentEntry* entry = context.worker.fragments.find(key, context.now_ms);
  if (entry == nullptr) return;  // we split it ourselves, and numbered it then
  if (packet.family == net::Family::kIpv4) {
    auto ip = load<net::Ipv4Header>(packet.data + packet.l3_offset);
    const net::Big16 id(static_cast<std::uint16_t>(entry->identification));
    net::ChecksumDelta delta;
    delta.change(ip.identification, id);
    ip.identification = id;
    ip.checksum = delta.apply(ip.checksum);
    store(packet.data + packet.l3_offset, ip);
    return;
  }
  std::uint8_t* const at = packet.data + fragment_header_offset(packet);
  auto fragment = load<net::Ipv6FragmentHeader>(at);
  fragment.identification = net::Big32(entry->identification);
  store(at, fragment);
}

// Addresses, ports, checksums; false when the TTL is used up.
template <typename Traits>
bool translate_any(Packet& packet, const Translation<typename Traits::Address>& to,
                   Context& context) noexcept {
  if (packet.part == Part::kWhole) [[likely]]
    return translate<Traits>(packet, to);
  if (packet.part == Part::kQuoted) return translate_quote<Traits>(packet, to);
  renumber(packet, context);
  return translate<Traits>(packet, to);
}

// Neither side may send segments that do not fit the smaller of the two ways (`path`: bytes of an
// IP packet).
void clamp(Packet& packet, std::size_t path) noexcept {
  if (packet.protocol != net::kProtocolTcp || packet.part != Part::kWhole) return;
  const auto tcp = load<net::TcpHeader>(packet.data + packet.l4_offset);
  if (packet.contiguous < packet.l4_offset + tcp.header_length()) return;
  const std::size_t headers =
      sizeof(net::TcpHeader) +
      (packet.family == net::Family::kIpv4 ? sizeof(net::Ipv4Header) : sizeof(net::Ipv6Header));
  net::ChecksumDelta delta;
  if (l4::clamp_mss({packet.data + packet.l4_offset, tcp.header_length()},
                    static_cast<std::uint16_t>(path - headers), delta)) {
    update_transport_checksum(packet, delta);
  }
}

bool is_syn(const Packet& packet) noexcept {
  return (packet.tcp_flags & net::kTcpSyn) != 0;
}

std::size_t mtu_of(PortId port, const Snapshot& snapshot) noexcept {
  return snapshot.ports[port.value].mtu;
}

// The packet is dropped, and what was cut off it shares its fate.
Verdict dropped(const Fitted& fitted, Verdict verdict) noexcept {
  if (fitted.rest != nullptr) fitted.rest->verdict = verdict;
  return verdict;
}

// --- where clients are ---------------------------------------------------------------------------

// Leaves to the client of the flow.
void leave_to_client(Packet& packet, const table::NatRecord& record, Context& context) noexcept {
  packet.port_out = record.client_port_id();
  write_link(packet, mac_towards_client(record, packet.family, context), context.snapshot);
  stats::BackendCounters& counters = context.worker.backends[packet.backend.value];
  counters.packets_out.add(1);
  counters.bytes_out.add(packet.length);
}

// --- client to backend ---------------------------------------------------------------------------

template <typename Traits>
bool translate_to_backend(Packet& packet, const BackendEntry& backend, Context& context) noexcept {
  using Address = typename Traits::Address;
  const net::IpAddress& local = context.snapshot.nat_addresses[packet.nat_address];
  return translate_any<Traits>(packet,
                               {.source = load<Address>(local.bytes.data()),
                                .source_port = net::Big16(packet.nat_port),
                                .destination = load<Address>(backend.address.bytes.data()),
                                .destination_port = backend.port},
                               context);
}

// Bytes that a packet to the backend may have: the port's MTU, for a tunnel also what the routers
// on its way let through, less what is put in front.
std::size_t room_towards(const Packet& packet, const ServiceEntry& service,
                         const BackendEntry& backend, const Context& context) noexcept {
  const std::size_t mtu = mtu_of(backend.port_out, context.snapshot);
  if (backend.path == PathId()) return mtu;
  const std::size_t path = context.worker.paths->get(backend.path, context.now_ms);
  const std::size_t room = std::min(mtu, path) - tunnel_overhead(service, backend);
  // IPv6 senders heed nothing less; routers then fragment the outer packet, where they may (RFC
  // 4213 section 3.2.2).
  return packet.family == net::Family::kIpv6 ? std::max<std::size_t>(room, limits::kMinMtu) : room;
}

// What the service's way of forwarding does to the packet; false when the TTL is used up.
bool transform(Packet& packet, const ServiceEntry& service, const BackendEntry& backend,
               std::size_t room, Context& context) noexcept {
  switch (service.forward) {
    case model::Forward::kNat:
      if (introduces(service)) introduce_to_backend(packet, service, room, context);
      return packet.family == net::Family::kIpv4
                 ? translate_to_backend<Ipv4Traits>(packet, backend, context)
                 : translate_to_backend<Ipv6Traits>(packet, backend, context);
    case model::Forward::kDsrL2:
    case model::Forward::kSplice:  // done by its own stage
      return true;
    case model::Forward::kDsrIpip:
    case model::Forward::kDsrGue:
      return encapsulate(packet, service, backend, context);
  }
  return true;
}

Verdict forward_verdict(model::Forward forward) noexcept {
  constexpr std::array<Verdict, 5> kByForward{kForwardNat, kForwardDsrL2, kForwardDsrIpip,
                                              kForwardDsrGue, kForwardSplice};
  return kByForward[static_cast<std::size_t>(forward)];
}

Verdict to_backend(Packet& packet, Context& context) noexcept {
  const Snapshot& snapshot = context.snapshot;
  const ServiceEntry& service = snapshot.services[packet.service.value];
  const BackendEntry& backend = snapshot.backends[packet.backend.value];
  if (is_syn(packet) && introduces(service)) {
    const Verdict again = answer_again(packet, service, context);
    if (again == kReturnNat) {
      leave_to_client(packet, context.worker.nat.record({packet.nat_address, packet.nat_port}),
                      context);
    }
    if (again != kUndecided) return again;
  }
  const std::uint64_t mac = context.neighbours.word(backend.next_hop);
  if (mac == 0) return kNextHopUnresolved;
  const std::size_t room = room_towards(packet, service, backend, context);
  Fitted fitted;
  if (l3_length(packet) > room) [[unlikely]] {
    fitted = fit(packet, room, context);
    if (fitted.verdict != kUndecided) return fitted.verdict;
  }
  if (!can_encapsulate(packet, service, backend)) return kTooBig;
  if (is_syn(packet)) clamp(packet, std::min(room, mtu_of(packet.port_in, snapshot)));
  const Verdict verdict =
      packet.part == Part::kQuoted ? kForwardIcmp : forward_verdict(service.forward);
  if (!transform(packet, service, backend, room, context)) return dropped(fitted, kTtlExpired);
  packet.port_out = backend.port_out;
  write_link(packet, mac, snapshot);
  stats::BackendCounters& counters = context.worker.backends[packet.backend.value];
  counters.packets_in.add(1);
  counters.bytes_in.add(packet.length);
  if (fitted.rest != nullptr) {
    const Verdict rest = to_backend(*fitted.rest, context);
    fitted.rest->verdict = kind_of(rest) == VerdictKind::kForward ? kForwardFragment : rest;
  }
  return verdict;
}

// --- backend to client ---------------------------------------------------------------------------

template <typename Traits>
bool translate_to_client(Packet& packet, const table::NatRecord& record,
                         const ServiceEntry& service, Context& context) noexcept {
  using Address = typename Traits::Address;
  return translate_any<Traits>(packet,
                               {.source = load<Address>(service.address.bytes.data()),
                                .source_port = service.port,
                                .destination = load<Address>(record.client.data()),
                                .destination_port = record.client_port},
                               context);
}

Verdict to_client(Packet& packet, Context& context) noexcept {
  const Snapshot& snapshot = context.snapshot;
  const table::NatRecord& record = context.worker.nat.record({packet.nat_address, packet.nat_port});
  // A SYN later in this burst may have ended the flow meanwhile; its port rests (limits.h).
  if (record.service != packet.service) return kNoFlow;
  const ServiceEntry& service = snapshot.services[record.service.value];
  const std::size_t room = mtu_of(record.client_port_id(), snapshot);
  Fitted fitted;
  if (l3_length(packet) > room) [[unlikely]] {
    fitted = fit(packet, room, context);
    if (fitted.verdict != kUndecided) return fitted.verdict;
  }
  if (is_syn(packet)) {
    // The client's first segments will carry a TOA option.
    const bool toa = service.client_address == model::ClientAddress::kToa;
    const std::size_t option = toa ? l4::toa_length(packet.family) : 0;
    clamp(packet, std::min(room, mtu_of(packet.port_in, snapshot) - option));
  }
  if (introduces(service)) {
    const Verdict heard = hear_backend(packet, context);
    if (heard != kUndecided) return dropped(fitted, heard);
  }
  const bool translated = packet.family == net::Family::kIpv4
                              ? translate_to_client<Ipv4Traits>(packet, record, service, context)
                              : translate_to_client<Ipv6Traits>(packet, record, service, context);
  if (!translated) return dropped(fitted, kTtlExpired);
  leave_to_client(packet, record, context);
  if (fitted.rest != nullptr) {
    const Verdict rest = to_client(*fitted.rest, context);
    fitted.rest->verdict = kind_of(rest) == VerdictKind::kForward ? kForwardFragment : rest;
  }
  return packet.part == Part::kQuoted ? kReturnIcmp : kReturnNat;
}

}  // namespace

void rewrite(Burst& burst, Context& context) noexcept {
  for (Packet& packet : burst.span()) {
    if (packet.verdict == kReplyReset) become_reset(packet);
    if (!packet.undecided()) continue;
    packet.verdict = packet.direction == Direction::kToClient ? to_client(packet, context)
                                                              : to_backend(packet, context);
  }
}

}  // namespace hawser::pipeline
