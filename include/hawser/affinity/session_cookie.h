// The session cookie: which backend a user's session belongs to, authenticated and opaque.
//
// 40 bytes, base64url without padding (54 characters):
//
//    0 |version 4 bits|key id 4 bits|   format and signing key
//    1 |generation 2|                   keyed hash of its name; 0: none
//    3 |backend 4|                      keyed hash of its name: tells nobody an address
//    7 |session 8|                      random
//   15 |born 4|                         units of 10 s since 1970
//   19 |refreshed 4|                    the same
//   23 |epoch 8|                        of the snapshot that chose the backend
//   31 |reserved 1|                     zero, else of another format
//   32 |tag 8|                          SipHash-2-4 over bytes 0..31 and the service's name
//
// The version is 1. Numbers are big endian; the tag lies as SipHash's reference implementation
// writes it. Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
// Threading: pure functions. Nothing allocates.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "hawser/base/limits.h"

namespace hawser::affinity {

// A signing key. Two live at once, so that a change of keys unpins nobody.
struct CookieKey {
  std::uint8_t id = 0;  // 0..15
  std::array<std::uint8_t, 16> secret{};

  friend bool operator==(const CookieKey&, const CookieKey&) = default;
};

struct Session {
  std::uint16_t generation = 0;
  std::uint32_t backend = 0;
  std::uint64_t id = 0;
  std::uint32_t born = 0;       // units of 10 s since 1970
  std::uint32_t refreshed = 0;  // the same
  std::uint64_t epoch = 0;

  friend bool operator==(const Session&, const Session&) = default;
};

// Why a cookie does not count. Cause = counter = word in `hawserctl why`.
enum class CookieFault : std::uint8_t {
  kNone,
  kMalformed,       // not base64url, or not of this length
  kBadVersion,      // of a format that this program does not know
  kUnknownKey,      // signed with a key that is neither of the two
  kBadTag,          // forged or damaged
  kOtherService,    // sound, but of another service (found by the caller)
  kFuture,          // born or refreshed later than now, by more than limits::kCookieSkew
  kIdle,            // not used for longer than the idle lifetime
  kTooOld,          // born longer ago than the maximum lifetime
  kUnknownBackend,  // sound, but its backend is no more (found by the caller)
  kCount,
};
inline constexpr std::size_t kCookieFaults = static_cast<std::size_t>(CookieFault::kCount);
[[nodiscard]] std::string_view to_string(CookieFault fault) noexcept;
[[nodiscard]] std::string_view help_of(CookieFault fault) noexcept;

inline constexpr std::size_t kCookieBytes = 40;
inline constexpr std::size_t kCookieText = 54;

struct CookieLifetime {
  std::uint32_t idle = 90;       // units of 10 s
  std::uint32_t maximum = 4320;  // units of 10 s
};

struct CookieReading {
  CookieFault fault = CookieFault::kNone;
  std::uint8_t key_id = 0;
  Session session;  // with kNone, kFuture, kIdle, kTooOld
};

// Units of 10 s of a time in seconds since 1970.
[[nodiscard]] constexpr std::uint32_t cookie_time(std::uint64_t unix_seconds) noexcept {
  return static_cast<std::uint32_t>(unix_seconds / 10);
}

// Reads a cookie's value and checks it in the order of CookieFault. The tag is compared in constant
// time. `now` in units of 10 s.
[[nodiscard]] CookieReading read_cookie(std::string_view value, std::span<const CookieKey> keys,
                                        std::string_view service, const CookieLifetime& lifetime,
                                        std::uint32_t now) noexcept;

// Writes kCookieText characters.
void write_cookie(const Session& session, const CookieKey& key, std::string_view service,
                  std::span<char, kCookieText> out) noexcept;

// What stands for a backend or a generation in a cookie, keyed so that it reveals no name. The same
// on every balancer with the same `secret` (of the cluster, 16 bytes). Never 0.
[[nodiscard]] std::uint32_t backend_tag(std::span<const std::uint8_t, 16> secret,
                                        std::string_view service,
                                        std::string_view backend) noexcept;
[[nodiscard]] std::uint16_t generation_tag(std::span<const std::uint8_t, 16> secret,
                                           std::string_view service,
                                           std::string_view generation) noexcept;

}  // namespace hawser::affinity
