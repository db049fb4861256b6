// ReadTally: what the pipeline has counted of requests that it read.
#pragma once

#include <cstdint>

#include "rig.h"

namespace hawser::bench {

struct ReadTally {
  std::uint64_t requests = 0;
  std::uint64_t kept = 0;       // requests whose cookie was sound and named its home
  std::uint64_t last_rule = 0;  // requests that the last rule matched, if there is one
  std::uint64_t unusual = 0;    // insertions, retries, tunnels, faults, refusals, sent again

  [[nodiscard]] static ReadTally of(Rig& rig);
  [[nodiscard]] ReadTally since(const ReadTally& before) const;
};

// Throws std::runtime_error unless every one of so many requests was read, its cookie verified, the
// rules gone through to the last, and nothing else happened.
void require_kept(const ReadTally& tally, std::uint64_t requests, bool has_rules);

}  // namespace hawser::bench
