// The Internet checksum over bytes and pseudo-headers.
#include "hawser/net/checksum.h"

namespace hawser::net {

std::uint64_t sum_bytes(std::span<const std::uint8_t> bytes, std::uint64_t sum) noexcept {
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 4; at += 4, left -= 4) sum += load<std::uint32_t>(at);
  if (left >= 2) {
    sum += load<std::uint16_t>(at);
    at += 2;
    left -= 2;
  }
  if (left == 1) sum += *at;
  return sum;
}

std::uint64_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination,
                                std::uint8_t protocol, std::uint32_t length) noexcept {
  const std::uint64_t sum = sum_bytes({source.bytes.data(), source.size()});
  return sum_bytes({destination.bytes.data(), destination.size()}, sum) + Big32(length).raw() +
         Big32(protocol).raw();
}

}  // namespace hawser::net
