// Contracts: what only a programmer of Hawser can get wrong. A broken one stops the process.
//
// HAWSER_REQUIRE stays in release builds; it is for set-up code and snapshots, never per packet.
// HAWSER_ASSERT is compiled out of release builds and may be used on the packet path.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace hawser {

[[noreturn]] inline void contract_broken(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "hawser: contract broken: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace hawser

#define HAWSER_REQUIRE(condition) \
  ((condition) ? void() : ::hawser::contract_broken(#condition, __FILE__, __LINE__))

#ifdef NDEBUG
#define HAWSER_ASSERT(condition) void()
#else
#define HAWSER_ASSERT(condition) HAWSER_REQUIRE(condition)
#endif
