// The rounds of the vigil.
#include "vigil.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

namespace hawser::control {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Between two looks at what the status says.
constexpr milliseconds kStatusPeriod{1000};
// The loop of checks turns at least each second; less patience would be with an idle one.
constexpr milliseconds kLeastPatience{3000};
// Without a watchdog parts are only waited for until hawserd is ready.
constexpr milliseconds kPatience{10'000};

}  // namespace

Vigil::Vigil(Vitals vitals, VigilReports reports, std::optional<std::chrono::microseconds> watchdog)
    : vitals_(std::move(vitals)), reports_(std::move(reports)), patience_(kPatience) {
  if (watchdog) {
    feed_ = std::max(std::chrono::duration_cast<milliseconds>(*watchdog) / 2, milliseconds(1));
    patience_ = std::max(*feed_, kLeastPatience);
  }
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "hawserd-vigil");
}

Vigil::~Vigil() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  woken_.notify_all();
  thread_.join();
}

bool Vigil::sleep(milliseconds pause) {
  std::unique_lock lock(mutex_);
  return !woken_.wait_for(lock, pause, [this] { return stop_; });
}

void Vigil::run() {
  const milliseconds pause = std::min(feed_.value_or(kStatusPeriod), kStatusPeriod);
  do {
    std::string status = vitals_.status();
    if (status != status_) reports_.status(status);
    status_ = std::move(status);
    const bool due = !ready_ || (feed_ && Clock::now() + pause / 2 >= next_);
    if (due) round();
  } while (sleep(pause));
}

std::string Vigil::trouble() const {
  const milliseconds age = vitals_.checks_age();
  if (age > patience_)
    return fmt::format("the loop of checks has stood still for {} ms", age.count());
  if (!vitals_.answers(patience_)) {
    return fmt::format("the control socket does not answer within {} ms", patience_.count());
  }
  return "";
}

void Vigil::round() {
  std::string found = trouble();
  if (!found.empty() && found.substr(0, 8) != trouble_.substr(0, 8)) {
    spdlog::error("{}{}", found, feed_ ? "; the watchdog is not told that hawserd lives" : "");
  }
  trouble_ = std::move(found);
  if (!trouble_.empty()) return;
  if (!ready_) reports_.ready();
  ready_ = true;
  if (!feed_) return;
  reports_.alive();
  next_ = Clock::now() + *feed_;
}

}  // namespace hawser::control
