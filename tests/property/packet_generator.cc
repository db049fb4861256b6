// Random packets.
#include "packet_generator.h"

#include <algorithm>
#include <array>

#include "hawser/net/ipv4.h"
#include "hawser/net/tcp.h"

namespace hawser::property {
namespace {

constexpr std::uint16_t kFirstClientPort = 40000;

std::uint8_t ip_protocol(model::Protocol protocol) {
  return protocol == model::Protocol::kTcp ? net::kProtocolTcp : net::kProtocolUdp;
}

}  // namespace

std::vector<Segment> PacketGenerator::burst(const ModelWorker& worker, std::size_t most) {
  std::vector<Segment> segments;
  // Most bursts are short, some are full.
  const std::uint32_t size =
      random_.permille(100) ? static_cast<std::uint32_t>(most) : random_.between(1, 16);
  while (segments.size() < std::min<std::size_t>(size, most)) {
    const std::uint32_t kind = random_.below(100);
    if (kind < 25 && !segments.empty()) {
      const Segment& earlier = random_.one_of(segments);
      segments.push_back(earlier.complaint ? request() : again(earlier));
    } else if (kind < 55) {
      segments.push_back(reply(worker, segments));
    } else {
      segments.push_back(request());
    }
    fill(segments.back());
    if (random_.permille(60)) {
      complain(segments.back());
      continue;
    }
    if (random_.permille(60)) spoil(segments.back());
    if (random_.permille(60)) cut(segments, most);
  }
  return segments;
}

// Replaces a segment by an error about one that went the other way.
void PacketGenerator::complain(Segment& segment) {
  constexpr std::array<std::uint8_t, 8> kIpv4Types{3, 3, 3, 11, 11, 12, 0, 5};
  constexpr std::array<std::uint8_t, 8> kIpv6Types{1, 1, 2, 2, 3, 4, 1, 129};
  Segment quoted = segment;
  std::swap(quoted.source, quoted.destination);
  std::swap(quoted.source_port, quoted.destination_port);
  quoted.padding = 0;
  const bool ipv4 = segment.source.is_ipv4();
  const auto whole = static_cast<std::uint32_t>(packet_bytes(quoted));
  const auto told = static_cast<std::uint32_t>(ip_bytes(quoted)) + 8;
  const std::uint32_t least = random_.permille(50) ? 0 : told;
  Complaint complaint{.type = ipv4 ? random_.one_of(kIpv4Types) : random_.one_of(kIpv6Types),
                      .code = static_cast<std::uint8_t>(random_.below(16)),
                      .rest = static_cast<std::uint32_t>(random_.next()),
                      .quoted_bytes = static_cast<std::uint16_t>(
                          random_.permille(400) ? whole : random_.between(least, whole)),
                      .bad_checksum = random_.permille(40),
                      .quoted = nullptr};
  // Nobody can bring half a checksum up to date.
  if (quoted.is_tcp() && complaint.quoted_bytes == told + 9) --complaint.quoted_bytes;
  complaint.quoted = std::make_shared<const Segment>(quoted);
  segment.complaint = complaint;
  segment.protocol = ipv4 ? net::kProtocolIcmp : net::kProtocolIcmpv6;
  segment.source.bytes[segment.source.size() - 1] ^= static_cast<std::uint8_t>(random_.below(4));
  if (random_.permille(30)) segment.to = net::kBroadcastMac;
  if (!random_.permille(40)) return;
  // Not for whom the quoted packet was from.
  segment.destination = random_.one_of(network_.offers).address;
  if (segment.destination.family != segment.source.family) segment.destination = quoted.destination;
}

// Replaces the last segment by its pieces: in order or not, all or some.
void PacketGenerator::cut(std::vector<Segment>& segments, std::size_t most) {
  Segment whole = segments.back();
  segments.pop_back();
  whole.payload = static_cast<std::uint16_t>(random_.between(24, 100));
  // Few numbers, so that some come again for another datagram.
  const std::uint32_t identification =
      random_.permille(300) ? random_.below(3) : static_cast<std::uint32_t>(random_.next());
  const std::uint32_t header = whole.is_tcp() ? 20U + 4U * whole.tcp_option_words : 8U;
  const std::uint32_t bytes = header + whole.payload;
  std::vector<Segment> pieces;
  for (std::uint32_t at = 0; at < bytes;) {
    const std::uint32_t units = random_.between(random_.permille(50) ? 1 : 3, 8);
    const std::uint32_t length = std::min(units * 8, bytes - at);
    whole.piece =
        Piece{.offset = static_cast<std::uint16_t>(at / 8),
              .length = static_cast<std::uint16_t>(length),
              .more = at + length < bytes || at == 0,
              .identification = whole.source.is_ipv4() ? identification & 0xffffU : identification};
    at += length;
    pieces.push_back(whole);
  }
  if (random_.permille(400)) std::reverse(pieces.begin(), pieces.end());
  if (random_.permille(150)) pieces.erase(pieces.begin() + random_.below(pieces.size()));
  for (Segment& piece : pieces) {
    if (segments.size() < most) segments.push_back(std::move(piece));
  }
}

std::uint8_t PacketGenerator::flags() {
  using namespace net;
  constexpr std::array<std::uint8_t, 16> kUsual{
      kTcpSyn,           kTcpSyn, kTcpSyn,           kTcpSyn,           kTcpSyn,           kTcpAck,
      kTcpAck,           kTcpAck, kTcpAck,           kTcpPsh | kTcpAck, kTcpFin | kTcpAck, kTcpFin,
      kTcpFin | kTcpAck, kTcpRst, kTcpRst | kTcpAck, kTcpSyn | kTcpAck};
  return random_.permille(20) ? static_cast<std::uint8_t>(random_.below(256))
                              : random_.one_of(kUsual);
}

// What no decision depends on, and TTL.
void PacketGenerator::fill(Segment& segment) {
  segment.ttl = random_.permille(15) ? static_cast<std::uint8_t>(random_.below(2))
                                     : static_cast<std::uint8_t>(random_.between(2, 255));
  segment.traffic = random_.permille(500) ? random_.below(1U << 28) : 0;
  segment.identification = static_cast<std::uint16_t>(random_.below(65536));
  segment.dont_fragment = random_.permille(500);
  segment.sequence = static_cast<std::uint32_t>(random_.next());
  segment.acknowledgement = static_cast<std::uint32_t>(random_.next());
  segment.window = static_cast<std::uint16_t>(random_.below(65536));
  segment.fill = static_cast<std::uint8_t>(random_.below(256));
  segment.payload = static_cast<std::uint16_t>(random_.permille(500) ? 0 : random_.below(40));
  if (random_.permille(5)) segment.payload = static_cast<std::uint16_t>(random_.below(1300));
  if (random_.permille(100))
    segment.tcp_option_words = static_cast<std::uint8_t>(random_.below(11));
  segment.padding = static_cast<std::uint8_t>(random_.permille(100) ? random_.below(20) : 0);
  if (!segment.is_tcp() && segment.source.is_ipv4() && random_.permille(100)) {
    segment.without_checksum = true;
  }
}

// One of many things that can be wrong or odd.
void PacketGenerator::spoil(Segment& segment) {
  switch (random_.below(10)) {
    case 0:
      segment.checksum_error = static_cast<std::uint16_t>(random_.between(1, 0xfffe));
      break;
    case 1:
      segment.found_bad_by_the_port = true;
      break;
    case 2:
      segment.to.bytes[5] ^= 0x40U;
      break;
    case 3:
      segment.to = net::kBroadcastMac;
      break;
    case 4:
      segment.destination_port = static_cast<std::uint16_t>(random_.below(65536));
      break;
    case 5:
      segment.header_error = static_cast<std::uint16_t>(random_.between(1, 0xfffe));
      break;
    case 6:
      segment.protocol = segment.is_tcp() ? net::kProtocolUdp : net::kProtocolTcp;
      segment.flags = flags();
      break;
    case 7:
      segment.without_checksum = true;
      break;
    case 8:
      segment.destination.bytes[segment.destination.size() - 1] ^= 0x08U;
      break;
    default:
      segment.destination = random_.one_of(random_.one_of(network_.ports).addresses).address;
      segment.source.family = segment.destination.family;
  }
  // Nobody answers an address of the other family; what changed above may have made one.
  if (segment.source.is_ipv4()) {
    for (std::size_t i = 4; i < 16; ++i) segment.source.bytes[i] = 0;
    if (segment.source.bytes[0] == 0xfd || segment.source.bytes[0] == 0)
      segment.source.bytes[0] = 9;
  } else if (segment.source.bytes[0] != 0xfd) {
    segment.source.bytes[0] = 0x20;
  }
}

Segment PacketGenerator::request() {
  const Offer& offer = random_.one_of(network_.offers);
  const Client* client = &random_.one_of(network_.clients);
  while (client->address.family != offer.address.family) client = &random_.one_of(network_.clients);
  Segment segment;
  segment.port_in = client->port;
  segment.from = client->mac;
  // Now and then a client moves to the other port, or behind another router.
  if (random_.permille(20)) segment.port_in = PortId(static_cast<std::uint16_t>(random_.below(2)));
  if (random_.permille(20)) segment.from.bytes[2] = static_cast<std::uint8_t>(random_.below(3));
  segment.to = network_.ports[segment.port_in.value].mac;
  segment.source = client->address;
  segment.destination = offer.address;
  segment.source_port =
      static_cast<std::uint16_t>(kFirstClientPort + random_.below(shape_.client_ports));
  segment.destination_port = offer.port;
  segment.protocol = ip_protocol(offer.protocol);
  if (segment.is_tcp()) segment.flags = flags();
  return segment;
}

// Another packet of the same endpoints.
Segment PacketGenerator::again(const Segment& earlier) {
  Segment segment = earlier;
  segment.checksum_error = 0;
  segment.header_error = 0;
  segment.piece.reset();
  segment.without_checksum = false;
  segment.found_bad_by_the_port = false;
  segment.tcp_option_words = 0;
  segment.ip_option_words = static_cast<std::uint8_t>(random_.permille(30) ? random_.below(11) : 0);
  if (segment.is_tcp()) segment.flags = flags();
  return segment;
}

// From the backend that uses a local port, or from somebody else.
void PacketGenerator::answer(Segment& segment, const ModelWorker& worker, const Local& local) {
  const LocalUse& use = worker.flows.locals().at(local);
  const ModelFlow& flow = worker.flows.flows().at(use.flow);
  const ModelBackend& backend = worker.config.backend(flow.backend);
  segment.port_in = backend.next_hop.port;
  segment.to = network_.ports[segment.port_in.value].mac;
  segment.source = backend.address;
  segment.source_port = backend.port;
  segment.destination = network_.nat_addresses[local.address];
  segment.destination_port = local.port;
  segment.protocol = ip_protocol(worker.config.service(use.flow.service).wanted.protocol);
  if (random_.permille(40)) ++segment.source_port;
  if (random_.permille(40)) segment.source.bytes[segment.source.size() - 1] ^= 0x01U;
  if (random_.permille(20))
    segment.protocol = net::kProtocolTcp + net::kProtocolUdp - segment.protocol;
}

// To any local port: free, another worker's, or none at all.
Segment PacketGenerator::stray_reply() {
  const Offer& offer = random_.one_of(network_.offers);
  const Candidate& candidate = random_.one_of(offer.candidates);
  Segment segment;
  segment.port_in = PortId(static_cast<std::uint16_t>(random_.below(2)));
  segment.to = network_.ports[segment.port_in.value].mac;
  segment.source = random_.one_of(candidate.addresses);
  segment.source_port = candidate.port;
  std::uint8_t slot = 0;
  do {
    slot = static_cast<std::uint8_t>(random_.below(network_.nat_addresses.size()));
  } while (network_.nat_addresses[slot].family != segment.source.family);
  segment.destination = network_.nat_addresses[slot];
  segment.destination_port = static_cast<std::uint16_t>(random_.below(65536));
  if (random_.permille(600)) {
    // Near the beginning, where ports are in use, and of the workers that there are.
    segment.destination_port = static_cast<std::uint16_t>(
        limits::kFirstNatPort + random_.below(8) * shape_.workers + random_.one_of(shape_.present));
  }
  segment.protocol = ip_protocol(offer.protocol);
  return segment;
}

Segment PacketGenerator::reply(const ModelWorker& worker, const std::vector<Segment>& earlier) {
  const std::map<Local, LocalUse>& uses = worker.flows.locals();
  Segment segment;
  if (uses.empty() || random_.permille(100)) {
    segment = stray_reply();
  } else {
    const Local any{
        .address = static_cast<std::uint8_t>(random_.below(network_.nat_addresses.size())),
        .port = static_cast<std::uint16_t>(random_.below(65536))};
    auto use = uses.lower_bound(any);
    if (use == uses.end()) use = uses.begin();
    Local local = use->first;
    // Often for a flow that this burst has a packet of already.
    if (!earlier.empty() && random_.permille(300)) {
      const Segment& request = random_.one_of(earlier);
      const auto service =
          worker.config.find(request.destination, request.destination_port, request.is_tcp());
      if (service) {
        const auto flow = worker.flows.flows().find(
            {.client = request.source, .port = request.source_port, .service = *service});
        if (flow != worker.flows.flows().end() && flow->second.local) local = *flow->second.local;
      }
    }
    answer(segment, worker, local);
  }
  segment.from = {{0x02, 0, 0, 0xb0, 0, static_cast<std::uint8_t>(random_.below(256))}};
  if (segment.is_tcp()) segment.flags = flags();
  return segment;
}

}  // namespace hawser::property
