// The backend's side of a spliced connection: opening it, trying another, leaving it.
#pragma once

#include "side.h"

namespace hawser::pipeline {

// Sends a SYN to a backend; the request at up.own_at or in the held packet follows when it answers.
// `base` is the first byte of the client that it gets. False when no local port is free.
[[nodiscard]] bool connect(const Side& client, BackendId backend, l4::Sequence base,
                           Context& context) noexcept;

// The SYN once more, or to another backend; 503 to the client when all were tried.
void try_again(const Side& client, bool refused, Context& context) noexcept;

// A packet from the backend while the SYN is unanswered.
[[nodiscard]] Verdict hear_connecting(const Segment& segment, const Side& server,
                                      Context& context) noexcept;

// Closes the connection to the backend, if there is one: by FIN when nothing is under way, else by
// a reset. What comes from it now is its own concern. The half `down` is in the client's numbers
// then.
void leave_backend(const Side& client, Context& context) noexcept;

// A packet to a local port whose client has left its backend: its FIN is acknowledged, and bytes
// that the client has had.
[[nodiscard]] Verdict hear_left_behind(Packet& packet, const Context& context) noexcept;

// The backend's count of flows, without this connection.
void uncount(Connection& connection, WorkerState& worker) noexcept;

}  // namespace hawser::pipeline
