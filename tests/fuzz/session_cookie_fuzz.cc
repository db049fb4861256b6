// Fuzz target: session cookies, read from any text and written from any numbers.
//
// Input: four bytes of the time now, in units of 10 s; then the cookie's text, which is also taken
// for the numbers of a cookie to write.
#include <algorithm>
#include <array>
#include <string_view>

#include "../spec/guarded_frame.h"
#include "hawser/affinity/session_cookie.h"
#include "hawser/base/base64url.h"
#include "hawser/base/bytes.h"
#include "hawser/base/contract.h"
#include "hawser/net/endian.h"
#include "target.h"

namespace hawser::affinity {
namespace {

// The first key is that of tests/unit/cookie_vectors.py.
constexpr std::array kKeys{
    CookieKey{.id = 7, .secret = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
    CookieKey{.id = 8, .secret = {8}}};
constexpr std::string_view kService = "shop";
constexpr CookieLifetime kLifetime;

// What the times of a sound cookie say, told with signed numbers of any size.
CookieFault fault_by_time(const Session& session, std::int64_t now) {
  const std::int64_t born = session.born;
  const std::int64_t refreshed = session.refreshed;
  if (std::max(born, refreshed) - now > std::int64_t{limits::kCookieSkew}) {
    return CookieFault::kFuture;
  }
  if (now - refreshed > std::int64_t{kLifetime.idle}) return CookieFault::kIdle;
  if (now - born > std::int64_t{kLifetime.maximum}) return CookieFault::kTooOld;
  return CookieFault::kNone;
}

void require_round_trip(const Session& session, const CookieKey& key, std::uint32_t now) {
  std::array<char, kCookieText> text{};
  write_cookie(session, key, kService, text);
  const CookieReading reading =
      read_cookie({text.data(), text.size()}, kKeys, kService, kLifetime, now);
  HAWSER_REQUIRE(reading.session == session && reading.key_id == key.id);
  HAWSER_REQUIRE(reading.fault == fault_by_time(session, now));
}

void require_sound_reading(std::string_view text, std::uint32_t now) {
  const CookieReading reading = read_cookie(text, kKeys, kService, kLifetime, now);
  std::array<std::uint8_t, kCookieBytes> bytes{};
  const bool decoded = decode_base64url(text, bytes);
  HAWSER_REQUIRE(decoded == (reading.fault != CookieFault::kMalformed));
  if (!decoded) return;
  std::array<char, kCookieText> again{};
  encode_base64url(bytes, again);
  HAWSER_REQUIRE(std::equal(again.begin(), again.end(), text.begin(), text.end()));
  const bool sound = reading.fault == CookieFault::kNone || reading.fault == CookieFault::kFuture ||
                     reading.fault == CookieFault::kIdle || reading.fault == CookieFault::kTooOld;
  if (!sound) {
    HAWSER_REQUIRE(reading.session == Session{});
    return;
  }
  // Nobody else can write it: it is what we write.
  for (const CookieKey& key : kKeys) {
    if (key.id != reading.key_id) continue;
    write_cookie(reading.session, key, kService, again);
    HAWSER_REQUIRE(std::equal(again.begin(), again.end(), text.begin(), text.end()));
  }
}

}  // namespace
}  // namespace hawser::affinity

void fuzz_one(std::span<const std::uint8_t> input) {
  using namespace hawser;
  using namespace hawser::affinity;
  static spec::GuardedFrame guarded;
  Reader reader(input);
  net::Big32 now;
  if (!reader.read(now)) return;
  const auto bytes = reader.rest().first(std::min(reader.remaining(), limits::kMaxFrame));
  const std::uint8_t* placed = guarded.place(bytes, bytes.size());
  require_sound_reading({reinterpret_cast<const char*>(placed), bytes.size()}, now.host());
  Session session;
  if (!reader.read(session.generation) || !reader.read(session.backend) ||
      !reader.read(session.id) || !reader.read(session.epoch)) {
    return;
  }
  // Times anywhere, and times near now, where it matters.
  if (!reader.read(session.born) || !reader.read(session.refreshed)) return;
  require_round_trip(session, kKeys[session.generation % 2U], now.host());
  session.born = now.host() - session.born % 8192 + 16;
  session.refreshed = now.host() - session.refreshed % 256 + 16;
  require_round_trip(session, kKeys[session.generation % 2U], now.host());
}
