// Makes PROXY header segments; grows and shrinks segments.
#include "proxy_segment.h"

#include <algorithm>
#include <cstring>

#include "hawser/l4/proxy_header.h"
#include "hawser/l4/tcp_options.h"
#include "link.h"
#include "own_packet.h"

namespace hawser::pipeline {
namespace {

using table::Opening;

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

net::IpAddress client_of(const table::NatRecord& record, net::Family family) noexcept {
  net::IpAddress client;
  client.bytes = record.client;
  client.family = family;
  return client;
}

OwnSegment header_of(const Opening& opening) noexcept {
  OwnSegment segment;
  segment.sequence = opening.client_isn - opening.header_bytes + 1;
  segment.acknowledgement = opening.server_next;
  segment.flags = net::kTcpAck | net::kTcpPsh;
  segment.window = static_cast<std::uint16_t>(
      std::max(opening.window >> opening.window_shift, opening.window == 0 ? 0 : 1));
  if (opening.timestamps) segment.timestamps = {opening.timestamp, opening.timestamp_echo};
  return segment;
}

void fill_segment(Packet& packet, const Opening& opening, const Context& context) noexcept {
  const Snapshot& snapshot = context.snapshot;
  const table::NatRecord& record = context.worker.nat.record(opening.local);
  const ServiceEntry& service = snapshot.services[record.service.value];
  const BackendEntry& backend = snapshot.backends[record.backend().value];
  const Ends ends{.source = snapshot.nat_addresses[opening.local.address],
                  .destination = backend.address,
                  .source_port = net::Big16(opening.local.port),
                  .destination_port = backend.port};
  const auto payload = begin_segment(packet, ends, header_of(opening), opening.header_bytes);
  static_cast<void>(l4::write_proxy_header(payload, client_of(record, ends.source.family),
                                           record.client_port, service.address, service.port));
  finish_segment(packet, ends);
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
