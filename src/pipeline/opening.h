// Telling a backend behind nat who its client is, while the connection opens.
//
// PROXY protocol v2 by sequence arithmetic: the SYN goes to the backend with a sequence number that
// is lower by the length P of the header, so the client's own bytes keep their numbers. When the
// backend answers, the balancer sends those P bytes, and sends them again until they are
// acknowledged. Nothing that acknowledges less than the client's SYN is ever relayed; after that
// nothing is translated any more.
//
//   client            balancer                         backend
//     SYN seq=C  ---->  SYN seq=C-P  ------------------->
//     <----  SYN-ACK ack=C+1  <----  SYN-ACK ack=C-P+1
//                       ACK seq=C-P+1, P bytes  -------->
//     ACK, data  ---->  unchanged  --------------------->
//     <----  unchanged  <-----------------  ack >= C+1
//
// The header makes the backend's connection, so the backend does not repeat its SYN-ACK. If the
// client has not heard it and sends its SYN again, the balancer repeats it.
//
// TOA: every segment of the client that acknowledges no more than the backend's SYN carries the
// option, so the one that makes the backend's socket does, lost or not.
//
// Threading: worker only.
#pragma once

#include "hawser/pipeline/packet.h"
#include "hawser/pipeline/worker_state.h"

namespace hawser::pipeline {

// The service's backends want to know their clients.
[[nodiscard]] inline bool introduces(const ServiceEntry& service) noexcept {
  return service.client_address != model::ClientAddress::kNone;
}

// Begins for the flow that `syn` opens, or begins anew when the client does. False when too many
// connections are being opened.
[[nodiscard]] bool begin_opening(const Packet& syn, const ServiceEntry& service,
                                 Context& context) noexcept;

// A SYN that the client sends again: turned into the SYN-ACK that the client has not heard, without
// link header (kReturnNat), or kNoBuffer; kUndecided when it goes on to the backend.
[[nodiscard]] Verdict answer_again(Packet& packet, const ServiceEntry& service,
                                   Context& context) noexcept;

// Changes a segment of the client before it is translated. `room`: bytes that its IP packet may
// have.
void introduce_to_backend(Packet& packet, const ServiceEntry& service, std::size_t room,
                          Context& context) noexcept;

// Changes a segment of the backend before it is translated; the verdict says when it is not for the
// client.
[[nodiscard]] Verdict hear_backend(Packet& packet, Context& context) noexcept;

// Sends PROXY headers again that were not acknowledged in time, and ends openings. What that makes
// is in the outbox.
void tick_openings(Context& context) noexcept;

}  // namespace hawser::pipeline
