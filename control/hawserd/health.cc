// The loop of health checks: who is due, what is in flight, what came of it.
#include "health.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include <curl/curl.h>
#include <pthread.h>

#include "health_request.h"

namespace hawser::control {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Checks in flight at once; more wait their turn, so that descriptors do not run out.
constexpr std::size_t kMaxInFlight = 512;
// The loop wakes at least this often.
constexpr milliseconds kMaxPause{1000};

struct Probe {
  CheckTarget target;
  Streak streak;
  Clock::time_point due;                   // of the next check
  std::unique_ptr<HealthRequest> request;  // while in flight
};

using Key = std::pair<std::string, std::string>;  // service, backend
using Probes = std::map<Key, std::unique_ptr<Probe>>;

}  // namespace

std::optional<Event> Streak::count(bool passed, std::uint32_t rise, std::uint32_t fall) {
  if (passed != passing_) length_ = 0;
  passing_ = passed;
  if (length_ < std::max(rise, fall)) {
    ++length_;
    if (length_ == (passed ? rise : fall)) return passed ? Event::kRose : Event::kFell;
  }
  return std::nullopt;
}

class HealthChecker::Loop {
 public:
  explicit Loop(Callback callback)
      : callback_(std::move(callback)), multi_(curl_multi_init()), thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "hawserd-checks");
  }

  ~Loop() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    for (auto& [key, probe] : probes_) forget(*probe);
    curl_multi_cleanup(multi_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void set_targets(std::vector<CheckTarget> targets) {
    {
      const std::lock_guard lock(mutex_);
      wanted_ = std::move(targets);
    }
    curl_multi_wakeup(multi_);
  }

  [[nodiscard]] milliseconds age() const {
    return std::chrono::duration_cast<milliseconds>(Clock::now() - turned_.load());
  }

 private:
  void run() {
    while (take_orders()) {
      turned_ = Clock::now();
      start_due();
      int running = 0;
      curl_multi_perform(multi_, &running);
      const bool finished = collect();
      if (!finished) curl_multi_poll(multi_, nullptr, 0, pause(), nullptr);
    }
  }

  // False: stop.
  bool take_orders() {
    std::optional<std::vector<CheckTarget>> wanted;
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return false;
      std::swap(wanted, wanted_);
    }
    if (wanted) replace(*std::move(wanted));
    return true;
  }

  void replace(std::vector<CheckTarget> wanted) {
    Probes before = std::move(probes_);
    probes_.clear();
    for (CheckTarget& target : wanted) {
      Key key(target.service, target.backend);
      const auto same = before.find(key);
      if (same != before.end() && same->second->target == target) {
        probes_.emplace(std::move(key), std::move(same->second));
        before.erase(same);
      } else {
        const std::uint32_t spread = target.check.interval_ms / 10;
        const milliseconds delay(std::uniform_int_distribution<std::uint32_t>(0, spread)(random_));
        auto probe = std::make_unique<Probe>();
        probe->target = std::move(target);
        wait_until(*probe, Clock::now() + delay);
        probes_.emplace(std::move(key), std::move(probe));
      }
    }
    for (auto& [key, probe] : before) forget(*probe);
  }

  void wait_until(Probe& probe, Clock::time_point due) {
    probe.due = due;
    waiting_.emplace(due, &probe);
  }

  void start_due() {
    const Clock::time_point now = Clock::now();
    while (!waiting_.empty() && waiting_.begin()->first <= now &&
           in_flight_.size() < kMaxInFlight) {
      Probe& probe = *waiting_.begin()->second;
      waiting_.erase(waiting_.begin());
      start(probe, now);
    }
  }

  // Milliseconds until the next check is due, as far as there is room for it.
  [[nodiscard]] int pause() const {
    const bool full = in_flight_.size() >= kMaxInFlight;
    if (waiting_.empty() || full) return static_cast<int>(kMaxPause.count());
    const auto left = std::chrono::ceil<milliseconds>(waiting_.begin()->first - Clock::now());
    return static_cast<int>(std::clamp(left, milliseconds(0), kMaxPause).count());
  }

  void start(Probe& probe, Clock::time_point now) {
    // A tenth of jitter either way keeps the checks of many balancers from marching in step.
    const std::uint32_t interval = probe.target.check.interval_ms;
    std::uniform_int_distribution<std::uint32_t> jittered(interval - interval / 10,
                                                          interval + interval / 10);
    probe.due = now + milliseconds(jittered(random_));
    probe.request = std::make_unique<HealthRequest>(probe.target);
    in_flight_.emplace(probe.request->handle(), &probe);
    curl_multi_add_handle(multi_, probe.request->handle());
  }

  void end(Probe& probe) {
    curl_multi_remove_handle(multi_, probe.request->handle());
    in_flight_.erase(probe.request->handle());
    probe.request.reset();
  }

  void forget(Probe& probe) {
    waiting_.erase({probe.due, &probe});
    if (probe.request != nullptr) end(probe);
  }

  // True when a check ended, so that the next may be due at once.
  bool collect() {
    bool any = false;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      const auto probe = in_flight_.find(message->easy_handle);
      if (probe != in_flight_.end()) report(*probe->second, code);
      any = true;
    }
    return any;
  }

  void report(Probe& probe, CURLcode code) {
    const Outcome outcome = probe.request->outcome(code);
    end(probe);
    wait_until(probe, std::max(probe.due, Clock::now()));
    const model::Check& check = probe.target.check;
    callback_({.target = probe.target,
               .passed = outcome.passed,
               .text = outcome.text,
               .event = probe.streak.count(outcome.passed, check.rise, check.fall)});
  }

  Callback callback_;
  CURLM* multi_;
  Probes probes_;
  std::set<std::pair<Clock::time_point, Probe*>> waiting_;  // by when they are due
  std::unordered_map<CURL*, Probe*> in_flight_;
  std::minstd_rand random_{std::random_device{}()};

  std::atomic<Clock::time_point> turned_{Clock::now()};

  std::mutex mutex_;
  std::optional<std::vector<CheckTarget>> wanted_;
  bool stop_ = false;

  std::thread thread_;  // last: it starts when everything else is there
};

HealthChecker::HealthChecker(Callback callback)
    : loop_(std::make_unique<Loop>(std::move(callback))) {}

HealthChecker::~HealthChecker() = default;

void HealthChecker::set_targets(std::vector<CheckTarget> targets) {
  loop_->set_targets(std::move(targets));
}

milliseconds HealthChecker::age() const {
  return loop_->age();
}

}  // namespace hawser::control
