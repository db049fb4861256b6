// Makes PROXY header segments; grows and shrinks segments.
#include "proxy_segment.h"

#include <algorithm>
#include <cstring>

#include "hawser/l4/proxy_header.h"
#include "hawser/l4/tcp_options.h"
#include "link.h"

namespace hawser::pipeline {
namespace {

using table::Opening;

constexpr std::uint8_t kOwnTtl = 64;

// NOP, NOP, timestamps: as every stack sends them (RFC 7323 appendix A).
struct TimestampsOption {
  std::uint8_t padding[2] = {l4::kTcpOptionNop, l4::kTcpOptionNop};
  std::uint8_t kind = l4::kTcpOptionTimestamps;
  std::uint8_t length = 10;
  net::Big32 value;
  net::Big32 echo;
};
static_assert(sizeof(TimestampsOption) == 12);

// --- lengths in the IP header --------------------------------------------------------------------

void change_length(net::Ipv4Header& ip, int by) noexcept {
  net::ChecksumDelta delta;
  const net::Big16 changed(static_cast<std::uint16_t>(ip.total_length.host() + by));
  delta.change(ip.total_length, changed);
  ip.total_length = changed;
  ip.checksum = delta.apply(ip.checksum);
}
void change_length(net::Ipv6Header& ip, int by) noexcept {
  ip.payload_length = net::Big16(static_cast<std::uint16_t>(ip.payload_length.host() + by));
}

template <typename Header>
void change_ip_length(Packet& packet, int by) noexcept {
  auto ip = load<Header>(packet.data + packet.l3_offset);
  change_length(ip, by);
  store(packet.data + packet.l3_offset, ip);
}

// The IP header's length and the pseudo-header's.
void change_segment_length(Packet& packet, int by, net::ChecksumDelta& transport) noexcept {
  if (packet.family == net::Family::kIpv4) {
    change_ip_length<net::Ipv4Header>(packet, by);
  } else {
    change_ip_length<net::Ipv6Header>(packet, by);
  }
  const net::Big16 before(packet.l4_length);
  packet.l4_length = static_cast<std::uint16_t>(packet.l4_length + by);
  transport.change(before, net::Big16(packet.l4_length));
}

// --- the segment ---------------------------------------------------------------------------------

void write_ip(std::uint8_t* at, const net::IpAddress& source, const net::IpAddress& destination,
              std::size_t segment) noexcept {
  if (source.is_ipv4()) {
    net::Ipv4Header ip;
    ip.version_ihl = 0x45;
    ip.total_length = net::Big16(static_cast<std::uint16_t>(sizeof(ip) + segment));
    ip.flags_fragment = net::Big16(net::kIpv4DontFragment);
    ip.ttl = kOwnTtl;
    ip.protocol = net::kProtocolTcp;
    ip.source = source.v4();
    ip.destination = destination.v4();
    store(at, ip);
    ip.checksum = net::checksum({at, sizeof(ip)});
    store(at, ip);
    return;
  }
  net::Ipv6Header ip;
  ip.version_class_flow = net::Big32(6U << 28);
  ip.payload_length = net::Big16(static_cast<std::uint16_t>(segment));
  ip.next_header = net::kProtocolTcp;
  ip.hop_limit = kOwnTtl;
  ip.source = source.v6();
  ip.destination = destination.v6();
  store(at, ip);
}

// Header and options; how many bytes.
std::size_t write_tcp(std::uint8_t* at, const Opening& opening, net::Big16 backend_port) noexcept {
  const std::size_t header =
      sizeof(net::TcpHeader) + (opening.timestamps ? sizeof(TimestampsOption) : 0);
  net::TcpHeader tcp;
  tcp.source_port = net::Big16(opening.local.port);
  tcp.destination_port = backend_port;
  tcp.sequence = net::Big32((opening.client_isn - opening.header_bytes + 1).value);
  tcp.acknowledgement = net::Big32(opening.server_next.value);
  tcp.data_offset_reserved = static_cast<std::uint8_t>(header / 4 << 4U);
  tcp.flags = net::kTcpAck | net::kTcpPsh;
  tcp.window = net::Big16(static_cast<std::uint16_t>(
      std::max(opening.window >> opening.window_shift, opening.window == 0 ? 0 : 1)));
  store(at, tcp);
  if (opening.timestamps) {
    TimestampsOption option;
    option.value = net::Big32(opening.timestamp);
    option.echo = net::Big32(opening.timestamp_echo);
    store(at + sizeof(tcp), option);
  }
  return header;
}

net::IpAddress client_of(const table::NatRecord& record, net::Family family) noexcept {
  net::IpAddress client;
  client.bytes = record.client;
  client.family = family;
  return client;
}

void fill_segment(Packet& packet, const Opening& opening, const Context& context) noexcept {
  const Snapshot& snapshot = context.snapshot;
  const table::NatRecord& record = context.worker.nat.record(opening.local);
  const ServiceEntry& service = snapshot.services[record.service.value];
  const BackendEntry& backend = snapshot.backends[record.backend().value];
  const net::IpAddress& local = snapshot.nat_addresses[opening.local.address];
  packet.family = service.address.family;
  packet.protocol = net::kProtocolTcp;
  packet.l3_offset = sizeof(net::EthernetHeader);
  const std::size_t ip_header =
      packet.family == net::Family::kIpv4 ? sizeof(net::Ipv4Header) : sizeof(net::Ipv6Header);
  std::uint8_t* const ip = packet.data + packet.l3_offset;
  std::uint8_t* const tcp = ip + ip_header;
  const std::size_t header = write_tcp(tcp, opening, backend.port);
  const std::size_t payload =
      l4::write_proxy_header({tcp + header, opening.header_bytes}, client_of(record, packet.family),
                             record.client_port, service.address, service.port);
  const std::size_t segment = header + payload;
  write_ip(ip, local, backend.address, segment);
  const net::Big16 sum = net::checksum(
      {tcp, segment}, net::pseudo_header_sum(local, backend.address, net::kProtocolTcp,
                                             static_cast<std::uint32_t>(segment)));
  store(tcp + offsetof(net::TcpHeader, checksum), sum);
  packet.l4_offset = static_cast<std::uint16_t>(packet.l3_offset + ip_header);
  packet.l4_length = static_cast<std::uint16_t>(segment);
  packet.length = static_cast<std::uint16_t>(packet.l4_offset + segment);
  packet.contiguous = packet.length;
  packet.port_out = backend.port_out;
}

}  // namespace

void send_header(Opening& opening, Context& context) noexcept {
  const std::uint32_t delay = limits::kProxyHeaderMilliseconds
                              << std::min(opening.attempts, limits::kProxyHeaderAttempts);
  ++opening.attempts;
  context.worker.openings.arm(opening, context.now_ms + delay);
  const table::NatRecord& record = context.worker.nat.record(opening.local);
  const BackendEntry& backend = context.snapshot.backends[record.backend().value];
  const auto mac = context.neighbours.get(backend.next_hop);
  if (!mac || record.is_free()) return;
  Packet* packet = context.worker.outbox.make(Verdict::kForwardProxyHeader);
  if (packet == nullptr) return;
  fill_segment(*packet, opening, context);
  write_link(*packet, *mac, context.snapshot);
  stats::BackendCounters& counters = context.worker.backends[record.backend().value];
  counters.packets_in.add(1);
  counters.bytes_in.add(packet->length);
}

void insert_option(Packet& packet, std::span<const std::uint8_t> option,
                   net::ChecksumDelta& transport) noexcept {
  const std::size_t moved = packet.l4_offset + sizeof(net::TcpHeader);
  const auto by = static_cast<std::uint16_t>(option.size());
  std::memmove(packet.data - by, packet.data, moved);
  packet.data -= by;
  packet.length = static_cast<std::uint16_t>(packet.length + by);
  packet.contiguous = static_cast<std::uint16_t>(packet.contiguous + by);
  packet.capacity = static_cast<std::uint16_t>(packet.capacity + by);
  std::memcpy(packet.data + moved, option.data(), option.size());
  change_segment_length(packet, by, transport);
  auto tcp = load<net::TcpHeader>(packet.data + packet.l4_offset);
  const auto word = [&] {
    return net::Big16(static_cast<std::uint16_t>(tcp.data_offset_reserved << 8U | tcp.flags));
  };
  const net::Big16 before = word();
  tcp.data_offset_reserved = static_cast<std::uint8_t>(tcp.data_offset_reserved + (by / 4 << 4U));
  transport.change(before, word());
  store(packet.data + packet.l4_offset, tcp);
  transport.change(net::Big16(), net::Big16::from_raw(net::fold(net::sum_bytes(option))));
}

void shrink(Packet& packet, std::size_t bytes, net::ChecksumDelta& transport) noexcept {
  change_segment_length(packet, -static_cast<int>(bytes), transport);
  packet.length = static_cast<std::uint16_t>(packet.l4_offset + packet.l4_length);
  packet.contiguous = std::min(packet.contiguous, packet.length);
}

}  // namespace hawser::pipeline
