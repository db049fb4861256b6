// Compares two frames header by header.
#include "dataplane/capture_changes.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "hawser/base/bytes.h"
#include "hawser/net/address.h"
#include "hawser/net/ethernet.h"
#include "hawser/net/ipv4.h"
#include "hawser/net/ipv6.h"
#include "hawser/net/tcp.h"
#include "hawser/net/udp.h"

namespace hawser::dataplane {
namespace {

using Bytes = std::span<const std::uint8_t>;

// A frame taken apart as far as it goes.
struct Read {
  Bytes macs;
  std::optional<std::uint16_t> vlan;
  bool ip = false;
  net::IpAddress source;
  net::IpAddress destination;
  std::uint8_t hops = 0;
  std::uint8_t protocol = 0;
  std::size_t ip_length = 0;  // as the header says
  Bytes transport;            // header and payload
  std::optional<net::TcpHeader> tcp;
  std::optional<net::UdpHeader> udp;
  Bytes options;  // of TCP
  Bytes payload;
};

Bytes rest_of(Bytes bytes, std::size_t from) {
  return bytes.subspan(std::min(from, bytes.size()));
}

void read_transport(Read& read) {
  if (read.protocol == net::kProtocolTcp && read.transport.size() >= sizeof(net::TcpHeader)) {
    read.tcp = load<net::TcpHeader>(read.transport.data());
    const std::size_t header =
        std::min<std::size_t>(read.tcp->header_length(), read.transport.size());
    if (header < sizeof(net::TcpHeader)) return;
    read.options = read.transport.subspan(sizeof(net::TcpHeader), header - sizeof(net::TcpHeader));
    read.payload = rest_of(read.transport, header);
  } else if (read.protocol == net::kProtocolUdp &&
             read.transport.size() >= sizeof(net::UdpHeader)) {
    read.udp = load<net::UdpHeader>(read.transport.data());
    read.payload = rest_of(read.transport, sizeof(net::UdpHeader));
  } else {
    read.payload = read.transport;
  }
}

void read_ip(Read& read, net::Big16 type, Bytes bytes) {
  std::size_t header = 0;
  if (type == net::kEtherTypeIpv4 && bytes.size() >= sizeof(net::Ipv4Header)) {
    const auto ip = load<net::Ipv4Header>(bytes.data());
    read.source = ip.source;
    read.destination = ip.destination;
    read.hops = ip.ttl;
    read.protocol = ip.fragment_offset() == 0 ? ip.protocol : 0;
    read.ip_length = ip.total_length.host();
    header = ip.header_length();
  } else if (type == net::kEtherTypeIpv6 && bytes.size() >= sizeof(net::Ipv6Header)) {
    const auto ip = load<net::Ipv6Header>(bytes.data());
    read.source = ip.source;
    read.destination = ip.destination;
    read.hops = ip.hop_limit;
    read.protocol = ip.next_header;
    read.ip_length = sizeof(ip) + ip.payload_length.host();
    header = sizeof(ip);
  } else {
    return;
  }
  read.ip = true;
  // Without what Ethernet pads short frames with.
  read.transport = rest_of(bytes.first(std::min(bytes.size(), read.ip_length)), header);
  read_transport(read);
}

Read read_frame(Bytes bytes) {
  Read read;
  if (bytes.size() < sizeof(net::EthernetHeader)) return read;
  read.macs = bytes.first(2 * sizeof(net::MacAddress));
  net::Big16 type = load<net::EthernetHeader>(bytes.data()).ether_type;
  Bytes rest = bytes.subspan(sizeof(net::EthernetHeader));
  if (type == net::kEtherTypeVlan && rest.size() >= sizeof(net::VlanTag)) {
    const auto tag = load<net::VlanTag>(rest.data());
    read.vlan = tag.control.host() & 0xfffU;
    type = tag.ether_type;
    rest = rest.subspan(sizeof(net::VlanTag));
  }
  read_ip(read, type, rest);
  return read;
}

// As far as both have them.
bool differ(Bytes one, Bytes other) {
  const std::size_t both = std::min(one.size(), other.size());
  return both != 0 && std::memcmp(one.data(), other.data(), both) != 0;
}

void compare_tcp(const net::TcpHeader& came, const net::TcpHeader& goes,
                 std::vector<const char*>& changes) {
  const auto note = [&](bool differs, const char* what) {
    if (differs) changes.push_back(what);
  };
  note(came.source_port != goes.source_port, "source port");
  note(came.destination_port != goes.destination_port, "destination port");
  note(came.sequence != goes.sequence, "sequence number");
  note(came.acknowledgement != goes.acknowledgement, "acknowledgement number");
  note(came.flags != goes.flags, "TCP flags");
  note(came.window != goes.window, "window");
}

}  // namespace

std::vector<const char*> changes_of(Bytes came_bytes, Bytes goes_bytes) {
  const Read came = read_frame(came_bytes);
  const Read goes = read_frame(goes_bytes);
  std::vector<const char*> changes;
  const auto note = [&](bool differs, const char* what) {
    if (differs) changes.push_back(what);
  };
  note(differ(came.macs, goes.macs), "MAC addresses");
  note(came.vlan != goes.vlan, "VLAN");
  if (!came.ip || !goes.ip) {
    note(differ(rest_of(came_bytes, came.macs.size()), rest_of(goes_bytes, goes.macs.size())),
         "contents");
    return changes;
  }
  const bool tunnel = came.protocol != goes.protocol && goes.ip_length > came.ip_length;
  if (tunnel) {
    changes.push_back("tunnel header");
    return changes;
  }
  note(came.source != goes.source, "source address");
  note(came.destination != goes.destination, "destination address");
  note(came.hops != goes.hops, came.source.is_ipv4() ? "TTL" : "hop limit");
  note(came.protocol != goes.protocol, "protocol");
  if (came.tcp && goes.tcp) compare_tcp(*came.tcp, *goes.tcp, changes);
  if (came.udp && goes.udp) {
    note(came.udp->source_port != goes.udp->source_port, "source port");
    note(came.udp->destination_port != goes.udp->destination_port, "destination port");
  }
  note(came.options.size() != goes.options.size() || differ(came.options, goes.options),
       "TCP options");
  const std::size_t grown = goes.options.size() - came.options.size();
  note(goes.ip_length != came.ip_length + grown || differ(came.payload, goes.payload), "payload");
  return changes;
}

}  // namespace hawser::dataplane
