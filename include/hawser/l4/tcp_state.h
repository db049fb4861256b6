// What is known of a flow's life: a state, moved by direction and TCP flags, as a constant table.
//
// A balancer sees only one direction of a DSR flow, so a state never needs the other side's packet
// to move on. Modelled on RFC 9293 section 3.3.2 as seen by an observer in the middle.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "hawser/net/tcp.h"

namespace hawser::l4 {

enum class FlowState : std::uint8_t {
  kFree,         // no flow: an empty entry
  kSynSent,      // the client's SYN was seen
  kSynReceived,  // and the backend's SYN-ACK (nat)
  kEstablished,
  kClientFin,  // the client has finished, the backend may go on
  kServerFin,  // the other way round (nat)
  kTimeWait,   // both have finished
  kReset,      // one side reset it
  kUdp,
  kSpliced,  // what is known of it is in the splice table
};
inline constexpr std::size_t kFlowStates = 10;

enum class FlowDirection : std::uint8_t { kFromClient, kFromServer };

// The flags that matter, most decisive first.
enum class TcpEvent : std::uint8_t { kRst, kSyn, kFin, kAck };

[[nodiscard]] constexpr TcpEvent event_of(std::uint8_t tcp_flags) noexcept {
  if ((tcp_flags & net::kTcpRst) != 0) return TcpEvent::kRst;
  if ((tcp_flags & net::kTcpSyn) != 0) return TcpEvent::kSyn;
  if ((tcp_flags & net::kTcpFin) != 0) return TcpEvent::kFin;
  return TcpEvent::kAck;
}

namespace detail {
using enum FlowState;
using Row = std::array<FlowState, 4>;  // by TcpEvent: RST, SYN, FIN, ACK

// Rows by FlowState. A flow without an entry never gets here, so kFree stays kFree.
inline constexpr std::array<Row, kFlowStates> kFromClientTable{{
    {kFree, kFree, kFree, kFree},                      // kFree
    {kReset, kSynSent, kClientFin, kEstablished},      // kSynSent
    {kReset, kSynReceived, kClientFin, kEstablished},  // kSynReceived
    {kReset, kEstablished, kClientFin, kEstablished},  // kEstablished
    {kReset, kClientFin, kClientFin, kClientFin},      // kClientFin
    {kReset, kServerFin, kTimeWait, kServerFin},       // kServerFin
    {kReset, kTimeWait, kTimeWait, kTimeWait},         // kTimeWait
    {kReset, kReset, kReset, kReset},                  // kReset
    {kUdp, kUdp, kUdp, kUdp},                          // kUdp
    {kSpliced, kSpliced, kSpliced, kSpliced},          // kSpliced
}};
// The ACK column never changes a state: a nat reply with plain data need not touch the flow entry.
inline constexpr std::array<Row, kFlowStates> kFromServerTable{{
    {kFree, kFree, kFree, kFree},                      // kFree
    {kReset, kSynReceived, kServerFin, kSynSent},      // kSynSent
    {kReset, kSynReceived, kServerFin, kSynReceived},  // kSynReceived
    {kReset, kEstablished, kServerFin, kEstablished},  // kEstablished
    {kReset, kClientFin, kTimeWait, kClientFin},       // kClientFin
    {kReset, kServerFin, kServerFin, kServerFin},      // kServerFin
    {kReset, kTimeWait, kTimeWait, kTimeWait},         // kTimeWait
    {kReset, kReset, kReset, kReset},                  // kReset
    {kUdp, kUdp, kUdp, kUdp},                          // kUdp
    {kSpliced, kSpliced, kSpliced, kSpliced},          // kSpliced
}};

constexpr bool server_ack_changes_nothing() {
  for (std::size_t s = 0; s < kFlowStates; ++s) {
    if (static_cast<std::size_t>(kFromServerTable[s][3]) != s) return false;
  }
  return true;
}
static_assert(server_ack_changes_nothing());
}  // namespace detail

[[nodiscard]] constexpr FlowState next_state(FlowState state, FlowDirection direction,
                                             TcpEvent event) noexcept {
  const auto& table =
      direction == FlowDirection::kFromClient ? detail::kFromClientTable : detail::kFromServerTable;
  return table[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

// A SYN from the client on such a flow is a new connection that reuses the ports (RFC 6191).
[[nodiscard]] constexpr bool is_over(FlowState state) noexcept {
  return state == FlowState::kClientFin || state == FlowState::kServerFin ||
         state == FlowState::kTimeWait || state == FlowState::kReset;
}

[[nodiscard]] constexpr std::string_view to_string(FlowState state) noexcept {
  constexpr std::array<std::string_view, kFlowStates> kNames{
      "free",       "syn_sent",  "syn_received", "established", "client_fin",
      "server_fin", "time_wait", "reset",        "udp",         "spliced"};
  return kNames[static_cast<std::size_t>(state)];
}

}  // namespace hawser::l4
