// Lengths of time as people write them: "500ms", "90s", "30m", "2h", "7d".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hawser {

// Milliseconds. A whole number and its unit without a blank; nothing for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_duration(std::string_view text);

// In the largest unit that divides it: 90000 is "90s", 120000 is "2m".
[[nodiscard]] std::string duration_text(std::uint64_t milliseconds);

}  // namespace hawser
