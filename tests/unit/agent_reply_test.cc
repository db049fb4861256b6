// The agent protocol: what a line means, and what follows from several.
#include "agent_reply.h"

#include <gtest/gtest.h>

namespace hawser::control {
namespace {

TEST(AgentReply, ReadsEachWord) {
  EXPECT_EQ(parse_agent_reply("up\n").health, AgentHealth::kUp);
  for (const char* word : {"down", "fail", "failed", "stopped", "DOWN"}) {
    EXPECT_EQ(parse_agent_reply(word).health, AgentHealth::kDown) << word;
  }
  EXPECT_EQ(parse_agent_reply("ready\r\n").mode, AgentMode::kReady);
  EXPECT_EQ(parse_agent_reply("drain").mode, AgentMode::kDrain);
  EXPECT_EQ(parse_agent_reply("maint").mode, AgentMode::kMaintenance);
}

TEST(AgentReply, ReadsWordsInAnyOrderBetweenBlanksTabsAndCommas) {
  const AgentReply reply = parse_agent_reply(" ,75%\tup , ready,maxconn:30\n");
  EXPECT_EQ(reply.percent, 75U);
  EXPECT_EQ(reply.health, AgentHealth::kUp);
  EXPECT_EQ(reply.mode, AgentMode::kReady);
  EXPECT_EQ(reply.unknown, "");
}

TEST(AgentReply, TheLastOfAKindCounts) {
  const AgentReply reply = parse_agent_reply("up down 10% 20% drain ready");
  EXPECT_EQ(reply.health, AgentHealth::kDown);
  EXPECT_EQ(reply.percent, 20U);
  EXPECT_EQ(reply.mode, AgentMode::kReady);
}

TEST(AgentReply, WhatFollowsTheSharpIsTheReason) {
  const AgentReply reply = parse_agent_reply("down #  disk is full, up\n");
  EXPECT_EQ(reply.health, AgentHealth::kDown);
  EXPECT_EQ(reply.reason, "disk is full, up");
}

TEST(AgentReply, ALineEndsAtTheFirstLineEnd) {
  for (const char* line : {"up\ndown", "up\rdown", "up\r\ndown"}) {
    EXPECT_EQ(parse_agent_reply(line).health, AgentHealth::kUp) << line;
  }
}

TEST(AgentReply, MoreThanTheWholeWeightIsTheWhole) {
  EXPECT_EQ(parse_agent_reply("0%").percent, 0U);
  EXPECT_EQ(parse_agent_reply("100%").percent, 100U);
  EXPECT_EQ(parse_agent_reply("99999999999999999999%").percent, 100U);
}

TEST(AgentReply, UnknownWordsArePassedOver) {
  for (const char* word : {"75", "%", "-5%", "7x%", "maxconn:", "maxconn:x", "upp", "\x80\xff"}) {
    const AgentReply reply = parse_agent_reply(std::string(word) + " up");
    EXPECT_EQ(reply.unknown, word);
    EXPECT_EQ(reply.health, AgentHealth::kUp) << word;
    EXPECT_EQ(reply.percent, std::nullopt) << word;
  }
}

TEST(AgentReply, NothingSaysNothing) {
  for (const char* line : {"", "\n", " , \t", "#", "# \t"}) {
    EXPECT_EQ(parse_agent_reply(line), AgentReply{}) << line;
  }
}

AgentMemory after(std::initializer_list<const char*> lines) {
  AgentMemory memory;
  for (const char* line : lines) memory.note(parse_agent_reply(line));
  return memory;
}

TEST(AgentMemory, AnAgentThatSpeaksOfNothingHasNoState) {
  EXPECT_EQ(after({}).state(), std::nullopt);
  EXPECT_EQ(after({"maxconn:3", "hello"}).state(), std::nullopt);
}

TEST(AgentMemory, ReadyEndsDrainAndMaintenanceButUpDoesNot) {
  EXPECT_EQ(after({"drain", "up"}).state(), AgentState::kDrain);
  EXPECT_EQ(after({"maint", "up 50%"}).state(), AgentState::kMaintenance);
  EXPECT_EQ(after({"maint", "ready"}).state(), AgentState::kUp);
}

TEST(AgentMemory, UpEndsDownButReadyDoesNot) {
  EXPECT_EQ(after({"down", "ready"}).state(), AgentState::kDown);
  EXPECT_EQ(after({"down", "75%"}).state(), AgentState::kDown);
  EXPECT_EQ(after({"down", "up"}).state(), AgentState::kUp);
}

TEST(AgentMemory, TheStrongestCounts) {
  EXPECT_EQ(after({"down drain"}).state(), AgentState::kDown);
  EXPECT_EQ(after({"down maint"}).state(), AgentState::kMaintenance);
}

TEST(AgentMemory, NoWeightIsADrainUntilThereIsOneAgain) {
  AgentMemory memory = after({"40%", "0%"});
  EXPECT_EQ(memory.state(), AgentState::kDrain);
  EXPECT_EQ(memory.percent(), 40U);
  memory.note(parse_agent_reply("60%"));
  EXPECT_EQ(memory.state(), AgentState::kUp);
  EXPECT_EQ(memory.percent(), 60U);
}

}  // namespace
}  // namespace hawser::control
