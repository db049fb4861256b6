// Fills the message about what is counted of each backend.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/reports.h"
#include "hawser/net/ipv4.h"

namespace hawser::dataplane {
namespace {

using Workers = std::vector<std::unique_ptr<Worker>>;
using stats::BackendTimes;

// A backend that changed its address has two ids for a while, but one row.
struct Row {
  ServiceId service;
  std::vector<std::size_t> ids;
};

// The balancer sees what the backend answers to a SYN.
bool has_signals(const pipeline::ServiceEntry& service) {
  const bool hears =
      service.forward == model::Forward::kNat || service.forward == model::Forward::kSplice;
  return hears && service.protocol == net::kProtocolTcp;
}

void add_traffic(const stats::BackendCounters& counters, v1::BackendCounters& out) {
  out.set_flows(out.flows() + counters.flows.read());
  out.set_closing_flows(out.closing_flows() + counters.ended.read());
  out.set_new_flows(out.new_flows() + counters.new_flows.read());
  out.set_packets_in(out.packets_in() + counters.packets_in.read());
  out.set_bytes_in(out.bytes_in() + counters.bytes_in.read());
  out.set_packets_out(out.packets_out() + counters.packets_out.read());
  out.set_bytes_out(out.bytes_out() + counters.bytes_out.read());
}

void add_signals(const stats::BackendCounters& counters, v1::BackendCounters& out) {
  // What is new there begins with a SYN to the backend, each of its own.
  out.set_connects(out.connects() + counters.new_flows.read());
  out.set_refused(out.refused() + counters.refused.read());
  out.set_timed_out(out.timed_out() + counters.timed_out.read());
  out.set_reset(out.reset() + counters.reset.read());
  out.set_aborted(out.aborted() + counters.aborted.read());
  out.set_server_errors(out.server_errors() + counters.server_errors.read());
  out.set_requests(out.requests() + counters.requests.read());
}

// What all workers timed of a backend. Absent without any.
template <typename Clear>
void report_times(const Workers& workers, const Row& row, stats::Histogram BackendTimes::*which,
                  const char* name, v1::Latency& out, Clear&& clear) {
  set_latency(
      name,
      [&](std::size_t bucket) {
        std::uint64_t total = 0;
        for (const std::unique_ptr<Worker>& worker : workers) {
          for (const std::size_t id : row.ids) {
            const auto& times = worker->state().times;
            if (id < times.size()) total += (times[id].*which).count(bucket);
          }
        }
        return total;
      },
      out);
  if (out.requests() == 0) clear();
}

// Sessions by cookie that were at the backend within their idle time.
void report_sessions(const Workers& workers, const Row& row, const pipeline::SpliceService& splice,
                     v1::BackendCounters& out) {
  std::vector<const affinity::LiveSessions*> parts;
  for (const std::unique_ptr<Worker>& worker : workers) {
    for (const std::size_t id : row.ids) {
      const auto& sessions = worker->state().sessions;
      if (id < sessions.size()) parts.push_back(&sessions[id]);
    }
  }
  if (parts.empty()) return;
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const std::uint32_t bucket =
      splice.window.bucket(affinity::cookie_time(static_cast<std::uint64_t>(now.count())));
  const double live = affinity::live_sessions(parts, bucket, splice.window.buckets);
  out.set_live_sessions(static_cast<std::uint64_t>(std::llround(live)));
}

void report_backend(const Parts& parts, const Row& row, v1::BackendCounters& out) {
  const Workers& workers = parts.machine.workers();
  const pipeline::ServiceEntry& service = parts.snapshots.running().services[row.service.value];
  out.set_has_signals(has_signals(service));
  for (const std::unique_ptr<Worker>& worker : workers) {
    for (const std::size_t id : row.ids) {
      const stats::BackendCounters& counters = worker->state().backends[id];
      add_traffic(counters, out);
      if (out.has_signals()) add_signals(counters, out);
    }
  }
  if (!out.has_signals()) return;
  report_times(workers, row, &BackendTimes::handshake, "handshake", *out.mutable_handshake(),
               [&] { out.clear_handshake(); });
  if (service.splice == nullptr) return;
  report_times(workers, row, &BackendTimes::response, "response", *out.mutable_response(),
               [&] { out.clear_response(); });
  if (service.splice->by == model::AffinityBy::kCookie) {
    report_sessions(workers, row, *service.splice, out);
  }
}

bool ever_failed(const Workers& workers, std::size_t id) {
  return std::any_of(workers.begin(), workers.end(), [id](const std::unique_ptr<Worker>& worker) {
    const stats::BackendCounters& counters = worker->state().backends[id];
    return counters.refused.read() != 0 || counters.timed_out.read() != 0 ||
           counters.reset.read() != 0 || counters.server_errors.read() != 0;
  });
}

}  // namespace

void report_backends(const Parts& parts, bool only_failing, v1::CountersReply& reply) {
  const pipeline::Snapshot& snapshot = parts.snapshots.running();
  const Workers& workers = parts.machine.workers();
  std::map<std::pair<std::uint16_t, std::string>, Row> rows;
  for (std::size_t id = 1; id < snapshot.backends.size(); ++id) {
    const ServiceId service = snapshot.backends[id].service;
    if (service.value == 0 || snapshot.service_names[service.value].empty()) continue;
    if (only_failing && !ever_failed(workers, id)) continue;
    Row& row = rows[{service.value, snapshot.backend_names[id]}];
    row.service = service;
    row.ids.push_back(id);
  }
  for (const auto& [key, row] : rows) {
    v1::BackendCounters& out = *reply.add_backends();
    out.set_service(snapshot.service_names[row.service.value]);
    out.set_backend(key.second);
    report_backend(parts, row, out);
  }
}

}  // namespace hawser::dataplane
