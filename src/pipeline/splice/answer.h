// The balancer's own answers: an error, a redirect, and the connection closed.
//
// An answer to a connection's first request needs no state: the request was not acknowledged
// before, so when the answer is lost, the request comes again and brings the same answer. An answer
// later on is owned by the balancer until the client has it.
#pragma once

#include <span>

#include "hawser/pipeline/decide.h"
#include "side.h"

namespace hawser::pipeline {

// Why, and with what status. Status 0: the connection is reset, not answered (TLS).
struct Answer {
  std::uint16_t status = 0;
  Refusal refusal = Refusal::kNone;
  l7::HttpFault fault = l7::HttpFault::kNone;
  const model::Rule* rule = nullptr;         // with kRedirected
  const l7::RequestHead* request = nullptr;  // where the head could be read
  bool without_body = false;                 // it was HEAD
};

[[nodiscard]] Answer answer_to_fault(l7::HttpFault fault) noexcept;
[[nodiscard]] Answer answer_with(Refusal refusal) noexcept;

// The bytes of an answer; how many.
[[nodiscard]] std::size_t write_answer(const Answer& answer, const SpliceService& splice,
                                       std::span<char, limits::kMaxAnswer> out) noexcept;

void count_answer(const Answer& answer, const SpliceService& splice, WorkerState& worker) noexcept;

// Turns the first segment of a connection into the answer to it. `scaled`: the client's windows
// and ours are scaled.
[[nodiscard]] Verdict answer_stateless(Packet& packet, const Segment& segment, const Answer& answer,
                                       bool scaled, Context& context) noexcept;

// Answers on a connection that has a record, and closes it: its backend is left. `up_to`: the
// client's bytes before are acknowledged.
void begin_answer(const Side& client, const Answer& answer, l4::Sequence up_to,
                  Context& context) noexcept;

// A segment of a client that is being answered.
[[nodiscard]] Verdict hear_answered(Packet& packet, const Segment& segment, const Side& client,
                                    Context& context) noexcept;

}  // namespace hawser::pipeline
