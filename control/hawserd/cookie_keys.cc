// The order of the keys and the guard of their rotation.
#include "cookie_keys.h"

#include <algorithm>
#include <ctime>
#include <string>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "hawser/base/limits.h"

namespace hawser::control {
namespace {

// Ids have four bits in a cookie.
constexpr unsigned kKeyIds = 16;

// Cookies tell time in units of ten seconds, rounded when written and when read.
constexpr std::uint64_t kUnitSeconds = 10;
constexpr std::uint64_t kSlackSeconds = (limits::kCookieSkew + 2) * kUnitSeconds;

std::string moment(std::uint64_t unix_seconds) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                     fmt::gmtime(static_cast<std::time_t>(unix_seconds)));
}

}  // namespace

KeyRing rotated(const KeyRing& ring, const KeySecret& secret, const Authorship& by) {
  KeyRing next{{.key = {.id = 0, .secret = secret}, .by = by, .confirmed = false}};
  if (ring.empty()) return next;
  next.front().key.id = static_cast<std::uint8_t>((ring.front().key.id + 1) % kKeyIds);
  // A key that no dataplane has taken has signed nothing yet.
  const bool superseded = !ring.front().confirmed && ring.size() > 1;
  next.push_back(ring[superseded ? 1 : 0]);
  return next;
}

std::uint64_t lifetime_of_cookies(const std::vector<model::Service>& services) {
  std::uint64_t longest = 0;
  for (const model::Service& service : services) {
    if (service.affinity.by != model::AffinityBy::kCookie) continue;
    longest = std::max<std::uint64_t>(longest, service.affinity.cookie.idle_seconds);
  }
  return longest == 0 ? 0 : longest + kSlackSeconds;
}

std::uint64_t next_rotation(const KeyRing& ring, std::uint64_t lifetime, std::uint64_t now_unix) {
  // Without a key that only counts, a rotation takes none away.
  if (ring.size() < 2 || lifetime == 0) return 0;
  const std::uint64_t since = ring.front().confirmed ? ring.front().by.since_unix : now_unix;
  const std::uint64_t next = since + lifetime;
  return next > now_unix ? next : 0;
}

Result<void> may_rotate(const KeyRing& ring, std::uint64_t lifetime, std::uint64_t now_unix) {
  const std::uint64_t next = next_rotation(ring, lifetime, now_unix);
  if (next == 0) return {};
  const unsigned signing = ring.front().key.id;
  if (!ring.front().confirmed) {
    return fail(
        fmt::format("the dataplane has not taken key {} of the last rotation yet; another one is "
                    "possible {} s after it has. --force replaces that key by a new one now",
                    signing, lifetime));
  }
  return fail(
      fmt::format("key {} signs only since {}, and users whose cookie key {} signed may still come "
                  "back: rotating now would unpin them. Possible from {}, in {} s; --force rotates "
                  "now",
                  signing, moment(ring.front().by.since_unix), ring.back().key.id, moment(next),
                  next - now_unix));
}

KeysView view_of(const KeyRing& ring, std::uint64_t lifetime, std::uint64_t now_unix) {
  KeysView view;
  for (const KeyRecord& record : ring) {
    view.keys.push_back({.id = record.key.id, .signs = view.keys.empty(), .by = record.by});
  }
  view.next_rotation_unix = next_rotation(ring, lifetime, now_unix);
  return view;
}

std::vector<model::CookieKey> keys_of(const KeyRing& ring) {
  std::vector<model::CookieKey> keys;
  keys.reserve(ring.size());
  for (const KeyRecord& record : ring) keys.push_back(record.key);
  return keys;
}

}  // namespace hawser::control
