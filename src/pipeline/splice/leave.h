// Leaves a backend for another, and hears what it still has to say.
#pragma once

#include "side.h"

namespace hawser::pipeline {

// Closes the connection to the backend, if there is one: by FIN when nothing is under way, else by
// a reset. What comes from it now is its own concern. The half `down` is in the client's numbers
// then.
void leave_backend(const Side& client, Context& context) noexcept;

// A packet to a local port whose client has left its backend: its FIN is acknowledged, and bytes
// that the client has had.
[[nodiscard]] Verdict hear_left_behind(Packet& packet, Context& context) noexcept;

// FINs that were not acknowledged go again, in the end a reset; ports are given back.
void tick_left_behind(Context& context) noexcept;

}  // namespace hawser::pipeline
