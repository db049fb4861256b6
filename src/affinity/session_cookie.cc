// Session cookies: their bytes, their tag, and what can be wrong with one.
#include "hawser/affinity/session_cookie.h"

#include <algorithm>
#include <cstring>

#include <sodium.h>

#include "hawser/base/base64url.h"
#include "hawser/base/bytes.h"
#include "hawser/base/contract.h"
#include "hawser/net/endian.h"

namespace hawser::affinity {
namespace {

constexpr std::uint8_t kVersion = 1;

// Where each field lies; the next one begins where it ends.
enum Offset : std::size_t {
  kVersionAndKey = 0,
  kGeneration = 1,
  kBackend = 3,
  kSession = 7,
  kBorn = 15,
  kRefreshed = 19,
  kEpoch = 23,
  kReserved = 31,
  kTag = 32,
};
using Tag = std::array<std::uint8_t, crypto_shorthash_BYTES>;
using CookieBytes = std::array<std::uint8_t, kCookieBytes>;
static_assert(kTag + sizeof(Tag) == kCookieBytes);
static_assert(base64url_length(kCookieBytes) == kCookieText);
static_assert(sizeof(CookieKey::secret) == crypto_shorthash_KEYBYTES);

// What SipHash takes in one piece.
class Message {
 public:
  void add(std::span<const std::uint8_t> bytes) noexcept { add(bytes.data(), bytes.size()); }
  void add(std::string_view name) noexcept {
    HAWSER_ASSERT(name.size() <= limits::kMaxName);
    add(name.data(), std::min(name.size(), limits::kMaxName));
  }
  [[nodiscard]] Tag sign(
      std::span<const std::uint8_t, crypto_shorthash_KEYBYTES> key) const noexcept {
    Tag tag;
    crypto_shorthash(tag.data(), bytes_.data(), length_, key.data());
    return tag;
  }

 private:
  void add(const void* from, std::size_t count) noexcept {
    if (count != 0) std::memcpy(&bytes_[length_], from, count);
    length_ += count;
  }

  std::array<std::uint8_t, kTag + 2 * limits::kMaxName> bytes_;
  std::size_t length_ = 0;
};

Tag cookie_tag(const CookieBytes& bytes, const CookieKey& key, std::string_view service) noexcept {
  Message message;
  message.add(std::span(bytes).first(kTag));
  message.add(service);
  return message.sign(key.secret);
}

template <typename T>
auto number(const CookieBytes& bytes, Offset at) noexcept {
  return load<T>(bytes.data() + at).host();
}

Session session_of(const CookieBytes& bytes) noexcept {
  return {.generation = number<net::Big16>(bytes, kGeneration),
          .backend = number<net::Big32>(bytes, kBackend),
          .id = number<net::Big64>(bytes, kSession),
          .born = number<net::Big32>(bytes, kBorn),
          .refreshed = number<net::Big32>(bytes, kRefreshed),
          .epoch = number<net::Big64>(bytes, kEpoch)};
}

// kNone if one of the keys made the tag.
CookieFault check_tag(const CookieBytes& bytes, std::uint8_t key_id,
                      std::span<const CookieKey> keys, std::string_view service) noexcept {
  const std::uint8_t* tag = bytes.data() + kTag;
  CookieFault fault = CookieFault::kUnknownKey;
  for (const CookieKey& key : keys) {
    if (key.id != key_id) continue;
    const Tag expected = cookie_tag(bytes, key, service);
    if (sodium_memcmp(expected.data(), tag, sizeof(Tag)) == 0) return CookieFault::kNone;
    fault = CookieFault::kBadTag;
  }
  return fault;
}

// Ages in 64 bits: a balancer whose clock is ahead may have written a time after `now`, and no age
// is negative.
CookieFault check_times(const Session& session, const CookieLifetime& lifetime,
                        std::uint32_t now) noexcept {
  const std::uint64_t latest = std::uint64_t{now} + limits::kCookieSkew;
  if (session.born > latest || session.refreshed > latest) return CookieFault::kFuture;
  if (std::uint64_t{session.refreshed} + lifetime.idle < now) return CookieFault::kIdle;
  if (std::uint64_t{session.born} + lifetime.maximum < now) return CookieFault::kTooOld;
  return CookieFault::kNone;
}

struct FaultInfo {
  CookieFault fault;
  std::string_view name;
  std::string_view help;
};

constexpr std::array<FaultInfo, kCookieFaults> kFaults{{
    {CookieFault::kNone, "none", "The cookie is sound and counts."},
    {CookieFault::kMalformed, "malformed", "It is not 54 characters of base64url."},
    {CookieFault::kBadVersion, "bad_version", "Its format is not known to this program."},
    {CookieFault::kUnknownKey, "unknown_key", "The key that signed it is not in use any more."},
    {CookieFault::kBadTag, "bad_tag", "It was forged or damaged: its signature does not fit."},
    {CookieFault::kOtherService, "other_service", "It is sound, but of another service."},
    {CookieFault::kFuture, "future",
     "It was written later than now, by more than clocks may differ."},
    {CookieFault::kIdle, "idle", "It was not used for longer than the idle lifetime."},
    {CookieFault::kTooOld, "too_old", "Its session is older than the maximum lifetime."},
    {CookieFault::kUnknownBackend, "unknown_backend", "Its backend is not configured any more."},
}};

constexpr bool in_order() noexcept {
  for (std::size_t i = 0; i < kFaults.size(); ++i) {
    if (static_cast<std::size_t>(kFaults[i].fault) != i) return false;
  }
  return true;
}
static_assert(in_order());

// The hash of a name within a service. The length keeps the two names apart, `purpose` one kind of
// name from another.
std::uint64_t name_tag(std::span<const std::uint8_t, 16> secret, char purpose,
                       std::string_view service, std::string_view name) noexcept {
  Message message;
  const std::array<std::uint8_t, 2> head{static_cast<std::uint8_t>(purpose),
                                         static_cast<std::uint8_t>(service.size())};
  message.add(head);
  message.add(service);
  message.add(name);
  const Tag tag = message.sign(secret);
  return load<net::Big64>(tag.data()).host();
}

}  // namespace

std::string_view to_string(CookieFault fault) noexcept {
  return kFaults[static_cast<std::size_t>(fault)].name;
}

std::string_view help_of(CookieFault fault) noexcept {
  return kFaults[static_cast<std::size_t>(fault)].help;
}

CookieReading read_cookie(std::string_view value, std::span<const CookieKey> keys,
                          std::string_view service, const CookieLifetime& lifetime,
                          std::uint32_t now) noexcept {
  CookieReading reading;
  CookieBytes bytes;
  if (!decode_base64url(value, bytes)) {
    reading.fault = CookieFault::kMalformed;
    return reading;
  }
  const std::uint8_t first = bytes[kVersionAndKey];
  // The reserved byte is for formats to come: one that uses it is not this one.
  if (first >> 4U != kVersion || bytes[kReserved] != 0) {
    reading.fault = CookieFault::kBadVersion;
    return reading;
  }
  reading.key_id = first & 0x0fU;
  reading.fault = check_tag(bytes, reading.key_id, keys, service);
  if (reading.fault != CookieFault::kNone) return reading;
  reading.session = session_of(bytes);
  reading.fault = check_times(reading.session, lifetime, now);
  return reading;
}

void write_cookie(const Session& session, const CookieKey& key, std::string_view service,
                  std::span<char, kCookieText> out) noexcept {
  HAWSER_ASSERT(key.id <= 0x0f);
  CookieBytes bytes;
  const auto put = [&bytes](Offset at, auto value) { store(bytes.data() + at, value); };
  bytes[kVersionAndKey] = static_cast<std::uint8_t>(kVersion << 4U | (key.id & 0x0fU));
  put(kGeneration, net::Big16(session.generation));
  put(kBackend, net::Big32(session.backend));
  put(kSession, net::Big64(session.id));
  put(kBorn, net::Big32(session.born));
  put(kRefreshed, net::Big32(session.refreshed));
  put(kEpoch, net::Big64(session.epoch));
  bytes[kReserved] = 0;
  put(kTag, cookie_tag(bytes, key, service));
  encode_base64url(bytes, out);
}

std::uint32_t backend_tag(std::span<const std::uint8_t, 16> secret, std::string_view service,
                          std::string_view backend) noexcept {
  const auto tag = static_cast<std::uint32_t>(name_tag(secret, 'b', service, backend) >> 32U);
  return std::max<std::uint32_t>(tag, 1);
}

std::uint16_t generation_tag(std::span<const std::uint8_t, 16> secret, std::string_view service,
                             std::string_view generation) noexcept {
  const auto tag = static_cast<std::uint16_t>(name_tag(secret, 'g', service, generation) >> 48U);
  return std::max<std::uint16_t>(tag, 1);
}

}  // namespace hawser::affinity
