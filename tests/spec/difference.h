// Saying how what came out differs from what was expected, for people.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "script.h"

namespace hawser::spec {

// One line for each byte that differs, named by its header field, then both frames in hex. Empty
// when they are the same.
[[nodiscard]] std::vector<std::string> differences(std::span<const std::uint8_t> expected,
                                                   std::span<const std::uint8_t> actual);

// One line for each counter that differs. `expected` and `actual` omit zeros.
[[nodiscard]] std::vector<std::string> differences(const Json& expected, const Json& actual,
                                                   const std::string& path);

}  // namespace hawser::spec
