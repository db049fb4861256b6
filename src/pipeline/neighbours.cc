// Stage: answers ARP requests (RFC 826) and neighbour solicitations (RFC 4861) for our addresses.
#include <cstring>

#include "hawser/base/bytes.h"
#include "hawser/net/arp.h"
#include "hawser/net/checksum.h"
#include "hawser/net/ethernet.h"
#include "hawser/net/icmpv6.h"
#include "hawser/net/ipv4.h"
#include "hawser/net/ipv6.h"
#include "hawser/pipeline/pipeline.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

constexpr std::size_t kAdvertisementBytes =
    sizeof(net::Ipv6Header) + sizeof(net::NeighbourMessage) + sizeof(net::LinkLayerOption);

bool is_ours(const net::IpAddress& address, const Context& context) noexcept {
  return context.snapshot.addresses.find({address}) != nullptr;
}

void reply_to(Packet& packet, const net::MacAddress& to, const net::MacAddress& own) noexcept {
  auto ethernet = load<net::EthernetHeader>(packet.data);
  ethernet.destination = to;
  ethernet.source = own;
  store(packet.data, ethernet);
  packet.port_out = packet.port_in;
}

Verdict answer_arp(Packet& packet, const Context& context) noexcept {
  if (packet.contiguous < packet.l3_offset + sizeof(net::ArpPacket)) return kArpMalformed;
  auto arp = load<net::ArpPacket>(packet.data + packet.l3_offset);
  if (!arp.is_ipv4_over_ethernet() || arp.sender_mac.is_multicast()) return kArpMalformed;
  if (arp.operation == net::kArpReply) return kPuntNeighbour;
  if (arp.operation != net::kArpRequest) return kArpMalformed;
  if (arp.sender() == arp.target()) return kPuntNeighbour;  // gratuitous: news, not a question
  if (!is_ours(arp.target(), context)) return kPuntOther;
  const net::MacAddress& own = context.snapshot.ports[packet.port_in.value].mac;
  const net::Ipv4Address asked = arp.target();
  reply_to(packet, arp.sender_mac, own);
  arp.operation = net::kArpReply;
  arp.target_mac = arp.sender_mac;
  arp.set_target(arp.sender());
  arp.sender_mac = own;
  arp.set_sender(asked);
  store(packet.data + packet.l3_offset, arp);
  return kReplyArp;
}

// Every option has a length; `has_source` says whether one names the sender's MAC address.
bool has_sound_options(std::span<const std::uint8_t> options, bool& has_source) noexcept {
  while (!options.empty()) {
    if (options.size() < 2) return false;
    const std::size_t length = options[1] * std::size_t{8};
    if (length == 0 || length > options.size()) return false;
    has_source |= options[0] == net::kNdSourceLinkLayer;
    options = options.subspan(length);
  }
  return true;
}

// The checks of RFC 4861 sections 7.1.1 and 7.1.2.
bool is_valid_neighbour_message(const Packet& packet, const net::Ipv6Header& ip) noexcept {
  if (ip.hop_limit != 255 || packet.l4_length < sizeof(net::NeighbourMessage)) return false;
  if (packet.contiguous < std::size_t{packet.l4_offset} + packet.l4_length) return false;
  const std::uint64_t pseudo =
      net::pseudo_header_sum(ip.source, ip.destination, net::kProtocolIcmpv6, packet.l4_length);
  const std::span<const std::uint8_t> message{packet.data + packet.l4_offset, packet.l4_length};
  if (net::fold(net::sum_bytes(message, pseudo)) != 0xffff) return false;
  const auto neighbour = load<net::NeighbourMessage>(message.data());
  bool has_source = false;
  if (!has_sound_options(message.subspan(sizeof(net::NeighbourMessage)), has_source)) return false;
  const bool probe = neighbour.icmp.type == net::kIcmpv6NeighbourSolicitation &&
                     ip.source == net::Ipv6Address{};  // duplicate address detection
  if (probe && (has_source || ip.destination != neighbour.target.solicited_node())) return false;
  return neighbour.icmp.code == 0 && !neighbour.target.is_multicast();
}

// Turns the solicitation in `packet` into the advertisement that answers it (section 7.2.4).
void write_advertisement(Packet& packet, const net::MacAddress& own) noexcept {
  auto ip = load<net::Ipv6Header>(packet.data + packet.l3_offset);
  auto message = load<net::NeighbourMessage>(packet.data + packet.l4_offset);
  const bool probe = ip.source == net::Ipv6Address{};  // duplicate address detection
  net::Ipv6Address all_nodes;
  all_nodes.bytes = {0xff, 0x02};
  all_nodes.bytes[15] = 1;
  const auto asker = load<net::EthernetHeader>(packet.data).source;
  reply_to(packet, probe ? all_nodes.multicast_mac() : asker, own);

  ip.destination = probe ? all_nodes : ip.source;
  ip.source = message.target;
  ip.payload_length = net::Big16(sizeof(net::NeighbourMessage) + sizeof(net::LinkLayerOption));
  ip.hop_limit = 255;
  message.icmp = {.type = net::kIcmpv6NeighbourAdvertisement, .code = 0, .checksum = {}};
  message.flags_reserved = net::Big32(net::kNdOverride | (probe ? 0 : net::kNdSolicited));
  const net::LinkLayerOption option{.type = net::kNdTargetLinkLayer, .length = 1, .mac = own};
  store(packet.data + packet.l3_offset, ip);
  store(packet.data + packet.l4_offset, message);
  store(packet.data + packet.l4_offset + sizeof(message), option);

  const std::uint16_t length = ip.payload_length.host();
  message.icmp.checksum = net::checksum(
      {packet.data + packet.l4_offset, length},
      net::pseudo_header_sum(ip.source, ip.destination, net::kProtocolIcmpv6, length));
  store(packet.data + packet.l4_offset, message);
  packet.length = static_cast<std::uint16_t>(packet.l3_offset + kAdvertisementBytes);
  packet.contiguous = packet.length;
}

Verdict answer_icmpv6(Packet& packet, const Context& context) noexcept {
  if (packet.l4_length < sizeof(net::Icmpv6Header) ||
      packet.contiguous < packet.l4_offset + sizeof(net::Icmpv6Header)) {
    return kUndecided;  // not ours to judge: classify sends it where it belongs
  }
  const std::uint8_t type = packet.data[packet.l4_offset];
  const bool solicits = type == net::kIcmpv6NeighbourSolicitation;
  if (!solicits && type != net::kIcmpv6NeighbourAdvertisement) return kUndecided;
  const auto ip = load<net::Ipv6Header>(packet.data + packet.l3_offset);
  // Behind extension headers they are not believed (RFC 6980 says so of fragments).
  const bool plain = packet.l4_offset == packet.l3_offset + sizeof(ip);
  if (!plain || !is_valid_neighbour_message(packet, ip)) return kNeighbourMalformed;
  if (!solicits) return kPuntNeighbour;
  const auto message = load<net::NeighbourMessage>(packet.data + packet.l4_offset);
  if (!is_ours(message.target, context)) return kPuntOther;
  if (packet.capacity < packet.l3_offset + kAdvertisementBytes) return kNeighbourMalformed;
  write_advertisement(packet, context.snapshot.ports[packet.port_in.value].mac);
  return kReplyNeighbour;
}

}  // namespace

void answer_neighbours(Burst& burst, const Context& context) noexcept {
  for (Packet& packet : burst.unknown()) {
    if (!packet.undecided()) continue;
    if (packet.layer3 == Layer3::kArp) {
      packet.verdict = answer_arp(packet, context);
    } else if (packet.protocol == net::kProtocolIcmpv6 && packet.family == net::Family::kIpv6) {
      packet.verdict = answer_icmpv6(packet, context);
    }
  }
}

}  // namespace hawser::pipeline
