// LiveSessions: about how many sessions a backend has had within the last minutes.
//
// A HyperLogLog that slides. An ordinary one has, for each of 512 registers, the highest rank that
// any session has shown; of a window of time it would need one for each of its parts, 90 arrays for
// a quarter of an hour. Here a register has a byte for each rank, which says in which part of the
// window, a *bucket*, that rank was last seen. The highest rank whose byte is young enough is what
// the arrays of all those buckets together would say: nothing is lost against them, a session is
// noted by one store, and 16 ranks take 8 KiB for each backend and worker, whatever the window.
// (90 arrays of 512 registers of 5 bits would take 28 KiB.)
//
//   word 2r     | rank 8 | ... | rank 1 |   of register r: a byte for each rank
//   word 2r+1   | rank 16| ... | rank 9 |   0: never, else 1 + bucket modulo 255
//
// Bytes that are out of the window are wiped each kWipe buckets, long before the modulus makes them
// look young. Rank 16 means 16 or more: beyond 30 million sessions of a backend the error grows.
//
// Error: 1.04 / sqrt(512) = 4.6 % (one standard deviation); exact at 0. Workers' arrays are joined
// before counting, so a session that several workers see counts once.
// Threading: one worker writes, anyone reads; a reader may miss what comes meanwhile.
// Cost: one store to one cache line for each request; every kWipe buckets 1024 words are looked at.
// Reference: Flajolet et al., "HyperLogLog", 2007; Chabchoub and Hebrail, "Sliding HyperLogLog",
// 2010 (which keeps lists where this has a table); the estimator is that of Ertl, "New cardinality
// estimation algorithms for HyperLogLog sketches", 2017, which needs no tables of corrections.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "hawser/base/limits.h"

namespace hawser::affinity {

// How the idle time of a service's sessions is cut into buckets.
struct SessionWindow {
  std::uint32_t units = 1;     // of 10 s, in a bucket
  std::uint32_t buckets = 90;  // after which a session is no longer live

  // `now`: units of 10 s since 1970, as cookie_time() has it.
  [[nodiscard]] constexpr std::uint32_t bucket(std::uint32_t now) const noexcept {
    return now / units;
  }
};
// At most limits::kSessionBuckets, of 10 s at least. `idle`: units of 10 s.
[[nodiscard]] constexpr SessionWindow session_window(std::uint32_t idle) noexcept {
  const std::uint32_t units = (idle + limits::kSessionBuckets - 1) / limits::kSessionBuckets;
  if (units <= 1) return {.units = 1, .buckets = idle};
  return {.units = units, .buckets = (idle + units - 1) / units};
}

class alignas(64) LiveSessions {
 public:
  static constexpr std::size_t kRegisters = 512;
  static constexpr unsigned kRanks = 16;

  // Only the owning worker. `id`: 64 random bits that nobody outside can choose; `bucket`: now.
  void see(std::uint64_t id, std::uint32_t bucket) noexcept;
  // Only the owning worker, or while it writes nothing.
  void clear() noexcept;

  // The highest rank of a register that was seen within `buckets` before `now`; 0: none.
  [[nodiscard]] unsigned highest(std::size_t index, std::uint32_t now,
                                 std::uint32_t buckets) const noexcept;

 private:
  void advance(std::uint32_t bucket) noexcept;
  void wipe(std::uint32_t bucket) noexcept;

  std::array<std::atomic<std::uint64_t>, 2 * kRegisters> words_{};
  std::atomic<std::uint32_t> last_{0};  // bucket of the last session
  std::uint32_t wiped_ = 0;             // bucket of the last wipe
};
static_assert(sizeof(LiveSessions) == 8192 + 64);

// Sessions that any of `parts`, all of one backend, has seen within the window before `now`.
[[nodiscard]] double live_sessions(std::span<const LiveSessions* const> parts, std::uint32_t now,
                                   std::uint32_t buckets) noexcept;

}  // namespace hawser::affinity
