// Looks at the dataplane every few seconds: which drops rise, and which worker runs out of NAT
// ports.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "dataplane.pb.h"
#include "dataplane_client.h"
#include "ticker.h"

namespace hawser::control {

// A drop that should not happen, and how often it did within the last minute.
struct Rise {
  std::string counter;
  std::uint64_t packets = 0;
  const char* advice = "";
  friend bool operator==(const Rise& a, const Rise& b) {
    return a.counter == b.counter && a.packets == b.packets;
  }
};

// What successive answers of the dataplane say together. Thread-safe.
class Watch {
 public:
  void note_counters(const dataplane::v1::CountersReply& counters, std::uint64_t now_unix);
  // Those that rose, in the order of the table of counters that are watched.
  [[nodiscard]] std::vector<Rise> rises() const;

  // What is to be logged: one line when a worker's NAT ports go above 80 %, one when they are below
  // 70 % again.
  [[nodiscard]] std::vector<std::string> note_status(const dataplane::v1::StatusReply& status);

 private:
  struct Sample {
    std::uint64_t at_unix;
    std::uint64_t packets;
  };

  mutable std::mutex mutex_;
  std::map<std::string, std::deque<Sample>> samples_;  // by counter, oldest first
  std::set<std::uint32_t> short_of_ports_;             // workers
};

// The thread that keeps a watch told. `watch` outlives it.
class Watcher {
 public:
  Watcher(DataplaneQuery query, Watch& watch);

 private:
  Ticker ticker_;
};

}  // namespace hawser::control
