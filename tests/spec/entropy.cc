// Checks the entropy of a tunnel's outer header instead of comparing it.
#include "entropy.h"

#include <algorithm>

namespace hawser::spec {
namespace {

constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;
constexpr std::size_t kUdpHeader = 8;

unsigned word(std::span<const std::uint8_t> bytes, std::size_t at) {
  return bytes[at] * 256U + bytes[at + 1];
}

// Where the outer IP header begins: behind a VLAN tag if there is one.
std::size_t ip_begin(std::span<const std::uint8_t> frame) {
  return word(frame, 12) == 0x8100 ? 18 : 14;
}

// The sum over pseudo-header and datagram (RFC 8200 section 8.1) of 16-bit words, folded.
unsigned udp_sum(std::span<const std::uint8_t> ip) {
  std::uint64_t sum = word(ip, 4) + 17U;  // payload length and protocol
  for (std::size_t at = 8; at + 1 < ip.size(); at += 2) sum += word(ip, at);
  if (ip.size() % 2 != 0) sum += ip.back() * 256U;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<unsigned>(sum);
}

void copy(Bytes& to, std::span<const std::uint8_t> from, std::size_t at, std::size_t count) {
  std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(at), count,
              to.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

std::vector<std::string> take_entropy(const std::string& flow, Bytes& expected,
                                      std::span<const std::uint8_t> actual,
                                      std::map<std::string, Bytes>& known) {
  if (actual.size() != expected.size()) return {};  // the comparison will say so
  const std::size_t ip = ip_begin(expected);
  const bool version6 = expected[ip] >> 4U == 6;
  const bool udp = expected[ip + (version6 ? 6 : 9)] == 17;
  const std::size_t transport = ip + (version6 ? kIpv6Header : kIpv4Header);
  std::vector<std::string> lines;
  Bytes entropy;
  if (version6) {
    const auto high = static_cast<std::uint8_t>(actual[ip + 1] & 0x0fU);
    expected[ip + 1] = static_cast<std::uint8_t>((expected[ip + 1] & 0xf0U) | high);
    copy(expected, actual, ip + 2, 2);
    entropy = {high, actual[ip + 2], actual[ip + 3]};
  }
  if (udp && expected.size() >= transport + kUdpHeader) {
    if (actual[transport] < 0xc0) lines.push_back("the tunnel's source port is below 49152");
    copy(expected, actual, transport, 2);
    entropy.insert(entropy.end(), {actual[transport], actual[transport + 1]});
    if (version6) {
      if (udp_sum(actual.subspan(ip)) != 0xffff) lines.push_back("the outer UDP checksum is wrong");
      if (word(actual, transport + 6) == 0) lines.push_back("there is no outer UDP checksum");
      copy(expected, actual, transport + 6, 2);
    }
  }
  const std::string key = flow + (version6 ? " over IPv6" : " over IPv4");
  const auto [first, is_new] = known.emplace(key, entropy);
  if (!is_new && first->second != entropy) {
    lines.push_back(key + " had other entropy before");
  }
  return lines;
}

}  // namespace hawser::spec
