// Looks at the dataplane every few seconds.
#include "watch.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace hawser::control {
namespace {

namespace wire = dataplane::v1;

constexpr std::chrono::seconds kPeriod{10};
// A rise is told for that long.
constexpr std::uint64_t kWindowSeconds = 60;
constexpr std::uint64_t kShortPercent = 80;
constexpr std::uint64_t kEasedPercent = 70;

struct Watched {
  std::string_view name;
  const char* advice;
};

constexpr std::array<Watched, 5> kWatched{{
    {"nat_ports_exhausted", "add nat_addresses to the [[port]] towards the backends"},
    {"flow_table_full", "raise flows_ipv4 or flows_ipv6 in [dataplane], or set max_flows"},
    {"opening_table_full",
     "clients open connections faster than backends take them; set new_flow_rate or source_rate"},
    {"fragment_table_full",
     "many fragments come before the first of their packet; look for a flood, or for the sender"},
    {"no_buffer", "raise mbufs in [dataplane]"},
}};

}  // namespace

void Watch::note_counters(const wire::CountersReply& counters, std::uint64_t now_unix) {
  const std::lock_guard lock(mutex_);
  for (const wire::NamedCounter& counter : counters.verdicts()) {
    const bool watched = std::any_of(kWatched.begin(), kWatched.end(), [&](const Watched& entry) {
      return entry.name == counter.name();
    });
    if (!watched) continue;
    std::deque<Sample>& samples = samples_[counter.name()];
    // Another dataplane counts from 0.
    if (!samples.empty() && samples.back().packets > counter.packets()) samples.clear();
    if (samples.size() > 1 && samples.back().at_unix == now_unix) {
      samples.back().packets = counter.packets();
    } else {
      samples.push_back({now_unix, counter.packets()});
    }
    // The oldest that stays is what the minute is counted from.
    while (samples.size() > 1 && samples[1].at_unix + kWindowSeconds <= now_unix) {
      samples.pop_front();
    }
  }
}

std::vector<Rise> Watch::rises() const {
  const std::lock_guard lock(mutex_);
  std::vector<Rise> found;
  for (const Watched& entry : kWatched) {
    const auto samples = samples_.find(std::string(entry.name));
    if (samples == samples_.end()) continue;
    const std::uint64_t packets = samples->second.back().packets - samples->second.front().packets;
    if (packets != 0) found.push_back({std::string(entry.name), packets, entry.advice});
  }
  return found;
}

std::vector<std::string> Watch::note_status(const wire::StatusReply& status) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> lines;
  for (const wire::WorkerStatus& worker : status.workers()) {
    const std::uint64_t used = worker.nat_ports_used() * 100;
    const std::uint64_t total = worker.nat_ports_total();
    const bool was_short = short_of_ports_.count(worker.id()) != 0;
    if (!was_short && total != 0 && used > total * kShortPercent) {
      short_of_ports_.insert(worker.id());
      lines.push_back(
          fmt::format("worker {}: {} of {} NAT ports are used; add nat_addresses to the "
                      "[[port]] towards the backends, or shorten timeouts",
                      worker.id(), worker.nat_ports_used(), total));
    } else if (was_short && used < total * kEasedPercent) {
      short_of_ports_.erase(worker.id());
      lines.push_back(fmt::format("worker {}: {} of {} NAT ports are used, enough are free again",
                                  worker.id(), worker.nat_ports_used(), total));
    }
  }
  return lines;
}

namespace {

// That the dataplane does not answer is for others to say.
void look(const DataplaneQuery& query, Watch& watch) {
  if (const Result<wire::StatusReply> status = query.status()) {
    for (const std::string& line : watch.note_status(*status)) spdlog::warn("{}", line);
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  if (const Result<wire::CountersReply> counters = query.counters_in_all()) {
    watch.note_counters(*counters, static_cast<std::uint64_t>(seconds));
  }
}

}  // namespace

Watcher::Watcher(DataplaneQuery query, Watch& watch)
    : ticker_(kPeriod, [query = std::move(query), &watch] { look(query, watch); }) {}

}  // namespace hawser::control
