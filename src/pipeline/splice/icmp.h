// ICMP errors about spliced connections: to the side whose segment they quote.
#pragma once

#include "side.h"

namespace hawser::pipeline {

// `packet` is an error that a router sent about a segment of ours on its way to the client
// (kToBackend) or to the backend (kToClient). Quoted addresses, ports and sequence number become
// those that the sender knows.
[[nodiscard]] Verdict splice_error(Packet& packet, SpliceTable::Number number,
                                   Context& context) noexcept;

}  // namespace hawser::pipeline
