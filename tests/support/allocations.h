// How often this program has allocated, for tests that must not.
#pragma once

#include <cstdint>

namespace hawser::tests {

// Calls of operator new so far, all threads.
[[nodiscard]] std::uint64_t allocations();

}  // namespace hawser::tests
