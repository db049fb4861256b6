// Maglev's permutation fill with quotas: which member owns each slot of a first build.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hawser/table/maglev.h"

namespace hawser::table {

// Members take turns as often as their weight lets them, relative to the heaviest, and stop at
// their quota; at its turn a member takes the first free slot of its own permutation (Eisenbud et
// al., NSDI 2016, section 3.4). `slots` is prime. Every slot is owned, unless there are no members.
//
// Cost: about slots x ln(slots) / 2 looks at a bitmap that fits the first-level cache.
[[nodiscard]] std::vector<std::uint16_t> permutation_fill(std::span<const Member> members,
                                                          std::uint32_t slots);

}  // namespace hawser::table
