// Bytes that we own: acknowledged in the receiver's stead, or made by us. Sent until they arrive.
#pragma once

#include "side.h"

namespace hawser::pipeline {

// Sends what we own in this side's stead and have not sent yet, as far as the receiver's window
// goes; with `again` all that it has not acknowledged, at least one byte (RFC 9293
// section 3.8.6.1).
void send_owned(const Side& owner, Context& context, bool again = false) noexcept;

// Gives the buffer back when the receiver has everything.
void release_owned(const Side& owner, Context& context) noexcept;

// Gives back whatever this half holds: buffer, insertion.
void drop_owned(const Side& owner, WorkerState& worker) noexcept;

// The buffer of a half: its bytes begin at own_at.
[[nodiscard]] std::span<std::uint8_t> buffer_of(const Side& owner, WorkerState& worker) noexcept;

// Arms the timer of a connection for what it waits for now, or cancels it.
void schedule(const Side& side, Context& context) noexcept;

// Lets held packets go, to be run once more: something has changed for them.
void release_held(const Side& side, WorkerState& worker) noexcept;

// Holds a packet; the verdict says what became of it.
[[nodiscard]] Verdict hold(const Packet& packet, const Segment& segment, const Side& side,
                           WorkerState& worker) noexcept;

// Leaves what is held to the next tick, which drops it as splice_over.
void drop_held(const Side& side, WorkerState& worker) noexcept;

}  // namespace hawser::pipeline
