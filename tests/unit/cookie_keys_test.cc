// The keys of session cookies: made, adopted, rotated, guarded, kept over restarts, never told.
#include "cookie_keys.h"

#include "controller_fixture.h"

namespace hawser::control {
namespace {

// Of kFile's first service, and what clocks may differ.
constexpr std::uint64_t kIdle = 900;
constexpr std::uint64_t kLifetime = kIdle + 80;

std::vector<unsigned> ids(const model::Desired& desired) {
  std::vector<unsigned> found;
  for (const model::CookieKey& key : desired.cookie_keys) found.push_back(key.id);
  return found;
}

std::vector<unsigned> ids(const KeysView& view) {
  std::vector<unsigned> found;
  for (const KeyView& key : view.keys) found.push_back(key.id);
  return found;
}

class CookieKeys : public ControllerTest {
 protected:
  void adjust(model::Configuration& configuration) override {
    if (!with_cookies_) return;
    configuration.services[0].affinity.by = model::AffinityBy::kCookie;
    configuration.services[0].affinity.cookie.idle_seconds = kIdle;
  }
  RotateOutcome rotate(const RotateOrder& order = {.author = "ann", .reason = "quarterly"}) {
    return controller_->rotate_keys(order);
  }
  // What runs when everything was told and confirmed.
  model::Desired settled() {
    model::Desired running = dataplane_->running(controller_->view().desired.value);
    while (controller_->view().dataplane.applied < running.epoch) std::this_thread::yield();
    return running;
  }
  // The dataplane goes on with what it has, and hears nothing.
  void leave() {
    dataplane_->stall(true);
    controller_->disconnected("gone");
  }
  // The newest entry of the history; the journal is free only while no controller runs.
  HistoryEntry newest_entry() {
    end();
    const Result<std::unique_ptr<Journal>> journal = Journal::open(scratch_.path() + "/state");
    EXPECT_TRUE(journal.has_value());
    const Result<std::vector<HistoryEntry>> history = (*journal)->history({}, 1);
    return history && !history->empty() ? history->front() : HistoryEntry();
  }

  bool with_cookies_ = true;
};

TEST_F(CookieKeys, TheFirstIsMadeForTheFirstDataplaneAndStays) {
  EXPECT_TRUE(controller_->keys().keys.empty());
  EXPECT_EQ(rotate().change.failure, Failure::kRefused);
  dataplane_->connect(1);
  const model::Desired running = settled();
  ASSERT_EQ(ids(running), std::vector<unsigned>{0});
  EXPECT_NE(running.cookie_keys[0].secret, KeySecret{});
  EXPECT_EQ(
      controller_->keys().keys,
      (std::vector<KeyView>{{.id = 0, .signs = true, .by = {"hawserd", "the first key", 1000}}}));
  EXPECT_EQ(controller_->keys().next_rotation_unix, 0U);
  restart();
  dataplane_->connect(2);
  EXPECT_EQ(settled().cookie_keys, running.cookie_keys);
}

TEST_F(CookieKeys, ARotationSignsWithANewOneAndTheLastStillCounts) {
  dataplane_->connect(1);
  const model::CookieKey first = settled().cookie_keys[0];
  now_ = 5000;
  const RotateOutcome outcome = rotate();
  EXPECT_EQ(outcome.change.failure, Failure::kNone) << outcome.change.message;
  const model::Desired running = dataplane_->running(outcome.change.epoch);
  EXPECT_EQ(outcome.change.epoch, running.epoch.value);
  ASSERT_EQ(ids(running), (std::vector<unsigned>{1, 0}));
  EXPECT_EQ(running.cookie_keys[1], first);
  EXPECT_NE(running.cookie_keys[0].secret, first.secret);
  EXPECT_EQ(
      outcome.keys.keys,
      (std::vector<KeyView>{{.id = 1, .signs = true, .by = {"ann", "quarterly", 5000}},
                            {.id = 0, .signs = false, .by = {"hawserd", "the first key", 1000}}}));
  EXPECT_EQ(outcome.keys.next_rotation_unix, 5000 + kLifetime);
  const KeysView before = controller_->keys();
  restart();
  EXPECT_EQ(controller_->keys().keys, before.keys);
  EXPECT_EQ(controller_->keys().next_rotation_unix, before.next_rotation_unix);
  dataplane_->connect(2);
  EXPECT_EQ(settled().cookie_keys, running.cookie_keys);
}

TEST_F(CookieKeys, AnotherOneIsRefusedWhileUsersOfTheOldestMayComeBack) {
  dataplane_->connect(1);
  settled();
  ASSERT_EQ(rotate().change.failure, Failure::kNone);
  const std::uint64_t epoch = controller_->view().desired.value;
  now_ = 1000 + kLifetime - 1;
  const RotateOutcome early = rotate();
  EXPECT_EQ(early.change.failure, Failure::kRefused);
  EXPECT_EQ(early.change.message,
            "key 1 signs only since 1970-01-01 00:16:40 UTC, and users whose cookie key 0 signed "
            "may still come back: rotating now would unpin them. Possible from 1970-01-01 00:33:00 "
            "UTC, in 1 s; --force rotates now");
  EXPECT_EQ(rotate({.dry_run = true}).change.failure, Failure::kRefused);
  EXPECT_EQ(controller_->view().desired.value, epoch);
  now_ = 1000 + kLifetime;
  EXPECT_EQ(controller_->keys().next_rotation_unix, 0U);
  EXPECT_EQ(rotate().change.failure, Failure::kNone);
  EXPECT_EQ(ids(settled()), (std::vector<unsigned>{2, 1}));
}

TEST_F(CookieKeys, ForceRotatesSaysWhomItHurtsAndIsWrittenDown) {
  dataplane_->connect(1);
  settled();
  EXPECT_EQ(rotate({.force = true}).change.note, "");  // nobody is hurt by the first one
  EXPECT_EQ(newest_entry().after, "1");
  start();
  dataplane_->connect(2);
  settled();
  const RotateOutcome forced = rotate({.author = "ann", .reason = "leaked", .force = true});
  EXPECT_EQ(forced.change.failure, Failure::kNone) << forced.change.message;
  EXPECT_EQ(forced.change.note,
            "forced: users whose cookie key 0 signed and who have not been back since are "
            "unpinned");
  EXPECT_EQ(ids(settled()), (std::vector<unsigned>{2, 1}));
  const HistoryEntry entry = newest_entry();
  EXPECT_EQ(entry.field, "cookie_key");
  EXPECT_EQ(entry.before, "1");
  EXPECT_EQ(entry.after, "2");
  EXPECT_EQ(entry.by, (Authorship{"ann", "leaked", 1000, true}));
}

TEST_F(CookieKeys, ADryRunChangesNothing) {
  dataplane_->connect(1);
  const model::Desired before = settled();
  const RotateOutcome outcome = rotate({.dry_run = true});
  EXPECT_EQ(outcome.change.failure, Failure::kNone);
  EXPECT_EQ(ids(outcome.keys), (std::vector<unsigned>{1, 0}));
  EXPECT_EQ(ids(controller_->keys()), std::vector<unsigned>{0});
  EXPECT_EQ(controller_->view().desired, before.epoch);
}

TEST_F(CookieKeys, WithoutSessionCookiesThereIsNothingToGuard) {
  with_cookies_ = false;
  restart();
  dataplane_->connect(1);
  settled();
  for (unsigned id = 1; id <= 17; ++id) {
    ASSERT_EQ(rotate().change.failure, Failure::kNone);
    EXPECT_EQ(ids(settled()), (std::vector<unsigned>{id % 16, (id - 1) % 16}));
  }
}

TEST_F(CookieKeys, OneThatTheDataplaneHasNotTakenHasSignedNothing) {
  dataplane_->connect(1);
  const model::CookieKey first = settled().cookie_keys[0];
  leave();
  const RotateOutcome away = rotate();
  EXPECT_EQ(away.change.failure, Failure::kNone);
  EXPECT_EQ(away.change.epoch, 0U);
  EXPECT_NE(away.change.note.find("will be applied when it returns"), std::string::npos);
  now_ = 100'000;  // however long it is away
  EXPECT_EQ(rotate().change.message,
            "the dataplane has not taken key 1 of the last rotation yet; another one is possible "
            "980 s after it has. --force replaces that key by a new one now");
  const RotateOutcome forced = rotate({.force = true});
  EXPECT_EQ(forced.change.note.find("unpinned"), std::string::npos) << forced.change.note;
  EXPECT_EQ(ids(controller_->keys()), (std::vector<unsigned>{2, 0}));
  now_ = 200'000;
  dataplane_->stall(false);
  dataplane_->connect(2);
  EXPECT_EQ(settled().cookie_keys.at(1), first);
  EXPECT_EQ(controller_->keys().keys[0].by.since_unix, 200'000U);
  EXPECT_EQ(controller_->keys().next_rotation_unix, 200'000 + kLifetime);
}

TEST_F(CookieKeys, WhatTheDataplaneRefusesIsRolledBack) {
  dataplane_->connect(1);
  const model::Desired before = settled();
  const KeysView keys = controller_->keys();
  dataplane_->refuse("no room");
  const RotateOutcome outcome = rotate();
  EXPECT_EQ(outcome.change.failure, Failure::kRefused);
  EXPECT_EQ(outcome.change.message, "the dataplane refused it: no room");
  EXPECT_EQ(outcome.keys.keys, keys.keys);
  dataplane_->refuse("");
  dataplane_->connect(3);
  EXPECT_EQ(settled().cookie_keys, before.cookie_keys);
  EXPECT_EQ(newest_entry().by.reason, "the dataplane refused it: no room");
  start();
  EXPECT_EQ(controller_->keys().keys, keys.keys);
}

TEST_F(CookieKeys, ABadAuthorOrReasonIsInvalid) {
  dataplane_->connect(1);
  settled();
  EXPECT_EQ(rotate({.reason = "a\nb"}).change.failure, Failure::kInvalid);
  EXPECT_EQ(rotate({.author = std::string(129, 'a')}).change.failure, Failure::kInvalid);
  EXPECT_EQ(ids(controller_->keys()), std::vector<unsigned>{0});
}

// What a dataplane that kept running has.
model::Desired running_with(const View& view, std::vector<model::CookieKey> keys) {
  model::Desired running;
  running.epoch = Epoch(70);
  running.flow_key[3] = 9;
  running.cookie_keys = std::move(keys);
  running.services = view.runtime.services();
  return running;
}

TEST_F(CookieKeys, ARunningDataplanesAreAdoptedWhenThereAreNone) {
  const std::vector<model::CookieKey> keys{{.id = 7, .secret = {1, 2}}, {.id = 6, .secret = {3}}};
  dataplane_->connect(5, running_with(controller_->view(), keys));
  EXPECT_EQ(dataplane_->running(71).cookie_keys, keys);
  const KeysView view = controller_->keys();
  EXPECT_EQ(ids(view), (std::vector<unsigned>{7, 6}));
  EXPECT_EQ(view.keys[0].by, (Authorship{"hawserd", "adopted from the running dataplane", 1000}));
  EXPECT_EQ(view.next_rotation_unix, 1000 + kLifetime);  // when they were rotated is not known
  restart();
  EXPECT_EQ(controller_->keys().keys, view.keys);
}

TEST_F(CookieKeys, ARotationThatTheRunningDataplaneWasNotToldIsKept) {
  dataplane_->connect(1);
  const std::vector<model::CookieKey> old = settled().cookie_keys;
  leave();
  ASSERT_EQ(rotate().change.failure, Failure::kNone);
  restart();
  dataplane_->connect(1, running_with(controller_->view(), old));
  EXPECT_EQ(ids(dataplane_->running(71)), (std::vector<unsigned>{1, 0}));
  EXPECT_EQ(dataplane_->running(71).cookie_keys[1], old[0]);
}

TEST_F(CookieKeys, KeysThatSomebodyElseToldTheDataplaneWin) {
  dataplane_->connect(1);
  settled();
  const std::vector<model::CookieKey> others{{.id = 3, .secret = {8}}};
  dataplane_->connect(2, running_with(controller_->view(), others));
  EXPECT_EQ(dataplane_->running(71).cookie_keys, others);
}

TEST_F(CookieKeys, TheJournalErasesWhatNoLongerCounts) {
  dataplane_->connect(1);
  const KeySecret first = settled().cookie_keys[0].secret;
  ASSERT_EQ(rotate().change.failure, Failure::kNone);
  ASSERT_EQ(rotate({.force = true}).change.failure, Failure::kNone);
  const std::string needle(first.begin(), first.end());
  for (const auto& entry : std::filesystem::directory_iterator(scratch_.path() + "/state")) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(bytes.find(needle), std::string::npos) << entry.path();
  }
}

}  // namespace
}  // namespace hawser::control
