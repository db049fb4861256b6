// The loop of health checks: who is due, what is under way, what came of it.
#include "health.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <utility>

#include <pthread.h>

#include "health_job.h"

namespace hawser::control {
namespace {

using Clock = Job::Clock;
using std::chrono::milliseconds;

// The loop wakes at least this often.
constexpr milliseconds kMaxPause{1000};
// Times are rounded up to this, so that a thousand backends do not mean a thousand wake-ups.
constexpr milliseconds kTick{10};
constexpr std::size_t kEvents = 256;

using Key = std::pair<std::string, std::string>;  // service, backend
using Jobs = std::map<Key, std::unique_ptr<Job>>;
using Times = std::set<std::pair<Clock::time_point, Job*>>;

Clock::time_point to_tick(Clock::time_point time) {
  const auto since = time.time_since_epoch();
  return Clock::time_point((since + kTick - Clock::duration(1)) / kTick * kTick);
}

// As many as the process has descriptors for.
std::size_t most_under_way() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return limits::kMaxChecksInFlight;
  return std::clamp<std::size_t>(limit.rlim_cur / limits::kCheckDescriptorShare, 1,
                                 limits::kMaxChecksInFlight);
}

const CheckTarget& target_of(const CheckJob& job) {
  return job.target();
}
const AgentTarget& target_of(const AgentJob& job) {
  return job.target();
}
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

std::vector<AgentTarget> agent_targets(const model::Configuration& configuration) {
  std::vector<AgentTarget> targets;
  for (const model::Service& service : configuration.services) {
    if (service.agent.port == 0) continue;
    for (const model::Backend& backend : service.backends) {
      targets.push_back({.service = service.name,
                         .backend = backend.name,
                         .address = backend.address,
                         .agent = service.agent});
    }
  }
  return targets;
}

class HealthChecker::Loop {
 public:
  Loop(Callback callback, AgentCallback agent_callback)
      : callback_(std::move(callback)),
        agent_callback_(std::move(agent_callback)),
        room_(most_under_way()),
        poll_(epoll_create1(EPOLL_CLOEXEC)),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "hawserd-checks");
  }

  ~Loop() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    eventfd_write(wake_, 1);
    thread_.join();
    checks_.clear();
    agents_.clear();
    close(wake_);
    close(poll_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void set_targets(std::vector<CheckTarget> targets) {
    {
      const std::lock_guard lock(mutex_);
      wanted_checks_ = std::move(targets);
    }
    eventfd_write(wake_, 1);
  }

  void set_agents(std::vector<AgentTarget> targets) {
    {
      const std::lock_guard lock(mutex_);
      wanted_agents_ = std::move(targets);
    }
    eventfd_write(wake_, 1);
  }

  [[nodiscard]] milliseconds age() const {
    return std::chrono::duration_cast<milliseconds>(Clock::now() - turned_.load());
  }

 private:
  void run() {
    // OpenSSL writes to sockets whose peer may be gone; that is a failed check, no signal.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    epoll_event wake{.events = EPOLLIN, .data = {.ptr = nullptr}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, wake_, &wake);
    while (take_orders()) {
      turned_ = Clock::now();
      start_due();
      end_overdue();
      wait();
    }
  }

  // False: stop.
  bool take_orders() {
    std::optional<std::vector<CheckTarget>> checks;
    std::optional<std::vector<AgentTarget>> agents;
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return false;
      std::swap(checks, wanted_checks_);
      std::swap(agents, wanted_agents_);
    }
    if (checks) {
      material_.forget();
      replace<CheckJob>(*std::move(checks), checks_, callback_);
    }
    if (agents) replace<AgentJob>(*std::move(agents), agents_, agent_callback_);
    return true;
  }

  template <typename JobType, typename Target, typename Report>
  void replace(std::vector<Target> wanted, Jobs& jobs, const Report& callback) {
    Jobs before = std::exchange(jobs, {});
    std::vector<Job*> fresh;
    for (Target& target : wanted) {
      Key key(target.service, target.backend);
      const auto same = before.find(key);
      if (same != before.end() && target_of(static_cast<JobType&>(*same->second)) == target) {
        jobs.emplace(std::move(key), std::move(same->second));
        before.erase(same);
      } else {
        const auto made =
            jobs.emplace(std::move(key), std::make_unique<JobType>(std::move(target), callback));
        if (made.second) fresh.push_back(made.first->second.get());
      }
    }
    for (auto& [key, job] : before) forget(*job);
    // Many at once would be a storm: on this server, and on what it checks.
    for (Job* job : fresh) {
      const auto interval = job->interval_ms();
      const auto many = static_cast<std::uint32_t>(std::min<std::size_t>(fresh.size(), interval));
      std::uniform_int_distribution<std::uint32_t> spread(0, std::max(interval / 10, many));
      wait_until(*job, Clock::now() + milliseconds(spread(random_)));
    }
  }

  void wait_until(Job& job, Clock::time_point due) {
    job.due = to_tick(due);
    waiting_.emplace(job.due, &job);
  }

  void start_due() {
    const Clock::time_point now = Clock::now();
    while (!waiting_.empty() && waiting_.begin()->first <= now && deadlines_.size() < room_) {
      Job& job = *waiting_.begin()->second;
      waiting_.erase(waiting_.begin());
      start(job);
    }
  }

  void start(Job& job) {
    // A tenth of jitter either way keeps the checks of many balancers from marching in step.
    const std::uint32_t interval = job.interval_ms();
    std::uniform_int_distribution<std::uint32_t> jittered(interval - interval / 10,
                                                          interval + interval / 10);
    job.started = Clock::now();
    job.due = job.started + milliseconds(jittered(random_));
    const Route& route = job.prepare(material_);
    job.deadline = to_tick(job.started + milliseconds(route.timeout_ms));
    job.talk = job.make_talk();
    job.flight = std::make_unique<Flight>(route, job.talk.get());
    deadlines_.emplace(job.deadline, &job);
    if (const std::optional<Landing> landing = job.flight->start()) {
      finish(job, *landing);
      return;
    }
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = &job}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, job.flight->descriptor(), &event);
  }

  void end_overdue() {
    const Clock::time_point now = Clock::now();
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      Job& job = *deadlines_.begin()->second;
      finish(job, job.flight->overdue());
    }
  }

  // Closing takes the descriptor out of the set of epoll, too.
  void land(Job& job) {
    deadlines_.erase({job.deadline, &job});
    job.flight.reset();
    job.talk.reset();
  }

  void forget(Job& job) {
    waiting_.erase({job.due, &job});
    if (job.flight != nullptr) land(job);
  }

  void finish(Job& job, const Landing& landing) {
    const Clock::time_point now = Clock::now();
    land(job);
    wait_until(job, std::max(job.due, now));
    job.report(landing, std::chrono::round<milliseconds>(now - job.started));
  }

  // Until something happens or is due.
  void wait() {
    std::array<epoll_event, kEvents> events;  // NOLINT: the kernel fills it
    const int count = epoll_wait(poll_, events.data(), kEvents, pause());
    for (int i = 0; i < count; ++i) {
      if (events[static_cast<std::size_t>(i)].data.ptr == nullptr) {
        eventfd_t ignored = 0;
        eventfd_read(wake_, &ignored);
        continue;
      }
      Job& job = *static_cast<Job*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (const std::optional<Landing> landing = job.flight->advance()) finish(job, *landing);
    }
  }

  [[nodiscard]] int pause() const {
    Clock::time_point next = Clock::now() + kMaxPause;
    if (!deadlines_.empty()) next = std::min(next, deadlines_.begin()->first);
    if (!waiting_.empty() && deadlines_.size() < room_) {
      next = std::min(next, waiting_.begin()->first);
    }
    const auto left = std::chrono::ceil<milliseconds>(next - Clock::now());
    return static_cast<int>(std::clamp(left, milliseconds(0), kMaxPause).count());
  }

  Callback callback_;
  AgentCallback agent_callback_;
  std::size_t room_;  // flights at once
  int poll_;
  int wake_;
  CheckMaterial material_;
  Jobs checks_;
  Jobs agents_;
  Times waiting_;    // by when they are due
  Times deadlines_;  // of those under way
  std::minstd_rand random_{std::random_device{}()};
  std::atomic<Clock::time_point> turned_{Clock::now()};

  std::mutex mutex_;
  std::optional<std::vector<CheckTarget>> wanted_checks_;
  std::optional<std::vector<AgentTarget>> wanted_agents_;
  bool stop_ = false;

  std::thread thread_;  // last: it starts when everything else is there
};

HealthChecker::HealthChecker(Callback callback, AgentCallback agent_callback)
    : loop_(std::make_unique<Loop>(std::move(callback), std::move(agent_callback))) {}

HealthChecker::~HealthChecker() = default;

void HealthChecker::set_targets(std::vector<CheckTarget> targets) {
  loop_->set_targets(std::move(targets));
}

void HealthChecker::set_agents(std::vector<AgentTarget> targets) {
  loop_->set_agents(std::move(targets));
}

milliseconds HealthChecker::age() const {
  return loop_->age();
}

}  // namespace hawser::control
