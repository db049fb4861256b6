// A segment of a connection whose client and backend are joined.
#pragma once

#include "read.h"
#include "side.h"

namespace hawser::pipeline {

[[nodiscard]] Verdict hear(Packet& packet, const Segment& segment, const Side& sender,
                           Context& context) noexcept;

// The same of one that is over: what is on its way still passes.
[[nodiscard]] Verdict hear_over(Packet& packet, const Segment& segment, const Side& sender,
                                Context& context) noexcept;

// Answers a segment that does not fit with what would fit (RFC 5961), at a limited rate.
[[nodiscard]] Verdict challenge(Packet& packet, const Side& sender, Context& context) noexcept;

}  // namespace hawser::pipeline
