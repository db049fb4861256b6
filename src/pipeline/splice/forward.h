// Forwarding segments of spliced connections: everything in the header translated, the payload as
// it is, but for an insertion.
#pragma once

#include "side.h"

namespace hawser::pipeline {

// Forwards bytes [from, to) of the payload, with the FIN if `to` is its end. What does not fit the
// receiver's segments is split. With `keep` the packet itself stays as it is, and copies leave; the
// verdict is then of the copies.
[[nodiscard]] Verdict forward_range(Packet& packet, const Segment& segment, std::uint32_t from,
                                    std::uint32_t to, bool keep, const Side& sender,
                                    Context& context) noexcept;

[[nodiscard]] inline Verdict forward_whole(Packet& packet, const Segment& segment,
                                           const Side& sender, Context& context) noexcept {
  return forward_range(packet, segment, 0, segment.payload, false, sender, context);
}

// Takes bytes off the front of a segment that is to wait: they have gone their way. The checksum is
// made anew, so it must have been right.
void drop_front(Packet& packet, Segment& segment, std::uint32_t bytes) noexcept;

// Bytes of an insertion.
[[nodiscard]] std::span<const std::uint8_t> edit_of(const Half& half, WorkerState& worker) noexcept;

// Fills `out` with the bytes that begin at `at` in the receiver's numbers, where `bytes` begin at
// `bytes_at` in the sender's and the insertion of `half` may lie among them.
void compose(const Half& half, l4::Sequence bytes_at, std::span<const std::uint8_t> bytes,
             l4::Sequence at, std::span<std::uint8_t> out, WorkerState& worker) noexcept;

// Moves what the receiver has acknowledged on: what is acknowledged is forgotten, insertion and
// owned bytes too. `acknowledgement` is in the receiver's numbers. True if anything new was.
[[nodiscard]] bool take_acknowledgement(const Side& receiver, l4::Sequence acknowledgement,
                                        Context& context) noexcept;

}  // namespace hawser::pipeline
