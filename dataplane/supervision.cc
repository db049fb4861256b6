// What systemd is told, and when.
#include "dataplane/supervision.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

namespace hawser::dataplane {
namespace {

// Between two lines of status: rates over less would jump.
constexpr std::chrono::seconds kStatusPeriod{5};

// A manager that does not hear it draws its own conclusions.
void tell(const std::string& message) {
  static_cast<void>(sd_notify(0, message.c_str()));
}

bool manager_listens() {
  const char* const socket = std::getenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe)
  return socket != nullptr && *socket != '\0';
}

std::optional<std::chrono::microseconds> watchdog() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::microseconds(std::max<std::uint64_t>(microseconds / 2, 1));
}

std::uint64_t packets_of(const Worker& worker) {
  std::uint64_t packets = 0;
  for (const stats::Counter& counter : worker.state().verdicts) packets += counter.read();
  return packets;
}

}  // namespace

Supervision::Supervision(std::span<const std::unique_ptr<Worker>> workers)
    : workers_(workers),
      listens_(manager_listens()),
      feed_period_(watchdog()),
      turns_(workers.size(), 0) {}

void Supervision::stopping() const {
  if (listens_) tell("STOPPING=1");
}

void Supervision::turn(Epoch epoch) {
  if (!listens_) return;
  const Clock::time_point now = Clock::now();
  if (!ready_) {
    if (!all_turned()) return;
    ready_ = true;
    if (feed_period_) next_feed_ = now + *feed_period_;
    tell("READY=1");
  }
  if (feed_period_ && now >= next_feed_) feed(now);
  if (now >= next_status_) tell_status(now, epoch);
}

// Each worker since the last time this was asked.
bool Supervision::all_turned() {
  bool all = true;
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    const std::uint64_t turns = workers_[w]->turns();
    const bool turned = turns != turns_[w];
    turns_[w] = turns;
    all = all && turned;
    if (turned || !ready_ || hung_) continue;
    hung_ = true;
    spdlog::critical("worker {} on core {} hangs; the watchdog is not told that all is well",
                     workers_[w]->id().value, workers_[w]->core());
  }
  return all;
}

void Supervision::feed(Clock::time_point now) {
  next_feed_ = now + *feed_period_;
  if (!all_turned()) return;
  if (hung_) spdlog::warn("all workers turn again");
  hung_ = false;
  tell("WATCHDOG=1");
}

void Supervision::tell_status(Clock::time_point now, Epoch epoch) {
  next_status_ = now + kStatusPeriod;
  std::uint64_t packets = 0;
  for (const std::unique_ptr<Worker>& worker : workers_) packets += packets_of(*worker);
  const double seconds = std::chrono::duration<double>(now - status_at_).count();
  const bool first = status_at_ == Clock::time_point{};
  const double rate = first ? 0 : static_cast<double>(packets - packets_) / seconds;
  packets_ = packets;
  status_at_ = now;
  std::string status = epoch == Epoch(0)
                           ? fmt::format("no snapshot yet, {:.0f} packets/s", rate)
                           : fmt::format("epoch {} in force, {:.0f} packets/s", epoch.value, rate);
  if (status != status_) tell("STATUS=" + status);
  status_ = std::move(status);
}

}  // namespace hawser::dataplane
