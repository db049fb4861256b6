// The vigil: ready when all parts live, the watchdog fed while they do, and not when one hangs.
#include "vigil.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "controller_fixture.h"

namespace hawser::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Parts that can be made to hang, and what was told.
struct Ward {
  std::atomic<bool> answers{true};
  std::atomic<int> age_ms{0};
  std::atomic<int> ready{0};
  std::atomic<int> alive{0};
  std::mutex mutex;
  std::string status = "epoch 1 applied";
  std::vector<std::string> statuses;

  Vitals vitals() {
    return {.status =
                [this] {
                  const std::lock_guard lock(mutex);
                  return status;
                },
            .answers = [this](milliseconds) { return answers.load(); },
            .checks_age = [this] { return milliseconds(age_ms.load()); }};
  }
  VigilReports reports() {
    return {.ready = [this] { ++ready; },
            .alive = [this] { ++alive; },
            .status =
                [this](const std::string& text) {
                  const std::lock_guard lock(mutex);
                  statuses.push_back(text);
                }};
  }

  // Whether `alive` reaches a number within some seconds.
  bool reaches(int number) const {
    const auto end = steady_clock::now() + std::chrono::seconds(20);
    while (alive < number && steady_clock::now() < end)
      std::this_thread::sleep_for(milliseconds(2));
    return alive >= number;
  }
};

constexpr std::chrono::microseconds kInterval{40'000};

TEST(Vigil, IsReadyOnceAndFeedsTheWatchdogAtHalfItsInterval) {
  Ward ward;
  const auto begin = steady_clock::now();
  const Vigil vigil(ward.vitals(), ward.reports(), kInterval);
  ASSERT_TRUE(ward.reaches(6));
  // Six times are five pauses of 20 ms.
  EXPECT_GE(steady_clock::now() - begin, milliseconds(5 * 20 - 20));
  EXPECT_EQ(ward.ready, 1);
}

TEST(Vigil, IsNotReadyWhileASocketIsSilent) {
  Ward ward;
  ward.answers = false;
  const Vigil vigil(ward.vitals(), ward.reports(), kInterval);
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(ward.ready + ward.alive, 0);
  ward.answers = true;
  EXPECT_TRUE(ward.reaches(1));
  EXPECT_EQ(ward.ready, 1);
}

TEST(Vigil, APartThatHangsStopsTheWatchdogUntilItLives) {
  Ward ward;
  const Vigil vigil(ward.vitals(), ward.reports(), kInterval);
  ASSERT_TRUE(ward.reaches(2));
  for (const bool socket : {true, false}) {
    if (socket) {
      ward.answers = false;
    } else {
      ward.age_ms = 60'000;
    }
    std::this_thread::sleep_for(milliseconds(60));  // what was under way is over
    const int before = ward.alive;
    std::this_thread::sleep_for(milliseconds(200));
    EXPECT_EQ(ward.alive, before);
    ward.answers = true;
    ward.age_ms = 0;
    EXPECT_TRUE(ward.reaches(before + 2));
  }
  EXPECT_EQ(ward.ready, 1);
}

TEST(Vigil, ALockThatIsNeverFreeStopsTheWatchdog) {
  Ward ward;
  const Vigil vigil(ward.vitals(), ward.reports(), kInterval);
  ASSERT_TRUE(ward.reaches(2));
  std::unique_lock lock(ward.mutex);
  std::this_thread::sleep_for(milliseconds(60));
  const int before = ward.alive;
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_EQ(ward.alive, before);
  lock.unlock();
  EXPECT_TRUE(ward.reaches(before + 2));
}

TEST(Vigil, TellsTheStatusWhenItChangesOnly) {
  Ward ward;
  const Vigil vigil(ward.vitals(), ward.reports(), kInterval);
  ASSERT_TRUE(ward.reaches(3));
  {
    const std::lock_guard lock(ward.mutex);
    ward.status = "epoch 2 applied";
  }
  ASSERT_TRUE(ward.reaches(ward.alive + 3));
  const std::lock_guard lock(ward.mutex);
  EXPECT_EQ(ward.statuses, (std::vector<std::string>{"epoch 1 applied", "epoch 2 applied"}));
}

TEST(Vigil, WithoutAWatchdogItIsReadyAndFeedsNobody) {
  Ward ward;
  const Vigil vigil(ward.vitals(), ward.reports(), std::nullopt);
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(ward.ready, 1);
  EXPECT_EQ(ward.alive, 0);
}

TEST(Vigil, SaysHowThingsStandInALine) {
  Pulse pulse{.desired = Epoch(12), .dataplane = {}, .backends = 40, .serving = 39};
  pulse.dataplane.connected = true;
  pulse.dataplane.applied = Epoch(12);
  EXPECT_EQ(to_string(pulse), "epoch 12 applied, 39 of 40 backends serve");
  pulse.desired = Epoch(13);
  EXPECT_EQ(to_string(pulse),
            "epoch 13 not yet confirmed, epoch 12 applied, 39 of 40 backends serve");
  pulse.dataplane.refused = Epoch(13);
  EXPECT_EQ(to_string(pulse), "epoch 13 refused, epoch 12 applied, 39 of 40 backends serve");
  pulse.dataplane.connected = false;
  pulse.dataplane.error = "connection refused";
  EXPECT_EQ(to_string(pulse),
            "no dataplane (connection refused), epoch 13 waits, 39 of 40 backends serve");
}

TEST_F(ControllerTest, ThePulseCountsThoseThatServe) {
  dataplane_->connect(1);
  ASSERT_EQ(controller_->reload({.author = "ada", .reason = ""}).change.failure, Failure::kNone);
  const Pulse before = controller_->pulse();
  EXPECT_GT(before.backends, 0U);
  EXPECT_EQ(before.serving, before.backends);
  ASSERT_EQ(
      controller_->set_mode({.service = "web", .backend = "b1", .mode = Mode::kDrain}).failure,
      Failure::kNone);
  EXPECT_EQ(controller_->pulse().serving, before.serving - 1);
  EXPECT_EQ(controller_->pulse().dataplane.applied, controller_->pulse().desired);
}

TEST_F(ControllerTest, AReloadIsAnnouncedAndADryRunIsNot) {
  std::vector<bool> told;
  controller_->start({.wake_dataplane = [this] { dataplane_->wake(); },
                      .set_check_targets = {},
                      .now_unix = {},
                      .reloading = [&](bool begins) { told.push_back(begins); },
                      .confirm_time = milliseconds(300)});
  dataplane_->connect(1);
  static_cast<void>(controller_->reload({.author = "ada", .reason = "", .dry_run = true}));
  EXPECT_TRUE(told.empty());
  static_cast<void>(controller_->reload({.author = "ada", .reason = ""}));
  EXPECT_EQ(told, (std::vector<bool>{true, false}));
  write("nonsense");
  static_cast<void>(controller_->reload({.author = "ada", .reason = ""}));
  EXPECT_EQ(told, (std::vector<bool>{true, false, true, false}));
}

}  // namespace
}  // namespace hawser::control
