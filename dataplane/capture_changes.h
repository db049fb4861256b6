// What differs between a packet as it came in and as it went out, in words.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hawser::dataplane {

// Both are Ethernet frames, maybe cut short; what neither has is not compared. In the order of the
// headers; checksums, which follow from the rest, are left out. Static texts.
[[nodiscard]] std::vector<const char*> changes_of(std::span<const std::uint8_t> came,
                                                  std::span<const std::uint8_t> goes);

}  // namespace hawser::dataplane
