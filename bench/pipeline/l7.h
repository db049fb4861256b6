// What the two measurements of l7 have in common: their options, and requests kept alive or alone.
#pragma once

#include <vector>

#include "measure.h"
#include "peers.h"
#include "report.h"

namespace hawser::bench {

struct L7Options {
  unsigned family = 4;
  std::vector<std::size_t> rules{0, 10, 1000};
  std::vector<std::size_t> heads{200, 1024, 4096};
  std::uint32_t connections = 1U << 14;  // kept alive
  std::uint32_t requests = 1U << 19;     // of one measurement
  std::uint32_t lives = 1U << 17;        // whole connections of one measurement
  std::size_t response = 600;
  bool no_timestamps = false;
  bool offload = false;

  // What both measurements tell of themselves.
  [[nodiscard]] PeersSetup peers(std::uint32_t remembered, std::size_t head) const {
    return {.remembered = remembered,
            .timestamps = !no_timestamps,
            .head_bytes = head,
            .response_bytes = response};
  }
  // As a port has it that verifies checksums, or one that does not.
  void mark(pipeline::Burst& burst) const noexcept {
    if (!offload) return;
    for (pipeline::Packet& packet : burst.span()) {
      packet.ip_checksum = packet.transport_checksum = pipeline::ChecksumSeen::kGood;
    }
  }
};

// The first columns, the same of both.
[[nodiscard]] Row l7_row(const L7Options& options, const char* what, std::size_t rules,
                         std::size_t head, std::uint32_t segments);

[[nodiscard]] Row measure_kept_alive(const L7Options& options, std::size_t rules, std::size_t head,
                                     unsigned repeats);
[[nodiscard]] Row measure_lives(const L7Options& options, std::size_t rules, std::size_t head,
                                unsigned repeats);

}  // namespace hawser::bench
