// The keys that sign session cookies: which come next, and when the next may come.
//
// One signs, and the one before it still counts, so that a rotation unpins nobody who comes back
// within the idle lifetime. A second rotation before that is over would; a guard prevents it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "hawser/base/result.h"
#include "hawser/model/service.h"
#include "journal.h"

namespace hawser::control {

using KeySecret = std::array<std::uint8_t, 16>;

// What may be told of a key: all but its secret.
struct KeyView {
  std::uint8_t id = 0;
  bool signs = false;  // else it only counts
  Authorship by;
  friend bool operator==(const KeyView&, const KeyView&) = default;
};

struct KeysView {
  std::vector<KeyView> keys;             // in the order of the ring
  std::uint64_t next_rotation_unix = 0;  // before it a rotation would unpin users; 0: now
};

// With a new key that signs; its id follows the last one's. Of the old ones the last that signed
// anything stays.
[[nodiscard]] KeyRing rotated(const KeyRing& ring, const KeySecret& secret, const Authorship& by);

// Seconds that a cookie may count after the key that signed it stopped signing: the longest idle
// lifetime of all services with session cookies, and what clocks may differ. 0 without such a
// service.
[[nodiscard]] std::uint64_t lifetime_of_cookies(const std::vector<model::Service>& services);

// When a rotation unpins nobody; 0: now. `lifetime` and `now_unix` in seconds.
[[nodiscard]] std::uint64_t next_rotation(const KeyRing& ring, std::uint64_t lifetime,
                                          std::uint64_t now_unix);

// The guard of a rotation; the error says until when, and what to do.
[[nodiscard]] Result<void> may_rotate(const KeyRing& ring, std::uint64_t lifetime,
                                      std::uint64_t now_unix);

[[nodiscard]] KeysView view_of(const KeyRing& ring, std::uint64_t lifetime, std::uint64_t now_unix);

// As the dataplane is told.
[[nodiscard]] std::vector<model::CookieKey> keys_of(const KeyRing& ring);

}  // namespace hawser::control
