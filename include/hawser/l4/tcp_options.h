// TCP options: reading them, and the few changes a balancer makes to them.
//
// Sources: RFC 9293 section 3.2 (end, NOP, MSS), RFC 7323 (window scale, timestamps), RFC 2018
// (selective acknowledgement). The functions work on bytes that were bounds-checked as a header:
// at least 20 bytes, a multiple of four, as many as the header's data offset says.
//
// Changes are collected in a ChecksumDelta (RFC 1624), to be applied to the header's checksum by
// the caller along with its own. Options may begin at odd bytes; the delta allows for that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "hawser/base/limits.h"
#include "hawser/net/checksum.h"

namespace hawser::l4 {

inline constexpr std::uint8_t kTcpOptionEnd = 0;
inline constexpr std::uint8_t kTcpOptionNop = 1;
inline constexpr std::uint8_t kTcpOptionMss = 2;
inline constexpr std::uint8_t kTcpOptionWindowScale = 3;
inline constexpr std::uint8_t kTcpOptionSackPermitted = 4;
inline constexpr std::uint8_t kTcpOptionSack = 5;
inline constexpr std::uint8_t kTcpOptionTimestamps = 8;

struct TcpTimestamps {
  std::uint32_t value = 0;
  std::uint32_t echo = 0;

  friend constexpr bool operator==(TcpTimestamps, TcpTimestamps) noexcept = default;
};

struct TcpOptions {
  std::optional<std::uint16_t> mss;  // bytes
  // Shift count, at most kMaxWindowScale: a greater one is taken for that (RFC 7323 section 2.3).
  std::optional<std::uint8_t> window_scale;
  bool sack_permitted = false;
  std::uint8_t sack_blocks = 0;
  std::optional<TcpTimestamps> timestamps;

  friend constexpr bool operator==(const TcpOptions&, const TcpOptions&) noexcept = default;
};

// Reads the bytes behind the fixed header. Unknown options are skipped; of one that is repeated the
// last counts, as Linux and FreeBSD have it. None for malformed options: a length below two, beyond
// the end, or not that of its kind.
[[nodiscard]] std::optional<TcpOptions> read_tcp_options(
    std::span<const std::uint8_t> options) noexcept;
// The same into `out`, which must be empty; false for none, and then it holds nothing of use.
[[nodiscard]] bool read_tcp_options(std::span<const std::uint8_t> options,
                                    TcpOptions& out) noexcept;

// Lowers the MSS to `most` bytes where it is above. True if anything changed. Of malformed options
// those before the malformed one are treated. Only a SYN's MSS means anything (RFC 9293 section
// 3.7.1), so there is no use in calling it for other segments.
bool clamp_mss(std::span<std::uint8_t> tcp_header_with_options, std::uint16_t most,
               net::ChecksumDelta& delta) noexcept;

// Overwrites selective acknowledgements with NOPs; SACK-permitted stays. True if anything changed.
// To a sender they are advisory (RFC 2018 section 8): without them it sends more again.
bool blank_sack(std::span<std::uint8_t> tcp_header_with_options,
                net::ChecksumDelta& delta) noexcept;

// Whether an option of `bytes`, a multiple of four, can be added to a header of `header_bytes`.
[[nodiscard]] constexpr bool option_fits(std::size_t header_bytes, std::size_t bytes) noexcept {
  return bytes % 4 == 0 && header_bytes + bytes <= limits::kMaxTcpHeader;
}

// Overwrites the end-of-options mark and the padding behind it with NOPs, so that an option added
// at the end of the option area is read; some senders, Apple's for one, end their options with it.
// True if anything changed. An option put before all others, right behind the fixed header, needs
// no such care.
bool open_option_end(std::span<std::uint8_t> tcp_header_with_options,
                     net::ChecksumDelta& delta) noexcept;

}  // namespace hawser::l4
