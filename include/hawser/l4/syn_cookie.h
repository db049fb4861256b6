// SYN cookies: answering a TCP SYN without keeping anything (RFC 4987 section 3.6).
//
// What must be known later (MSS, window scale, SACK) returns in the acknowledgement, with a keyed
// MAC. Without timestamps the sequence number is all there is: it is MAC + profile, where a profile
// is one of four usual combinations, so 4 x 2 (windows) of 2^32 numbers are valid and forging one
// costs 2^29 packets. With timestamps the TSval carries 24 more bits of MAC beside the exact
// values: forging costs 2^55.
//
//    sequence alone:  sequence  |MAC 30 bits|profile 2|
//    with timestamps: sequence  |MAC 32 bits|
//                     TSval     |MAC 24 bits|MSS index 3|window scale 4 (15: none)|SACK 1|
//
// The MAC is SipHash-2-4 over addresses, ports, the client's initial sequence number and the number
// of a 64 s window of wall-clock time, under a key that all balancers of a cluster have. Cookies of
// the current and the last window are valid.
// Threading: pure functions. Nothing allocates.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "hawser/l4/sequence.h"
#include "hawser/net/address.h"

namespace hawser::l4 {

using SynKey = std::array<std::uint8_t, 16>;

// The ends of a connection, as the client sees them.
struct SynTuple {
  net::IpAddress client;
  net::IpAddress service;
  net::Big16 client_port;
  net::Big16 service_port;
};

// What the client offered and the answer may promise.
struct SynOffer {
  std::uint16_t mss = 536;                   // bytes
  std::optional<std::uint8_t> window_scale;  // 0..14
  bool sack = false;
  bool timestamps = false;

  friend bool operator==(const SynOffer&, const SynOffer&) = default;
};

struct SynAnswer {
  Sequence sequence;            // of the SYN-ACK
  std::uint32_t timestamp = 0;  // its TSval, with timestamps
  // What the cookie can carry of the offer, and no more than was offered, with one exception: an
  // MSS below 536 (IPv6: 1220) is kept as that, which every host must accept (RFC 9293 section
  // 3.7.1).
  SynOffer kept;
};

// Number of the 64 s window of a time in seconds since 1970.
[[nodiscard]] constexpr std::uint32_t syn_window(std::uint64_t unix_seconds) noexcept {
  return static_cast<std::uint32_t>(unix_seconds >> 6U);
}

[[nodiscard]] SynAnswer make_syn_cookie(const SynKey& key, const SynTuple& tuple,
                                        Sequence client_isn, const SynOffer& offer,
                                        std::uint32_t window) noexcept;

// What was agreed with a client whose first segment says it acknowledges `answer_isn` + 1 and, with
// timestamps, echoes `timestamp_echo`; none when no cookie of this or the last window says so.
[[nodiscard]] std::optional<SynOffer> check_syn_cookie(const SynKey& key, const SynTuple& tuple,
                                                       Sequence client_isn, Sequence answer_isn,
                                                       std::optional<std::uint32_t> timestamp_echo,
                                                       std::uint32_t window) noexcept;

}  // namespace hawser::l4
