// Timestamps in the stead of a backend that has none, for clients that agreed to them.
//
// The SYN-ACK, and with it what is agreed with the client, goes out before a backend is known. Once
// agreed, each segment of a connection must carry the option (RFC 7323 section 3.2), so the
// balancer makes it: TSval by its own clock in milliseconds, as if that were the backend's; TSecr
// is the newest time of the client. From there on the segment is treated like any other.
#pragma once

#include "side.h"

namespace hawser::pipeline {

// Bytes of the option with its padding (RFC 7323 appendix A).
inline constexpr std::uint16_t kTimestampsBytes = 12;

[[nodiscard]] inline bool lacks_timestamps(const Connection& connection) noexcept {
  return connection.timestamps && !connection.server_timestamps;
}

// Gives a backend's segment the option if it lacks it; `segment` is read anew. Of selective
// acknowledgements three blocks are kept, as many as fit beside it (RFC 2018 section 3); other
// options were never offered to the backend, and go. The packet needs headroom for the option.
void add_timestamps(Packet& packet, Segment& segment, const Side& server,
                    const Context& context) noexcept;

}  // namespace hawser::pipeline
