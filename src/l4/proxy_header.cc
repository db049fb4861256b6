// Writing of the PROXY protocol header, version 2.
#include "hawser/l4/proxy_header.h"

#include <array>
#include <type_traits>

#include "hawser/base/bytes.h"

namespace hawser::l4 {
namespace {

constexpr std::uint8_t kVersion2Proxy = 0x21;  // version 2, command PROXY
constexpr std::uint8_t kTcpOverIpv4 = 0x11;    // AF_INET, STREAM
constexpr std::uint8_t kTcpOverIpv6 = 0x21;    // AF_INET6, STREAM

struct Start {
  // Chosen by the protocol's authors to be taken for no other: CR LF CR LF NUL CR LF "QUIT" LF.
  std::array<std::uint8_t, 12> signature{0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                         0x0a, 'Q',  'U',  'I',  'T',  0x0a};
  std::uint8_t version_command = kVersion2Proxy;
  std::uint8_t family_transport = 0;
  net::Big16 length;  // of what follows, bytes
};
static_assert(sizeof(Start) == 16 && std::is_trivially_copyable_v<Start>);

template <typename Address>
struct Addresses {
  Address source;
  Address destination;
  net::Big16 source_port;
  net::Big16 destination_port;
};
static_assert(sizeof(Start) + sizeof(Addresses<net::Ipv4Address>) == kProxyHeaderIpv4);
static_assert(sizeof(Start) + sizeof(Addresses<net::Ipv6Address>) == kProxyHeaderIpv6);

template <typename Address>
std::size_t write(std::span<std::uint8_t> out, std::uint8_t family_transport,
                  const Addresses<Address>& addresses) noexcept {
  store(out.data(),
        Start{.family_transport = family_transport, .length = net::Big16(sizeof(addresses))});
  store(out.data() + sizeof(Start), addresses);
  return sizeof(Start) + sizeof(addresses);
}

}  // namespace

std::size_t write_proxy_header(std::span<std::uint8_t> out, const net::IpAddress& source,
                               net::Big16 source_port, const net::IpAddress& destination,
                               net::Big16 destination_port) noexcept {
  if (source.family != destination.family) return 0;
  if (out.size() < proxy_header_length(source.family)) return 0;
  if (source.is_ipv4()) {
    return write(out, kTcpOverIpv4,
                 Addresses<net::Ipv4Address>{.source = source.v4(),
                                             .destination = destination.v4(),
                                             .source_port = source_port,
                                             .destination_port = destination_port});
  }
  return write(out, kTcpOverIpv6,
               Addresses<net::Ipv6Address>{.source = source.v6(),
                                           .destination = destination.v6(),
                                           .source_port = source_port,
                                           .destination_port = destination_port});
}

}  // namespace hawser::l4
