// Stage: takes the common packet of a known flow through parse, classify and lookup in one step.
//
// Nearly every packet is whole, without options, a plain segment or datagram of a flow that is
// known and well. What the stages up to lookup would find out about it takes two short loops over
// the burst here: read, hash and prefetch; then match. They note the same as those stages would,
// and whatever is not entirely common is left to them as it came: no packet is judged here.
#include <bit>

#include "flows.h"
#include "hawser/net/checksum.h"
#include "hawser/pipeline/pipeline.h"
#include "headers.h"

namespace hawser::pipeline {
namespace {

// --- first loop: what the headers say ------------------------------------------------------------

// What a common packet says, read in words before anything is written.
template <typename Address>
struct Common {
  Address source;
  Address destination;
  std::uint32_t ports = 0;      // both, as they lie
  std::uint16_t l4_length = 0;  // transport header and payload, bytes
  std::uint8_t protocol = 0;
  std::uint8_t tcp_flags = 0;

  [[nodiscard]] net::Big16 source_port() const noexcept {
    return net::Big16::from_raw(static_cast<std::uint16_t>(ports));
  }
  [[nodiscard]] net::Big16 destination_port() const noexcept {
    return net::Big16::from_raw(static_cast<std::uint16_t>(ports >> 16));
  }
};

// The number in network order in the lowest bits of a word that was read from memory.
constexpr unsigned big16(std::uint64_t word) noexcept {
  return net::Big16::from_raw(static_cast<std::uint16_t>(word)).host();
}

// A plain segment of an open connection, or any datagram. False when it is anything else, or not
// sound: as tcp_fault and udp_fault in parse_transport.
template <typename Address>
bool read_transport(const std::uint8_t* at, std::size_t present, Common<Address>& common) noexcept {
  common.ports = load<std::uint32_t>(at);
  if (common.protocol == net::kProtocolTcp) [[likely]] {
    if (present < sizeof(net::TcpHeader)) return false;
    // Data offset and flags, side by side.
    const unsigned word = load<std::uint16_t>(at + offsetof(net::TcpHeader, data_offset_reserved));
    constexpr unsigned kTelling = net::kTcpSyn | net::kTcpFin | net::kTcpRst | net::kTcpAck;
    const unsigned header = (word & 0xf0U) >> 2;
    common.tcp_flags = static_cast<std::uint8_t>(word >> 8);
    return (word & kTelling << 8) == net::kTcpAck << 8 && header >= sizeof(net::TcpHeader) &&
           header <= common.l4_length;
  }
  const auto second = load<std::uint32_t>(at + 4);  // length and checksum
  const bool may_lack_checksum = sizeof(Address) == sizeof(net::Ipv4Address);
  return common.protocol == net::kProtocolUdp && big16(second) >= sizeof(net::UdpHeader) &&
         big16(second) <= common.l4_length && (may_lack_checksum || second >> 16 != 0);
}

bool read(const Packet& packet, const std::uint8_t* ip, std::size_t present,
          Common<net::Ipv4Address>& common) noexcept {
  constexpr std::uint32_t kPiece =
      std::uint32_t{net::Big16(net::kIpv4MoreFragments | net::kIpv4OffsetMask).raw()} << 16;
  const auto word = [&](std::size_t n) { return load<std::uint32_t>(ip + 4 * n); };
  const std::uint32_t first = word(0);   // version, length
  const std::uint32_t second = word(1);  // identification, fragment
  const std::uint32_t third = word(2);   // TTL, protocol, checksum
  const unsigned total = big16(first >> 16);
  const unsigned network = word(3) & 0xffU;  // of the source: RFC 1122 section 3.2.1.3, as in parse
  if ((first & 0xffU) != 0x45 || (second & kPiece) != 0) return false;
  if (total < sizeof(net::Ipv4Header) + sizeof(net::UdpHeader)) return false;
  if (total + sizeof(net::EthernetHeader) > packet.length) return false;
  if (network == 0 || network == 127 || network >= 0xe0) return false;
  if (packet.ip_checksum == ChecksumSeen::kUnknown) {
    const std::uint64_t sum = std::uint64_t{first} + second + third + word(3) + word(4);
    // All ones, which no header adds up to in any other way.
    if (sum % 0xffffU != 0) return false;
  }
  common.source = {net::Big32::from_raw(word(3))};
  common.destination = {net::Big32::from_raw(word(4))};
  common.protocol = static_cast<std::uint8_t>(third >> 8);
  common.l4_length = static_cast<std::uint16_t>(total - sizeof(net::Ipv4Header));
  return read_transport(ip + sizeof(net::Ipv4Header), present - sizeof(net::Ipv4Header), common);
}

bool read(const Packet& packet, const std::uint8_t* ip, std::size_t present,
          Common<net::Ipv6Address>& common) noexcept {
  if (present < sizeof(net::Ipv6Header) + sizeof(net::UdpHeader)) return false;
  const auto first = load<std::uint64_t>(ip);  // version to hop limit
  const unsigned payload = big16(first >> 32);
  common.source = load<net::Ipv6Address>(ip + offsetof(net::Ipv6Header, source));
  common.destination = load<net::Ipv6Address>(ip + offsetof(net::Ipv6Header, destination));
  // Unspecified, loopback, multicast, as in parse; of their prefixes all is left to it.
  const auto prefix = load<std::uint64_t>(common.source.bytes.data());
  if ((first & 0xf0U) != 0x60 || payload < sizeof(net::UdpHeader)) return false;
  if (payload + sizeof(net::Ipv6Header) + sizeof(net::EthernetHeader) > packet.length) return false;
  if (prefix == 0 || (prefix & 0xffU) == 0xff) return false;
  common.protocol = static_cast<std::uint8_t>(first >> 48);
  common.l4_length = static_cast<std::uint16_t>(payload);
  return read_transport(ip + sizeof(net::Ipv6Header), present - sizeof(net::Ipv6Header), common);
}

// What is known of the port that a packet came through; most of a burst came through one.
struct Port {
  PortId id;
  std::uint64_t own = 1;  // net::mac_word, in the upper bits; of a port with VLANs nobody's

  Port(PortId port, const Snapshot& snapshot) noexcept : id(port) {
    const PortEntry& entry = snapshot.ports[port.value];
    if (entry.vlans.empty()) own = net::mac_word(entry.mac) << 16;
  }
};

// --- where it belongs ----------------------------------------------------------------------------

const ServiceId* find_service(const Common<net::Ipv4Address>& common,
                              const Snapshot& snapshot) noexcept {
  return snapshot.ipv4_services.find({.address = common.destination,
                                      .port = common.destination_port(),
                                      .protocol = common.protocol});
}
const ServiceId* find_service(const Common<net::Ipv6Address>& common,
                              const Snapshot& snapshot) noexcept {
  return snapshot.ipv6_services.find({.address = common.destination,
                                      .port = common.destination_port(),
                                      .protocol = common.protocol});
}

std::uint64_t hash_of(const Common<net::Ipv4Address>& common, const Snapshot& snapshot) noexcept {
  return snapshot.flow_hash(hash::Ipv4Tuple{.source = common.source,
                                            .destination = common.destination,
                                            .source_port = common.source_port(),
                                            .destination_port = common.destination_port(),
                                            .protocol = common.protocol});
}
std::uint64_t hash_of(const Common<net::Ipv6Address>& common, const Snapshot& snapshot) noexcept {
  return snapshot.flow_hash(hash::Ipv6Tuple{.source = common.source,
                                            .destination = common.destination,
                                            .source_port = common.source_port(),
                                            .destination_port = common.destination_port(),
                                            .protocol = common.protocol});
}

Ipv4Flows& flows_of(WorkerState& worker, Ipv4Traits) noexcept {
  return worker.ipv4;
}
Ipv6Flows& flows_of(WorkerState& worker, Ipv6Traits) noexcept {
  return worker.ipv6;
}

// For a NAT address of which this worker owns the port?
template <typename Address>
bool is_reply(Packet& packet, const Common<Address>& common, Context& context) noexcept {
  const table::AddressEntry* entry =
      context.snapshot.addresses.find({net::IpAddress(common.destination)});
  if (entry == nullptr || entry->role != table::AddressRole::kNat) return false;
  const std::uint16_t port = common.destination_port().host();
  if (context.worker.nat.owner(port) != context.worker.id) return false;
  packet.direction = Direction::kToClient;
  packet.nat_address = entry->slot;
  packet.nat_port = port;
  packet.worker = context.worker.id;
  context.worker.nat.prefetch({entry->slot, port});
  return true;
}

template <typename Address>
bool is_to_service(Packet& packet, ServiceId id, const Common<Address>& common,
                   Context& context) noexcept {
  using Traits = std::conditional_t<sizeof(Address) == 4, Ipv4Traits, Ipv6Traits>;
  if (!context.snapshot.services[id.value].plain) return false;
  packet.hash = hash_of(common, context.snapshot);
  flows_of(context.worker, Traits()).prefetch(packet.hash);
  packet.direction = Direction::kToBackend;
  packet.service = id;
  return true;
}

template <typename Traits>
bool read_and_ask(Packet& packet, const std::uint8_t* ip, std::size_t present,
                  Context& context) noexcept {
  Common<typename Traits::Address> common;
  if (!read(packet, ip, present, common)) return false;
  const ServiceId* const service = find_service(common, context.snapshot);
  const bool ours = service != nullptr ? is_to_service(packet, *service, common, context)
                                       : is_reply(packet, common, context);
  if (!ours) return false;
  packet.family = Traits::kFamily;
  packet.layer3 = Layer3::kIp;
  packet.l3_offset = sizeof(net::EthernetHeader);
  packet.l4_offset = sizeof(net::EthernetHeader) + sizeof(typename Traits::Header);
  packet.l4_length = common.l4_length;
  packet.protocol = common.protocol;
  packet.tcp_flags = common.tcp_flags;
  packet.source_port = common.source_port();
  packet.destination_port = common.destination_port();
  return true;
}

// Whether it looks common. If so, everything is noted but the flow, whose cache line is asked for.
bool looks_common(Packet& packet, const Port& port, Context& context) noexcept {
  constexpr std::size_t kLink = sizeof(net::EthernetHeader);
  constexpr std::size_t kLeast = kLink + sizeof(net::Ipv4Header) + sizeof(net::UdpHeader);
  if (packet.contiguous < kLeast || packet.length > limits::kMaxFrame) return false;
  if (load<std::uint64_t>(packet.data) << 16 != port.own) return false;
  if (packet.ip_checksum == ChecksumSeen::kBad) return false;
  if (packet.transport_checksum == ChecksumSeen::kBad) return false;
  const auto type = load<net::Big16>(packet.data + offsetof(net::EthernetHeader, ether_type));
  const std::uint8_t* const ip = packet.data + kLink;
  const std::size_t present = packet.contiguous - kLink;
  if (type == net::kEtherTypeIpv4) return read_and_ask<Ipv4Traits>(packet, ip, present, context);
  return type == net::kEtherTypeIpv6 && read_and_ask<Ipv6Traits>(packet, ip, present, context);
}

// --- second loop: the flow -----------------------------------------------------------------------

// Of an open flow whose backend serves: as match_flow in lookup, which sees all other cases.
template <typename Traits, typename Table>
bool finds_flow(Packet& packet, Table& flows, const Context& context) noexcept {
  const ServiceEntry& service = context.snapshot.services[packet.service.value];
  auto* const flow = flows.find({.client = source_address<Traits>(packet),
                                 .client_port = packet.source_port,
                                 .service = packet.service},
                                packet.hash);
  if (flow == nullptr) return false;
  const table::FlowMeta meta = flow->meta;
  const l4::FlowState open =
      packet.protocol == net::kProtocolTcp ? l4::FlowState::kEstablished : l4::FlowState::kUdp;
  const std::uint16_t idle = context.now.since(meta.seen());
  if (meta.state() != open || idle > service.timeout[static_cast<std::size_t>(open)]) return false;
  const BackendEntry& backend = context.snapshot.backends[meta.backend().value];
  if (backend.admission != model::Admission::kServing) return false;
  if (idle != 0) flow->meta.touch(context.now, open);
  packet.backend = meta.backend();
  const auto local = table::NatIndex::unpack(meta.nat());
  packet.nat_address = local.address;
  packet.nat_port = local.port;
  return true;
}

template <typename Traits>
bool is_from(const Packet& packet, const BackendEntry& backend) noexcept {
  using Address = typename Traits::Address;
  return packet.source_port == backend.port && backend.address.family == Traits::kFamily &&
         source_address<Traits>(packet) == load<Address>(backend.address.bytes.data());
}

// Of the connection that the local port stands for: as match_reply in lookup.
template <typename Traits>
bool finds_record(Packet& packet, Context& context) noexcept {
  table::NatRecord& record = context.worker.nat.record({packet.nat_address, packet.nat_port});
  if (record.is_free() || record.is_spliced()) return false;
  const ServiceEntry& service = context.snapshot.services[record.service.value];
  const BackendEntry& backend = context.snapshot.backends[record.backend().value];
  if (service.table == nullptr || packet.protocol != service.protocol) return false;
  if (!is_from<Traits>(packet, backend)) return false;
  if (context.now.since(record.seen) != 0) record.seen = context.now;
  packet.service = record.service;
  packet.backend = record.backend();
  return true;
}

bool finds(Packet& packet, Context& context) noexcept {
  const bool ipv4 = packet.family == net::Family::kIpv4;
  if (packet.direction == Direction::kToClient) {
    return ipv4 ? finds_record<Ipv4Traits>(packet, context)
                : finds_record<Ipv6Traits>(packet, context);
  }
  return ipv4 ? finds_flow<Ipv4Traits>(packet, context.worker.ipv4, context)
              : finds_flow<Ipv6Traits>(packet, context.worker.ipv6, context);
}

}  // namespace

void recognise(Burst& burst, Context& context) noexcept {
  burst.known = 0;
  if (burst.again || burst.size == 0) return;
  Port port(burst.packets[0].port_in, context.snapshot);
  Burst::Mask candidates = 0;
  for (std::uint32_t i = 0; i < burst.size; ++i) {
    Packet& packet = burst.packets[i];
    if (packet.port_in != port.id) [[unlikely]]
      port = Port(packet.port_in, context.snapshot);
    candidates |= Burst::Mask{looks_common(packet, port, context)} << i;
  }
  Burst::Mask known = 0;
  for (; candidates != 0; candidates &= candidates - 1) {
    const int i = std::countr_zero(candidates);
    Packet& packet = burst.packets[static_cast<std::size_t>(i)];
    known |= Burst::Mask{finds(packet, context)} << i;
  }
  burst.known = known;
}

}  // namespace hawser::pipeline
