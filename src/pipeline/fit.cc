// Fragmentation-needed, packet-too-big, and cutting IPv4 packets in two.
#include "fit.h"

#include <algorithm>

#include "fragments.h"
#include "hawser/net/checksum.h"
#include "link.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

constexpr std::uint8_t kErrorTtl = 64;

// --- telling the sender --------------------------------------------------------------------------

net::Ipv4Header error_header(const net::Ipv4Header& about, std::size_t payload) noexcept {
  net::Ipv4Header ip;
  ip.version_ihl = 0x45;
  ip.total_length = net::Big16(static_cast<std::uint16_t>(sizeof(ip) + payload));
  ip.flags_fragment = net::Big16(net::kIpv4DontFragment);
  ip.ttl = kErrorTtl;
  ip.protocol = net::kProtocolIcmp;
  ip.source = about.destination;
  ip.destination = about.source;
  std::array<std::uint8_t, sizeof(ip)> bytes{};
  store(bytes.data(), ip);
  ip.checksum = net::checksum(bytes);
  return ip;
}

net::Ipv6Header error_header(const net::Ipv6Header& about, std::size_t payload) noexcept {
  net::Ipv6Header ip;
  ip.version_class_flow = net::Big32(6U << 28);
  ip.payload_length = net::Big16(static_cast<std::uint16_t>(payload));
  ip.next_header = net::kProtocolIcmpv6;
  ip.hop_limit = kErrorTtl;
  ip.source = about.destination;
  ip.destination = about.source;
  return ip;
}

net::IcmpHeader error_message(net::Family family, std::size_t room) noexcept {
  net::IcmpHeader icmp;
  const bool version4 = family == net::Family::kIpv4;
  icmp.type = version4 ? net::kIcmpUnreachable : net::kIcmpv6PacketTooBig;
  icmp.code = version4 ? net::kIcmpFragmentationNeeded : 0;
  icmp.rest = net::Big32(static_cast<std::uint32_t>(room));
  return icmp;
}

// In place: the beginning of the packet stays where it is and is quoted.
template <typename Traits>
void become_error(Packet& packet, std::size_t room, const Snapshot& snapshot) noexcept {
  using Header = typename Traits::Header;
  constexpr bool kVersion4 = Traits::kFamily == net::Family::kIpv4;
  constexpr std::size_t kMost = kVersion4 ? limits::kIcmpv4ErrorBytes : limits::kIcmpv6ErrorBytes;
  constexpr std::size_t kHeaders = sizeof(Header) + sizeof(net::IcmpHeader);
  const net::MacAddress sender = load<net::EthernetHeader>(packet.data).source;
  const auto about = load<Header>(packet.data + packet.l3_offset);
  const std::size_t quoted = std::min(l3_length(packet), kMost - kHeaders);
  const std::size_t payload = sizeof(net::IcmpHeader) + quoted;
  grow_front(packet, kHeaders);
  std::uint8_t* const at = packet.data + packet.l3_offset;
  const Header ip = error_header(about, payload);
  net::IcmpHeader icmp = error_message(Traits::kFamily, room);
  store(at, ip);
  store(at + sizeof(ip), icmp);
  std::uint64_t pseudo = 0;
  if constexpr (!kVersion4) {
    pseudo = net::pseudo_header_sum(ip.source, ip.destination, net::kProtocolIcmpv6,
                                    static_cast<std::uint32_t>(payload));
  }
  icmp.checksum = net::checksum({at + sizeof(ip), payload}, pseudo);
  store(at + sizeof(ip), icmp);
  packet.l4_offset = static_cast<std::uint16_t>(packet.l3_offset + sizeof(ip));
  packet.l4_length = static_cast<std::uint16_t>(payload);
  packet.length = static_cast<std::uint16_t>(packet.l4_offset + payload);
  packet.contiguous = packet.length;
  packet.port_out = packet.port_in;
  write_link(packet, sender, snapshot);
}

// Who must not be told: RFC 1122 section 3.2.2 for errors and later fragments.
Verdict tell(Packet& packet, std::size_t room, Context& context) noexcept {
  const bool version4 = packet.family == net::Family::kIpv4;
  if (packet.part == Part::kQuoted) return kTooBig;
  if (version4 && packet.part == Part::kLaterFragment) return kTooBig;
  const std::size_t quoted = std::min(l3_length(packet), limits::kIcmpv6ErrorBytes);
  if (packet.contiguous < packet.l3_offset + quoted) return kTooBig;
  const l4::Rate rate{limits::kIcmpErrorRate, limits::kIcmpBurst};
  if (!context.worker.icmp_error_bucket.take(rate, context.now_ms)) return kIcmpRateLimited;
  if (version4) {
    become_error<Ipv4Traits>(packet, room, context.snapshot);
  } else {
    become_error<Ipv6Traits>(packet, room, context.snapshot);
  }
  return kReplyTooBig;
}

// --- splitting -----------------------------------------------------------------------------------

void write_header(Packet& packet, net::Ipv4Header ip, unsigned offset, bool more) noexcept {
  ip.total_length = net::Big16(static_cast<std::uint16_t>(sizeof(ip) + packet.l4_length));
  ip.flags_fragment =
      net::Big16(static_cast<std::uint16_t>(offset | (more ? net::kIpv4MoreFragments : 0U)));
  ip.checksum = {};
  std::uint8_t* const at = packet.data + packet.l3_offset;
  store(at, ip);
  ip.checksum = net::checksum({at, sizeof(ip)});
  store(at, ip);
}

void set_lengths(Packet& packet, std::size_t payload) noexcept {
  packet.l4_length = static_cast<std::uint16_t>(payload);
  packet.length = static_cast<std::uint16_t>(packet.l4_offset + payload);
  packet.contiguous = packet.length;
}

Fitted split(Packet& packet, std::size_t room, Context& context) noexcept {
  auto ip = load<net::Ipv4Header>(packet.data + packet.l3_offset);
  const std::size_t first = (room - sizeof(ip)) & ~std::size_t{7};
  const std::size_t left = packet.l4_length - first;
  // Which options the later fragments repeat is not worth knowing: nobody sends such packets.
  const bool whole_header = ip.header_length() == sizeof(ip);
  if (!whole_header || packet.contiguous < packet.l4_offset + packet.l4_length) return {kTooBig};
  Packet* rest = context.worker.outbox.make(kForwardFragment);
  if (rest == nullptr) return {kNoBuffer};
  const std::size_t header_end = packet.l4_offset;
  if (rest->capacity < header_end + left) {
    rest->verdict = kNoBuffer;
    return {kNoBuffer};
  }
  // Behind nat, the client's identification could be another's too.
  const bool nat = context.snapshot.services[packet.service.value].forward == model::Forward::kNat;
  if (packet.part == Part::kWhole && nat) {
    ip.identification = net::Big16(static_cast<std::uint16_t>(take_identification(context.worker)));
  }
  const Packet buffer = *rest;
  *rest = packet;
  rest->data = buffer.data;
  rest->handle = buffer.handle;
  rest->capacity = buffer.capacity;
  rest->verdict = kForwardFragment;
  rest->part = Part::kLaterFragment;
  std::memcpy(rest->data, packet.data, header_end);
  std::memcpy(rest->data + header_end, packet.data + header_end + first, left);
  const bool more = (ip.flags_fragment.host() & net::kIpv4MoreFragments) != 0;
  const unsigned offset = ip.fragment_offset();
  set_lengths(*rest, left);
  write_header(*rest, ip, offset + static_cast<unsigned>(first / 8), more);
  set_lengths(packet, first);
  write_header(packet, ip, offset, true);
  if (packet.part == Part::kWhole) packet.part = Part::kFirstFragment;
  return {kUndecided, rest};
}

}  // namespace

Fitted fit(Packet& packet, std::size_t room, Context& context) noexcept {
  const bool splits = packet.family == net::Family::kIpv4 &&
                      load<net::Ipv4Header>(packet.data + packet.l3_offset).may_fragment();
  if (splits) return split(packet, room, context);
  return {tell(packet, room, context)};
}

}  // namespace hawser::pipeline
