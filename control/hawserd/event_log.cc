// Keeps the newest events and wakes who waits for the next.
#include "event_log.h"

#include <algorithm>
#include <array>
#include <utility>

#include "hawser/base/limits.h"

namespace hawser::control {

void EventLog::add(FleetEvent event) {
  using std::chrono::milliseconds;
  {
    const std::lock_guard lock(mutex_);
    event.sequence = ++newest_;
    if (event.at_unix_ms == 0) {
      const auto now = std::chrono::system_clock::now().time_since_epoch();
      event.at_unix_ms =
          static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(now).count());
    }
    events_.push_back(std::move(event));
    if (events_.size() > limits::kMaxEvents) events_.pop_front();
  }
  added_.notify_all();
}

std::vector<FleetEvent> EventLog::after(std::uint64_t after, std::size_t limit,
                                        std::chrono::milliseconds patience) const {
  std::unique_lock lock(mutex_);
  added_.wait_for(lock, patience, [&] { return stopped_ || newest_ > after; });
  std::vector<FleetEvent> found;
  if (newest_ <= after) return found;
  const std::uint64_t oldest = newest_ - events_.size() + 1;
  const std::uint64_t first = std::max(after + 1, oldest);
  for (std::uint64_t at = first; at <= newest_ && found.size() < limit; ++at) {
    found.push_back(events_[at - oldest]);
  }
  return found;
}

std::uint64_t EventLog::newest() const {
  const std::lock_guard lock(mutex_);
  return newest_;
}

void EventLog::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  added_.notify_all();
}

bool EventLog::is_stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

std::string_view to_string(EventKind kind) noexcept {
  constexpr std::array<std::string_view, 7> kWords{"state", "panic",     "change",  "reload",
                                                   "keys",  "dataplane", "snapshot"};
  return kWords[static_cast<std::size_t>(kind)];
}

std::string_view to_string(EventSeverity severity) noexcept {
  constexpr std::array<std::string_view, 3> kWords{"info", "warning", "critical"};
  return kWords[static_cast<std::size_t>(severity)];
}

}  // namespace hawser::control
