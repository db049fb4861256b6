// The client's side of a spliced connection before there is a record of it.
#pragma once

#include "side.h"

namespace hawser::pipeline {

// A segment of a client of which nothing is known: a SYN is answered with a cookie, data that
// returns one begins a connection.
[[nodiscard]] Verdict hear_unknown(Packet& packet, const Segment& segment,
                                   Context& context) noexcept;

// Data on a connection that is over, with a valid cookie of a new handshake.
[[nodiscard]] bool begins_anew(const Packet& packet, const Segment& segment,
                               const Context& context) noexcept;

}  // namespace hawser::pipeline
