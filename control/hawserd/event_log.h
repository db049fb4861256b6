// EventLog: what happened to the fleet, in order, for those who follow it.
//
// In memory only: what operators did is in the journal too. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::control {

enum class EventKind : std::uint8_t {
  kState,      // a backend went from one state to another
  kPanic,      // every backend of a service is unhealthy, or not any more
  kChange,     // an operator changed something
  kReload,     // the file was read again, or refused
  kKeys,       // cookie keys were rotated
  kDataplane,  // the dataplane came or went
  kSnapshot,   // the dataplane refused a snapshot
};

enum class EventSeverity : std::uint8_t { kInfo, kWarning, kCritical };

struct FleetEvent {
  std::uint64_t sequence = 0;  // rises by one from event to event; 0: not yet in the log
  std::uint64_t at_unix_ms = 0;
  EventKind kind = EventKind::kState;
  EventSeverity severity = EventSeverity::kInfo;
  std::string service;  // empty: of none
  std::string backend;
  std::string text;    // one line
  std::string author;  // empty: hawserd itself
  std::string reason;
};

class EventLog {
 public:
  // Gives it its number, and the time unless it has one. The oldest are forgotten above
  // limits::kMaxEvents.
  void add(FleetEvent event);
  // Those with a number above `after`, oldest first, at most `limit`; waits so long for the first.
  [[nodiscard]] std::vector<FleetEvent> after(std::uint64_t after, std::size_t limit,
                                              std::chrono::milliseconds patience) const;
  // The number of the newest; 0: none yet.
  [[nodiscard]] std::uint64_t newest() const;
  // Nobody waits any longer.
  void stop();
  [[nodiscard]] bool is_stopped() const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable added_;
  std::deque<FleetEvent> events_;
  std::uint64_t newest_ = 0;
  bool stopped_ = false;
};

[[nodiscard]] std::string_view to_string(EventKind kind) noexcept;
[[nodiscard]] std::string_view to_string(EventSeverity severity) noexcept;

}  // namespace hawser::control
