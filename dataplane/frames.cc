// Building and reading the frames of ARP and IPv6 neighbour discovery.
#include "dataplane/frames.h"

#include "hawser/base/bytes.h"
#include "hawser/net/arp.h"
#include "hawser/net/checksum.h"
#include "hawser/net/ethernet.h"
#include "hawser/net/icmpv6.h"
#include "hawser/net/ipv4.h"
#include "hawser/net/ipv6.h"

namespace hawser::dataplane {
namespace {

constexpr std::uint8_t kNdHopLimit = 255;

template <typename T>
void append(Frame& frame, const T& part) noexcept {
  store(frame.bytes.data() + frame.length, part);
  frame.length += sizeof(T);
}

Frame arp_request(const Asker& asker, net::Ipv4Address target,
                  const std::optional<net::MacAddress>& last_known) noexcept {
  Frame frame;
  append(frame, net::EthernetHeader{last_known.value_or(net::kBroadcastMac), asker.mac,
                                    net::kEtherTypeArp});
  net::ArpPacket arp;
  arp.hardware_type = net::kArpHardwareEthernet;
  arp.protocol_type = net::kEtherTypeIpv4;
  arp.hardware_length = sizeof(net::MacAddress);
  arp.protocol_length = sizeof(net::Ipv4Address);
  arp.operation = net::kArpRequest;
  arp.sender_mac = asker.mac;
  arp.set_sender(asker.address.v4());
  arp.set_target(target);
  append(frame, arp);
  return frame;
}

// The checksum of an ICMPv6 message, whose own field must be zero.
net::Big16 icmpv6_checksum(const net::Ipv6Address& source, const net::Ipv6Address& destination,
                           std::span<const std::uint8_t> message) noexcept {
  return net::checksum(message, net::pseudo_header_sum(source, destination, net::kProtocolIcmpv6,
                                                       static_cast<std::uint32_t>(message.size())));
}

Frame neighbour_solicitation(const Asker& asker, const net::Ipv6Address& target,
                             const std::optional<net::MacAddress>& last_known) noexcept {
  const net::Ipv6Address source = asker.address.v6();
  const net::Ipv6Address destination = last_known ? target : target.solicited_node();
  net::NeighbourMessage message;
  message.icmp.type = net::kIcmpv6NeighbourSolicitation;
  message.target = target;
  const net::LinkLayerOption option{net::kNdSourceLinkLayer, 1, asker.mac};

  Frame frame;
  append(frame, net::EthernetHeader{last_known.value_or(destination.multicast_mac()), asker.mac,
                                    net::kEtherTypeIpv6});
  net::Ipv6Header ip;
  ip.version_class_flow = net::Big32(0x60000000);
  ip.payload_length = net::Big16(sizeof(message) + sizeof(option));
  ip.next_header = net::kProtocolIcmpv6;
  ip.hop_limit = kNdHopLimit;
  ip.source = source;
  ip.destination = destination;
  append(frame, ip);
  const std::size_t at = frame.length;
  append(frame, message);
  append(frame, option);
  message.icmp.checksum = icmpv6_checksum(source, destination, frame.span().subspan(at));
  store(frame.bytes.data() + at, message);
  return frame;
}

bool may_be_a_host(const net::MacAddress& mac) noexcept {
  return !mac.is_multicast() && !mac.is_zero();
}

std::optional<NeighbourNews> read_arp(Reader reader) noexcept {
  net::ArpPacket arp;
  if (!reader.read(arp) || !arp.is_ipv4_over_ethernet()) return std::nullopt;
  const bool reply = arp.operation == net::kArpReply;
  if (!reply && arp.operation != net::kArpRequest) return std::nullopt;
  // A sender of zero asks whether an address is free and has none itself (RFC 5227 section 1.1).
  const net::IpAddress sender(arp.sender());
  if (sender.is_special() || !may_be_a_host(arp.sender_mac)) return std::nullopt;
  return NeighbourNews{sender, arp.sender_mac, reply, true};
}

// Finds the link-layer address option of `type`. False when the options are malformed.
bool read_options(Reader reader, std::uint8_t type, std::optional<net::MacAddress>& mac) noexcept {
  while (reader.remaining() > 0) {
    net::LinkLayerOption option;
    std::span<const std::uint8_t> whole;
    if (!reader.peek(option) || option.length == 0) return false;
    if (!reader.take(std::size_t{option.length} * 8, whole)) return false;
    if (option.type == type && may_be_a_host(option.mac)) mac = option.mac;
  }
  return true;
}

std::optional<NeighbourNews> read_advertisement(const net::Ipv6Header& ip,
                                                const net::NeighbourMessage& message,
                                                Reader options) noexcept {
  const std::uint32_t flags = message.flags_reserved.host();
  const bool solicited = (flags & net::kNdSolicited) != 0;
  if (message.target.is_multicast() || (ip.destination.is_multicast() && solicited)) {
    return std::nullopt;
  }
  NeighbourNews news{message.target, std::nullopt, solicited, (flags & net::kNdOverride) != 0};
  if (!read_options(options, net::kNdTargetLinkLayer, news.mac)) return std::nullopt;
  return news;
}

std::optional<NeighbourNews> read_solicitation(const net::Ipv6Header& ip,
                                               const net::NeighbourMessage& message,
                                               Reader options) noexcept {
  // An unspecified source looks for duplicates of an address it does not have yet.
  if (message.target.is_multicast() || net::IpAddress(ip.source).is_special()) return std::nullopt;
  NeighbourNews news{ip.source, std::nullopt, false, true};
  if (!read_options(options, net::kNdSourceLinkLayer, news.mac) || !news.mac) return std::nullopt;
  return news;
}

std::optional<NeighbourNews> read_discovery(Reader reader) noexcept {
  net::Ipv6Header ip;
  std::span<const std::uint8_t> payload;
  if (!reader.read(ip) || ip.version() != 6 || ip.next_header != net::kProtocolIcmpv6 ||
      ip.hop_limit != kNdHopLimit || !reader.take(ip.payload_length.host(), payload)) {
    return std::nullopt;
  }
  net::NeighbourMessage message;
  Reader rest(payload);
  if (!rest.read(message) || message.icmp.code != 0) return std::nullopt;
  // Over a message with its checksum in place the sum is all ones, its complement zero.
  if (icmpv6_checksum(ip.source, ip.destination, payload).raw() != 0) return std::nullopt;
  if (message.icmp.type == net::kIcmpv6NeighbourAdvertisement) {
    return read_advertisement(ip, message, rest);
  }
  if (message.icmp.type == net::kIcmpv6NeighbourSolicitation) {
    return read_solicitation(ip, message, rest);
  }
  return std::nullopt;
}

}  // namespace

Frame probe(const Asker& asker, const net::IpAddress& target,
            const std::optional<net::MacAddress>& last_known) noexcept {
  return target.is_ipv4() ? arp_request(asker, target.v4(), last_known)
                          : neighbour_solicitation(asker, target.v6(), last_known);
}

net::Ipv6Address link_local(const net::MacAddress& mac) noexcept {
  const auto& m = mac.bytes;
  return {{0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(m[0] ^ 0x02U), m[1], m[2], 0xff,
           0xfe, m[3], m[4], m[5]}};
}

std::optional<NeighbourNews> read_news(std::span<const std::uint8_t> frame) noexcept {
  Reader reader(frame);
  net::EthernetHeader ethernet;
  if (!reader.read(ethernet)) return std::nullopt;
  if (ethernet.ether_type == net::kEtherTypeArp) return read_arp(reader);
  if (ethernet.ether_type == net::kEtherTypeIpv6) return read_discovery(reader);
  return std::nullopt;
}

}  // namespace hawser::dataplane
