// HandshakeClock: when the SYN of a connection behind nat went to its backend.
//
// A sample: each local port has one place that it shares with others, and the last SYN has it. A
// connection whose place was taken meanwhile is not timed; with many SYNs a second that happens
// more to slow ones. So a NAT record need not grow, and a flood costs one store for each SYN.
//
// Layout: 4096 entries of 8 bytes, by the ordinal of the local port.
// Threading: one worker owns it. Cost: one cache line at a SYN and at its SYN-ACK.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "hawser/base/limits.h"

namespace hawser::pipeline {

class HandshakeClock {
 public:
  // `ordinal`: of the local port among all of this worker (NatTable::ordinal).
  void start(std::size_t ordinal, std::uint32_t now_us) noexcept {
    place(ordinal) = {.port = name_of(ordinal), .since_us = now_us};
  }
  // Microseconds since start(), once; none if another took its place.
  [[nodiscard]] std::optional<std::uint32_t> stop(std::size_t ordinal,
                                                  std::uint32_t now_us) noexcept {
    Entry& entry = place(ordinal);
    if (entry.port != name_of(ordinal)) return std::nullopt;
    entry.port = 0;
    return now_us - entry.since_us;
  }

 private:
  struct Entry {
    std::uint32_t port = 0;  // 0: nobody
    std::uint32_t since_us = 0;
  };
  [[nodiscard]] static std::uint32_t name_of(std::size_t ordinal) noexcept {
    return static_cast<std::uint32_t>(ordinal) + 1;
  }
  [[nodiscard]] Entry& place(std::size_t ordinal) noexcept {
    return entries_[ordinal % entries_.size()];
  }

  std::array<Entry, limits::kTimedHandshakes> entries_{};
};

}  // namespace hawser::pipeline
