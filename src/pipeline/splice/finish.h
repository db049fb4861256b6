// Ending spliced connections: counted as over, lingering, forgotten.
#pragma once

#include "side.h"

namespace hawser::pipeline {

// Both sides have finished, or one has reset: from now on it is no load and only lingers.
void finish(const Side& side, Context& context, bool reset = false) noexcept;

// Resets the client, and with it the connection.
void reset_client(const Side& client, Context& context) noexcept;

// Gives back all that a connection holds, its local port and its place in the counts. The flow
// entry is the caller's.
void release_connection(SpliceTable::Number number, WorkerState& worker) noexcept;

// Forgets a connection and its flow entry.
void forget_connection(SpliceTable::Number number, Context& context) noexcept;

}  // namespace hawser::pipeline
