// Passive ejection: when, for how long, how many at most.
#include "passive.h"

#include <gtest/gtest.h>

namespace hawser::control {
namespace {

namespace wire = dataplane::v1;

constexpr std::uint64_t kStart = 1'000'000;

// A service of so many backends, and what the dataplane counts of them.
class PassiveTest : public testing::Test {
 protected:
  void make(std::size_t backends, const model::Passive& passive = {}) {
    model::Service service;
    service.name = "web";
    service.check.type = model::CheckType::kNone;
    service.availability.passive = passive;
    counters_.Clear();
    for (std::size_t i = 0; i < backends; ++i) {
      model::Backend backend;
      backend.name = "b" + std::to_string(i);
      service.backends.push_back(backend);
      wire::BackendCounters& entry = *counters_.add_backends();
      entry.set_service("web");
      entry.set_backend(backend.name);
      entry.set_has_signals(true);
      entry.set_connects(1000);
    }
    model::Configuration configuration;
    configuration.services.push_back(service);
    runtime_ = std::make_unique<Runtime>(configuration, std::vector<Intent>(), kStart);
    now_ = kStart;
    look();
  }
  // So many connects more, of which so many were refused.
  void connect(int index, std::uint64_t connects, std::uint64_t refused) {
    wire::BackendCounters& entry = *counters_.mutable_backends(index);
    entry.set_connects(entry.connects() + connects);
    entry.set_refused(entry.refused() + refused);
  }
  std::vector<Ejection> look(std::uint64_t seconds = 1) {
    now_ += seconds;
    std::vector<Ejection> found = judge_.look(counters_, *runtime_, now_);
    for (const Ejection& ejection : found) {
      if (ejection.withheld) continue;
      const Lookup known = runtime_->find(ejection.service, ejection.backend);
      runtime_->eject(*known.found, ejection.until_unix, ejection.ejections, ejection.text, now_);
    }
    return found;
  }
  [[nodiscard]] State state(const std::string& backend) const {
    const Lookup known = runtime_->find("web", backend);
    return judgement_of(runtime_->state(*known.found->service, *known.found->backend)).state;
  }
  void pass(std::uint64_t seconds) {
    now_ += seconds;
    runtime_->tick(now_);
  }

  wire::CountersReply counters_;
  std::unique_ptr<Runtime> runtime_;
  PassiveJudge judge_;
  std::uint64_t now_ = kStart;
};

TEST_F(PassiveTest, EjectsWhoFailsOftenAndMostly) {
  make(10);
  connect(3, 8, 7);
  connect(4, 20, 7);  // often, but not mostly
  connect(5, 4, 4);   // mostly, but not often
  const std::vector<Ejection> found = look();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].backend, "b3");
  EXPECT_EQ(found[0].until_unix, now_ + 30);
  EXPECT_EQ(found[0].text, "7 of 8 connections refused, unanswered or reset within 1 s");
  EXPECT_EQ(state("b3"), State::kDown);
}

TEST_F(PassiveTest, FailuresOutsideTheWindowAreForgotten) {
  make(10);
  connect(0, 4, 4);
  EXPECT_TRUE(look().empty());
  for (int second = 0; second < 12; ++second) EXPECT_TRUE(look().empty());
  connect(0, 4, 4);
  EXPECT_TRUE(look().empty());
  connect(0, 1, 1);
  EXPECT_EQ(look().size(), 1U);
}

TEST_F(PassiveTest, WhatWasCountedBeforeTheFirstLookIsHistory) {
  make(10);
  counters_.mutable_backends(2)->set_refused(900);
  PassiveJudge fresh;
  EXPECT_TRUE(fresh.look(counters_, *runtime_, now_).empty());
}

TEST_F(PassiveTest, EachEjectionInARowLastsLongerUpToTheCap) {
  make(10);
  std::vector<std::uint64_t> lasted;
  for (int i = 0; i < 12; ++i) {
    look();
    connect(0, 6, 6);
    const std::vector<Ejection> found = look();
    ASSERT_EQ(found.size(), 1U) << i;
    lasted.push_back(found[0].until_unix - now_);
    pass(lasted.back());
    EXPECT_EQ(state("b0"), State::kReady);
  }
  EXPECT_EQ(lasted,
            (std::vector<std::uint64_t>{30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300}));
  pass(301);
  look();
  connect(0, 6, 6);
  const std::vector<Ejection> anew = look();
  ASSERT_EQ(anew.size(), 1U);
  EXPECT_EQ(anew[0].until_unix, now_ + 30);
}

TEST_F(PassiveTest, AtMostATenthIsEjectedTheNewOneCounted) {
  make(19);
  for (int i = 0; i < 3; ++i) connect(i, 9, 9);
  const std::vector<Ejection> found = look();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_FALSE(found[0].withheld);
  EXPECT_TRUE(found[1].withheld);
  EXPECT_TRUE(found[2].withheld);
  EXPECT_EQ(state("b1"), State::kReady);
  // Told once.
  EXPECT_TRUE(look().empty());
}

TEST_F(PassiveTest, OfFewerThanTenNoneIsATenth) {
  make(9);
  connect(0, 9, 9);
  const std::vector<Ejection> found = look();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].withheld);
}

TEST_F(PassiveTest, AnEjectionShieldsNobodyFromItsChecks) {
  model::Passive passive;
  make(10, passive);
  connect(0, 9, 9);
  ASSERT_EQ(look().size(), 1U);
  Runtime& runtime = *runtime_;
  const Lookup known = runtime.find("web", "b0");
  runtime.note_agent("web", "b0", {.agent = Agent::kDown, .percent = {}, .text = "down"}, now_);
  EXPECT_EQ(judgement_of(runtime.state(*known.found->service, *known.found->backend)).cause,
            Cause::kAgent);
  pass(31);
  EXPECT_EQ(state("b0"), State::kDown);
}

TEST_F(PassiveTest, ServerErrorsCountOnlyWhereTheyShould) {
  model::Passive passive;
  passive.server_errors = false;
  for (const bool counts : {false, true}) {
    passive.server_errors = counts;
    make(10, passive);
    wire::BackendCounters& entry = *counters_.mutable_backends(1);
    entry.set_requests(entry.requests() + 20);
    entry.set_server_errors(entry.server_errors() + 12);
    const std::vector<Ejection> found = look();
    ASSERT_EQ(found.size(), counts ? 1U : 0U);
    if (counts) {
      EXPECT_EQ(found[0].text, "12 of 20 responses were 5xx within 1 s");
    }
  }
}

TEST_F(PassiveTest, NobodyIsEjectedWhereItIsSwitchedOffOrNothingIsSeen) {
  model::Passive passive;
  passive.enabled = false;
  make(10, passive);
  connect(0, 9, 9);
  EXPECT_TRUE(look().empty());
  make(10);
  for (auto& entry : *counters_.mutable_backends()) entry.set_has_signals(false);
  connect(0, 9, 9);
  EXPECT_TRUE(look().empty());
}

TEST_F(PassiveTest, AnotherDataplaneCountsAnew) {
  make(10);
  connect(0, 3, 3);
  look();
  counters_.mutable_backends(0)->set_connects(2);
  counters_.mutable_backends(0)->set_refused(2);
  EXPECT_TRUE(look().empty());
  connect(0, 9, 9);
  EXPECT_EQ(look().size(), 1U);
}

}  // namespace
}  // namespace hawser::control
