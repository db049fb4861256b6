// Walks IPv6 extension headers.
#include "hawser/net/ipv6_chain.h"

#include "hawser/base/bytes.h"
#include "hawser/base/limits.h"
#include "hawser/net/ipv6.h"

namespace hawser::net {
namespace {

constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kAuthentication = 51;
constexpr std::uint8_t kDestinationOptions = 60;

// The first bytes of every extension header but the fragment header.
struct Common {
  std::uint8_t next_header = 0;
  std::uint8_t length = 0;
  std::uint8_t routing_type = 0;  // of a routing header
  std::uint8_t segments_left = 0;
};

// Bytes of a header; 0 when it may not be passed on.
std::size_t size_of(std::uint8_t type, const Common& header) noexcept {
  switch (type) {
    case kHopByHop:
    case kDestinationOptions:
      return (header.length + std::size_t{1}) * 8;
    case kRouting:
      // RFC 5095; and one with segments left is not for us yet, whatever its destination says.
      if (header.routing_type == 0 || header.segments_left != 0) return 0;
      return (header.length + std::size_t{1}) * 8;
    case kAuthentication:
      return (header.length + std::size_t{2}) * 4;  // RFC 4302 section 2.2
    default:
      return 0;
  }
}

}  // namespace

Ipv6Chain walk_chain(std::uint8_t first, std::span<const std::uint8_t> bytes) noexcept {
  Ipv6Chain chain;
  chain.protocol = first;
  Reader reader(bytes);
  const auto stopped = [&](ChainFault fault) {
    chain.fault = fault;
    return chain;
  };
  for (unsigned count = 0; is_ipv6_extension(chain.protocol); ++count) {
    if (count == limits::kMaxExtensionHeaders) return stopped(ChainFault::kBroken);
    if (chain.protocol == kFragment) {
      Ipv6FragmentHeader fragment;
      if (!reader.read(fragment)) return stopped(ChainFault::kBroken);
      chain.has_fragment = true;
      chain.fragment_offset = chain.length;
      chain.length = static_cast<std::uint16_t>(chain.length + sizeof(fragment));
      chain.protocol = fragment.next_header;
      if (fragment.offset() != 0) return chain;
      continue;
    }
    Common header;
    if (!reader.peek(header)) return stopped(ChainFault::kBroken);
    const std::size_t size = size_of(chain.protocol, header);
    if (size == 0) return stopped(ChainFault::kUnsupported);
    if (!reader.skip(size)) return stopped(ChainFault::kBroken);
    chain.length = static_cast<std::uint16_t>(chain.length + size);
    chain.protocol = header.next_header;
  }
  return chain;
}

}  // namespace hawser::net
