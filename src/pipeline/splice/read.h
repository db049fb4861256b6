// Reading the streams of a spliced connection: what may pass, and what must wait.
#pragma once

#include "answer.h"
#include "side.h"

namespace hawser::pipeline {

// What became of the bytes that had to be read.
enum class Read : std::uint8_t {
  kPlaced,    // they may pass
  kHold,      // from here on the segment waits
  kTaken,     // from here on a buffer has them, and they are acknowledged
  kAnswered,  // the balancer answers: `answer`
  kReset,     // the connection cannot go on
};

struct Reading {
  Read read = Read::kPlaced;
  l4::Sequence pass_to;  // bytes before may pass
  Answer answer;
};

// Bytes of a half that have come in order: where the next must begin to be read.
[[nodiscard]] l4::Sequence expected(const Half& half) noexcept;

// Reads the segment's bytes from `next` on, as far as it goes.
[[nodiscard]] Reading read(Packet& packet, const Segment& segment, const Side& sender,
                           Context& context) noexcept;

// The head of a request, or of a response, at `next`.
[[nodiscard]] Reading read_request(std::span<const std::uint8_t> bytes, const Side& client,
                                   Context& context) noexcept;
[[nodiscard]] Reading read_response(std::span<const std::uint8_t> bytes, const Side& server,
                                    Context& context) noexcept;

// A head that lies whole in its buffer goes on as soon as it can.
void place_buffered(const Side& client, Context& context) noexcept;
void place_buffered_response(const Side& server, Context& context) noexcept;

// The buffer has the whole head of a response.
[[nodiscard]] bool is_whole_response(const Side& server, Context& context) noexcept;

// Puts bytes at the end of the buffer of a head that comes in pieces, and begins one if there is
// none. How many were taken; nothing when there is no buffer to be had.
[[nodiscard]] std::optional<std::size_t> fill(std::span<const std::uint8_t> bytes,
                                              const Side& sender, Context& context) noexcept;

// Everything from now on passes unread, both ways.
void become_tunnel(const Side& side, Context& context) noexcept;

// A body begins at `next`; what is known of it may pass.
void begin_body(Half& half, const l7::MessageHead& head) noexcept;
void reach_further(Half& half) noexcept;

// The checksum of what is read must be right, since it is acted upon.
[[nodiscard]] bool is_intact(const Packet& packet) noexcept;

// No byte of a response is on its way, so the balancer may speak itself.
[[nodiscard]] bool may_answer(const Half& down) noexcept;

// Nothing of the connection is on its way between client and backend, up to this byte of the
// client.
[[nodiscard]] bool is_quiet(const Connection& connection, const Exchange& exchange,
                            l4::Sequence at) noexcept;

}  // namespace hawser::pipeline
