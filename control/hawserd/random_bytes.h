// Random bytes for keys.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "hawser/base/result.h"

namespace hawser::control {

// Fills `bytes` (at most 256, which the kernel gives whole) from its generator; fails only where
// there is none. `what` they are for stands in the error.
[[nodiscard]] Result<void> fill_random(std::span<std::uint8_t> bytes, std::string_view what);

}  // namespace hawser::control
