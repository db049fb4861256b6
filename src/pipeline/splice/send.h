// Sending on spliced connections: segments of the balancer's own, to either side.
#pragma once

#include "../own_packet.h"
#include "hawser/pipeline/snapshot.h"
#include "mapping.h"
#include "side.h"

namespace hawser::pipeline {

// The largest segment, without options, that a packet of `mtu` bytes has room for.
[[nodiscard]] constexpr std::uint16_t segment_room(std::size_t mtu, bool ipv4) noexcept {
  const std::size_t ip = ipv4 ? sizeof(net::Ipv4Header) : sizeof(net::Ipv6Header);
  return static_cast<std::uint16_t>(mtu - ip - sizeof(net::TcpHeader));
}
// The same of a port.
[[nodiscard]] inline std::uint16_t segment_room(PortId port, bool ipv4,
                                                const Context& context) noexcept {
  return segment_room(context.snapshot.ports[port.value].mtu, ipv4);
}

// A segment of our own that waits for its payload.
struct Made {
  Packet* packet;
  Ends ends;
  std::span<std::uint8_t> payload;
  bool to_client;
};

[[nodiscard]] Ends ends_to(const Side& receiver, const Context& context) noexcept;

// Units of the windows that this side sends, and of those that it is told; shift counts.
[[nodiscard]] std::uint8_t window_unit_of(const Side& sender) noexcept;
[[nodiscard]] std::uint8_t window_unit_to(const Side& receiver) noexcept;

// The window that a client without a record is told, as it stands in the header of any segment but
// a SYN-ACK.
[[nodiscard]] constexpr std::uint16_t reading_window(bool scaled) noexcept {
  return limits::kReadingWindow >> (scaled ? limits::kOfferedWindowScale : 0);
}

// The window as this side is told it next, about the bytes that it sends itself.
[[nodiscard]] std::uint16_t window_for(const Side& receiver, l4::Sequence acknowledged) noexcept;

// Turns a packet, of a client or a backend, into a segment that goes back where it came from:
// `verdict`, or kNoBuffer.
[[nodiscard]] Verdict reply(Packet& packet, const OwnSegment& own, Verdict verdict,
                            const Context& context,
                            std::span<const std::uint8_t> payload = {}) noexcept;

// Where `packet` leaves towards this side, and its link header. False when the next hop is not
// known.
[[nodiscard]] bool set_way(Packet& packet, const Side& receiver, const Context& context) noexcept;

// Header fields of a segment to `receiver` at `sequence` of the bytes it gets: acknowledges all it
// may be told of.
[[nodiscard]] OwnSegment segment_to(const Side& receiver, l4::Sequence sequence,
                                    std::uint8_t flags) noexcept;

// None when no buffer is free or the next hop is not known: the timer comes again.
[[nodiscard]] std::optional<Made> make(const Side& receiver, const OwnSegment& segment,
                                       std::size_t payload, Verdict verdict,
                                       Context& context) noexcept;
void send(const Made& made, const Side& receiver, Context& context) noexcept;

// Remembers the newest time that a segment shows: what we send ourselves echoes it, or its sender's
// estimate of the round trip would grow with every acknowledgement (RFC 7323 section 4.1).
void keep_timestamp(const Segment& segment, const Side& sender) noexcept;

// A segment without payload.
void send_bare(const Side& receiver, std::uint8_t flags, Context& context) noexcept;

// Turns the segment at hand into the bare acknowledgement that answers it.
[[nodiscard]] Verdict acknowledge(Packet& packet, const Side& sender, Context& context) noexcept;

// A buffer has taken bytes of the segment, which are acknowledged; what follows them waits.
[[nodiscard]] Verdict taken(Packet& packet, const Segment& segment, const Side& sender,
                            Context& context) noexcept;

// Something is missing before the segment: it waits, and its sender hears of the gap, as from any
// receiver (RFC 5681 section 3.2), since nobody else sees it.
[[nodiscard]] Verdict wait_for_gap(const Packet& packet, const Segment& segment, const Side& sender,
                                   Context& context) noexcept;

// Counts a packet that left for its backend or came from it.
void count_packet(const Packet& packet, bool to_client, BackendId backend,
                  Context& context) noexcept;

}  // namespace hawser::pipeline
