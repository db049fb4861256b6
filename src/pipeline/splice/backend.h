// The backend's side of a spliced connection: opening it, trying another.
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

// The backend's count of flows, without this connection.
void uncount(Connection& connection, WorkerState& worker) noexcept;

// The local port, if there is one; then the connection has no backend.
void give_local_back(const Side& client, WorkerState& worker) noexcept;

}  // namespace hawser::pipeline
