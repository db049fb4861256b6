// The TCP header (RFC 9293 section 3.1), without options.
#pragma once

#include <cstddef>

#include "hawser/net/endian.h"

namespace hawser::net {

// Bits of TcpHeader::flags.
inline constexpr std::uint8_t kTcpFin = 0x01;
inline constexpr std::uint8_t kTcpSyn = 0x02;
inline constexpr std::uint8_t kTcpRst = 0x04;
inline constexpr std::uint8_t kTcpPsh = 0x08;
inline constexpr std::uint8_t kTcpAck = 0x10;

struct TcpHeader {
  Big16 source_port;
  Big16 destination_port;
  Big32 sequence;
  Big32 acknowledgement;
  std::uint8_t data_offset_reserved = 0;
  std::uint8_t flags = 0;
  Big16 window;
  Big16 checksum;
  Big16 urgent;

  // Bytes of the header with its options, as it claims.
  [[nodiscard]] constexpr unsigned header_length() const noexcept {
    return (data_offset_reserved >> 4U) * 4U;
  }
};
static_assert(sizeof(TcpHeader) == 20 && alignof(TcpHeader) == 4);
static_assert(offsetof(TcpHeader, flags) == 13 && offsetof(TcpHeader, checksum) == 16);

}  // namespace hawser::net
