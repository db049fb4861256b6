// The table of flow states, walked along whole connections and edge by edge.
#include "hawser/l4/tcp_state.h"

#include <gtest/gtest.h>

namespace hawser::l4 {
namespace {

using enum FlowState;
using enum FlowDirection;
using enum TcpEvent;

FlowState walk(FlowState state, std::initializer_list<std::pair<FlowDirection, TcpEvent>> steps) {
  for (const auto& [direction, event] : steps) state = next_state(state, direction, event);
  return state;
}

TEST(FlowState, AHandshakeSeenFromBothSidesEstablishes) {
  EXPECT_EQ(walk(kSynSent, {{kFromServer, kSyn}}), kSynReceived);
  EXPECT_EQ(walk(kSynSent, {{kFromServer, kSyn}, {kFromClient, kAck}}), kEstablished);
}

TEST(FlowState, AHandshakeSeenFromTheClientAloneEstablishes) {
  EXPECT_EQ(walk(kSynSent, {{kFromClient, kAck}}), kEstablished);
}

TEST(FlowState, TwoFinsEndItInEitherOrder) {
  EXPECT_EQ(walk(kEstablished, {{kFromClient, kFin}}), kClientFin);
  EXPECT_EQ(walk(kEstablished, {{kFromClient, kFin}, {kFromServer, kFin}}), kTimeWait);
  EXPECT_EQ(walk(kEstablished, {{kFromServer, kFin}}), kServerFin);
  EXPECT_EQ(walk(kEstablished, {{kFromServer, kFin}, {kFromClient, kFin}}), kTimeWait);
}

TEST(FlowState, AHalfClosedFlowStaysHalfClosedWhileDataFlows) {
  EXPECT_EQ(walk(kClientFin, {{kFromServer, kAck}, {kFromClient, kAck}}), kClientFin);
  EXPECT_EQ(walk(kServerFin, {{kFromClient, kAck}, {kFromServer, kAck}}), kServerFin);
}

TEST(FlowState, AResetEndsEveryTcpStateAndNothingRevivesIt) {
  for (const FlowState state :
       {kSynSent, kSynReceived, kEstablished, kClientFin, kServerFin, kTimeWait}) {
    EXPECT_EQ(next_state(state, kFromClient, kRst), kReset);
    EXPECT_EQ(next_state(state, kFromServer, kRst), kReset);
  }
  EXPECT_EQ(walk(kReset, {{kFromClient, kAck}, {kFromServer, kSyn}}), kReset);
}

TEST(FlowState, UdpKnowsNoEvents) {
  for (const TcpEvent event : {kRst, kSyn, kFin, kAck}) {
    EXPECT_EQ(next_state(kUdp, kFromClient, event), kUdp);
    EXPECT_EQ(next_state(kUdp, kFromServer, event), kUdp);
  }
}

TEST(FlowState, OnlyFinishedFlowsAreOver) {
  EXPECT_FALSE(is_over(kSynSent));
  EXPECT_FALSE(is_over(kSynReceived));
  EXPECT_FALSE(is_over(kEstablished));
  EXPECT_FALSE(is_over(kUdp));
  EXPECT_TRUE(is_over(kClientFin));
  EXPECT_TRUE(is_over(kServerFin));
  EXPECT_TRUE(is_over(kTimeWait));
  EXPECT_TRUE(is_over(kReset));
}

TEST(TcpEvent, TheMostDecisiveFlagCounts) {
  EXPECT_EQ(event_of(net::kTcpAck), kAck);
  EXPECT_EQ(event_of(net::kTcpAck | net::kTcpPsh), kAck);
  EXPECT_EQ(event_of(net::kTcpAck | net::kTcpFin), kFin);
  EXPECT_EQ(event_of(net::kTcpAck | net::kTcpSyn), kSyn);
  EXPECT_EQ(event_of(net::kTcpAck | net::kTcpRst), kRst);
}

}  // namespace
}  // namespace hawser::l4
