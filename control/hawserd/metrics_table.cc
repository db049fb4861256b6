// The one table of metrics. Names follow Prometheus: base units, counters end in _total; a label
// never names a session or a client, so that nobody can make series at will.
#include <algorithm>
#include <array>

#include "metrics.h"
#include "rows.h"

namespace hawser::control {
namespace {

namespace wire = dataplane::v1;

using Backend = wire::BackendCounters;
using Port = wire::PortStatus;
using Worker = wire::WorkerStatus;
using enum MetricType;

constexpr std::array kStates{State::kReady, State::kStarting, State::kDraining, State::kDown,
                             State::kMaintenance};

double number(std::uint64_t value) {
  return static_cast<double>(value);
}

// What the dataplane tells of a backend, a port or a worker: the field of its message.
template <auto Field>
void field(const BackendItem& item, MetricOut& out) {
  if (item.counters != nullptr) out.add(number((item.counters->*Field)()));
}
template <auto Field>
void field(const Port& item, MetricOut& out) {
  out.add(number((item.*Field)()));
}
template <auto Field>
void field(const Worker& item, MetricOut& out) {
  out.add(number((item.*Field)()));
}
template <auto Field>
constexpr Reader<BackendItem> backend = &field<Field>;
template <auto Field>
constexpr Reader<Port> port = &field<Field>;
template <auto Field>
constexpr Reader<Worker> worker = &field<Field>;

template <auto Ipv4, auto Ipv6>
void families(const Worker& item, MetricOut& out) {
  out.add(number((item.*Ipv4)()), "ipv4");
  out.add(number((item.*Ipv6)()), "ipv6");
}

// One of kTraffic.
template <std::size_t Index>
void traffic(const ServiceItem& item, MetricOut& out) {
  if (item.counted) out.add(number(item.traffic.values[Index]));
}

// Named counters of a spliced service.
using Named = const google::protobuf::RepeatedPtrField<wire::NamedCounter>& (
    wire::ServiceCounters::*)() const;
template <Named Field>
void named(const ServiceItem& item, MetricOut& out) {
  if (item.requests == nullptr) return;
  for (const wire::NamedCounter& row : (item.requests->*Field)()) {
    out.add(number(row.packets()), row.name());
  }
}

void latency(const ServiceItem& item, std::string_view name, MetricOut& out) {
  if (item.requests == nullptr) return;
  for (const wire::Latency& row : item.requests->latencies()) {
    if (row.name() != name) continue;
    const auto seconds = [](std::uint64_t microseconds) { return number(microseconds) / 1e6; };
    out.add({.count = row.requests(),
             .values = {{0.5, seconds(row.p50_microseconds())},
                        {0.9, seconds(row.p90_microseconds())},
                        {0.99, seconds(row.p99_microseconds())},
                        {1.0, seconds(row.maximum_microseconds())}}});
  }
}

void sessions(const ServiceItem& item, MetricOut& out) {
  if (item.requests == nullptr) return;
  out.add(number(item.requests->sessions_new()), "new");
  out.add(number(item.requests->sessions_kept()), "kept");
  out.add(number(item.requests->sessions_moved()), "moved");
}

void problems(const Scrape& scrape, MetricOut& out) {
  for (const Severity severity : {Severity::kCritical, Severity::kWarning}) {
    const auto of_it = [&](const Problem& problem) { return problem.severity == severity; };
    out.add(
        static_cast<double>(std::count_if(scrape.problems.begin(), scrape.problems.end(), of_it)),
        to_string(severity));
  }
}

void oldest_drift(const Scrape& scrape, MetricOut& out) {
  std::uint64_t oldest = UINT64_MAX;
  for (const v1::Drift& row : drift_rows(*scrape.view)) {
    oldest = std::min<std::uint64_t>(oldest, row.since_unix());
  }
  if (oldest != UINT64_MAX) out.add(number(oldest));
}

void neighbours(const Scrape& scrape, MetricOut& out) {
  if (scrape.status == nullptr) return;
  for (const char* state : {"resolving", "reachable", "stale", "failed"}) {
    const auto in_it = [&](const wire::Neighbour& row) { return row.state() == state; };
    const auto& rows = scrape.status->neighbours();
    out.add(static_cast<double>(std::count_if(rows.begin(), rows.end(), in_it)), state);
  }
}

void scrape_errors(const Scrape& scrape, MetricOut& out) {
  out.add(number(scrape.totals->silent), "dataplane");
  out.add(number(scrape.totals->lost), "client");
  out.add(number(scrape.totals->refused), "busy");
}

constexpr std::array kTable{
    // --- hawserd and the dataplane
    // -------------------------------------------------------------------
    Metric{"hawser_build_info", kGauge, "", "version", "Always 1, with the version of hawserd.",
           [](const Scrape&, MetricOut& out) { out.add(1, HAWSER_VERSION); }},
    Metric{"hawser_uptime_seconds", kGauge, "seconds", "", "How long hawserd runs.",
           [](const Scrape& s, MetricOut& out) {
             out.add(number(std::max(s.now_unix, s.view->started_unix) - s.view->started_unix));
           }},
    Metric{
        "hawser_dataplane_up", kGauge, "", "",
        "1 when the dataplane answered this scrape; at 0 only what hawserd knows itself is here.",
        [](const Scrape& s, MetricOut& out) {
          out.add(s.status != nullptr && s.counters != nullptr ? 1 : 0);
        }},
    Metric{"hawser_dataplane_connected", kGauge, "", "",
           "1 when hawserd is connected to the dataplane and can tell it what changes.",
           [](const Scrape& s, MetricOut& out) { out.add(s.view->dataplane.connected ? 1 : 0); }},
    Metric{"hawser_dataplane_build_info", kGauge, "", "version",
           "Always 1, with the version of the dataplane.",
           [](const Scrape& s, MetricOut& out) {
             if (s.status != nullptr) out.add(1, s.status->version());
           }},
    Metric{"hawser_dataplane_uptime_seconds", kGauge, "seconds", "", "How long the dataplane runs.",
           [](const Scrape& s, MetricOut& out) {
             if (s.status != nullptr) out.add(number(s.status->uptime_seconds()));
           }},
    Metric{"hawser_epoch_desired", kGauge, "", "", "Number of the newest snapshot.",
           [](const Scrape& s, MetricOut& out) { out.add(number(s.view->desired.value)); }},
    Metric{
        "hawser_epoch_applied", kGauge, "", "",
        "Number of the snapshot that the dataplane confirmed.",
        [](const Scrape& s, MetricOut& out) { out.add(number(s.view->dataplane.applied.value)); }},
    Metric{
        "hawser_epoch_refused", kGauge, "", "",
        "Number of the newest snapshot that the dataplane refused; 0 when none was since the last "
        "that it confirmed.",
        [](const Scrape& s, MetricOut& out) { out.add(number(s.view->dataplane.refused.value)); }},
    Metric{"hawser_problems", kGauge, "problems", "severity",
           "What `hawserctl status` complains about.", problems},
    Metric{"hawser_drifts", kGauge, "settings", "",
           "Settings in force that the configuration file does not have.",
           [](const Scrape& s, MetricOut& out) {
             out.add(static_cast<double>(drift_rows(*s.view).size()));
           }},
    Metric{"hawser_drift_oldest_timestamp_seconds", kGauge, "seconds", "",
           "Since when, in Unix time, the oldest of them is in force; absent without any.",
           oldest_drift},
    Metric{"hawser_neighbours", kGauge, "neighbours", "state",
           "Backends' and gateways' MAC addresses by what is known of them.", neighbours},
    // --- packets
    // -------------------------------------------------------------------------------------
    Metric{"hawser_packets_total", kCounter, "packets", "verdict",
           "Packets by what became of them; `hawserctl counters` explains each verdict.",
           [](const Scrape& s, MetricOut& out) {
             if (s.counters == nullptr) return;
             for (const auto& row : s.counters->verdicts())
               out.add(number(row.packets()), row.name());
           }},
    Metric{"hawser_packets_by_kind_total", kCounter, "packets", "kind",
           "The same by the kind of the verdict: forward, reply, hand-off, hold, punt, drop.",
           [](const Scrape& s, MetricOut& out) {
             if (s.counters == nullptr) return;
             std::map<std::string_view, std::uint64_t> kinds;
             for (const auto& row : s.counters->verdicts()) kinds[row.kind()] += row.packets();
             for (const auto& [kind, packets] : kinds) out.add(number(packets), kind);
           }},
    Metric{"hawser_dataplane_events_total", kCounter, "events", "cause",
           "What the dataplane counts besides verdicts; `hawserctl counters` explains each.",
           [](const Scrape& s, MetricOut& out) {
             if (s.counters == nullptr) return;
             for (const auto& row : s.counters->other()) out.add(number(row.packets()), row.name());
           }},
    // --- services
    // ------------------------------------------------------------------------------------
    Metric{"hawser_service_backends", kGauge, "backends", "state",
           "Backends of the service by their state.",
           [](const ServiceItem& s, MetricOut& out) {
             for (const State state : kStates) {
               out.add(s.by_state[static_cast<std::size_t>(state)], to_string(state));
             }
           }},
    Metric{"hawser_service_serving_backends", kGauge, "backends", "",
           "Backends that new flows may go to.",
           [](const ServiceItem& s, MetricOut& out) { out.add(number(s.state->serving())); }},
    Metric{
        "hawser_service_panic", kGauge, "", "",
        "1 while every backend that should serve is unhealthy.",
        [](const ServiceItem& s, MetricOut& out) { out.add(s.state->panic_since() != 0 ? 1 : 0); }},
    Metric{"hawser_service_flows", kGauge, "flows", "", "Live flows.",
           [](const ServiceItem& s, MetricOut& out) {
             if (s.counted) out.add(number(s.flows));
           }},
    Metric{"hawser_service_new_flows_total", kCounter, "flows", "", "Flows that began.",
           traffic<0>},
    Metric{"hawser_service_in_packets_total", kCounter, "packets", "", "Packets from clients.",
           traffic<1>},
    Metric{"hawser_service_in_bytes_total", kCounter, "bytes", "",
           "Bytes of their frames, without the checksum.", traffic<2>},
    Metric{"hawser_service_out_packets_total", kCounter, "packets", "",
           "Packets to clients; 0 where replies do not pass the balancer.", traffic<3>},
    Metric{"hawser_service_out_bytes_total", kCounter, "bytes", "",
           "Bytes of their frames, without the checksum.", traffic<4>},
    Metric{"hawser_service_requests_total", kCounter, "requests", "",
           "Requests of a spliced service.",
           [](const ServiceItem& s, MetricOut& out) {
             if (s.requests != nullptr) out.add(number(s.requests->requests()));
           }},
    Metric{"hawser_service_sessions_total", kCounter, "requests", "state",
           "Requests that began a session (new), went to its home (kept), or elsewhere because the "
           "home was not to be used (moved).",
           sessions},
    Metric{"hawser_service_refusals_total", kCounter, "requests", "cause",
           "Requests that the balancer answered itself.", named<&wire::ServiceCounters::refusals>},
    Metric{"hawser_service_refused_cookies_total", kCounter, "cookies", "cause",
           "Session cookies that did not count.", named<&wire::ServiceCounters::cookies>},
    Metric{"hawser_service_rule_requests_total", kCounter, "requests", "rule",
           "Requests by the rule that matched.", named<&wire::ServiceCounters::rules>},
    Metric{"hawser_service_chosen_seconds", kSummary, "seconds", "",
           "From the decision about a request to the connected backend, for requests that needed a "
           "connection, since the dataplane started. Quantiles are known to 12.5 %, quantile 1 is "
           "the longest; the sum is not known.",
           [](const ServiceItem& s, MetricOut& out) { latency(s, "chosen", out); }},
    Metric{"hawser_service_answered_seconds", kSummary, "seconds", "",
           "From there to the head of the response, since the dataplane started; as above.",
           [](const ServiceItem& s, MetricOut& out) { latency(s, "answered", out); }},
    // --- backends
    // ------------------------------------------------------------------------------------
    Metric{"hawser_backend_state", kGauge, "", "state",
           "1 for the state that the backend is in, 0 for the others.",
           [](const BackendItem& b, MetricOut& out) {
             for (const State state : kStates) out.add(state == b.shown ? 1 : 0, to_string(state));
           }},
    Metric{"hawser_backend_state_since_timestamp_seconds", kGauge, "seconds", "",
           "Since when, in Unix time, it is in that state.",
           [](const BackendItem& b, MetricOut& out) { out.add(number(b.state->since_unix)); }},
    Metric{"hawser_backend_weight", kGauge, "", "", "Weight in force.",
           [](const BackendItem& b, MetricOut& out) { out.add(weight_of(*b.state, *b.backend)); }},
    Metric{"hawser_backend_current_weight", kGauge, "", "",
           "What slow start and the backend's agent leave of it.",
           [](const BackendItem& b, MetricOut& out) {
             out.add(number(weight_of(*b.state, *b.backend)) *
                     weight_permille(*b.state, b.service->availability, b.now_unix) / 1000);
           }},
    Metric{"hawser_backend_file_weight", kGauge, "", "", "Weight in the configuration file.",
           [](const BackendItem& b, MetricOut& out) { out.add(b.backend->weight); }},
    Metric{"hawser_backend_share_ratio", kGauge, "ratio", "",
           "Part of the service's new flows that the backend gets by weight, 0 to 1.",
           [](const BackendItem& b, MetricOut& out) { out.add(b.share); }},
    Metric{"hawser_backend_ejected", kGauge, "", "",
           "1 while the backend is ejected for what the dataplane saw of it.",
           [](const BackendItem& b, MetricOut& out) {
             out.add(b.state->ejected_until_unix != 0 ? 1 : 0);
           }},
    Metric{"hawser_backend_flows", kGauge, "flows", "", "Live flows.", backend<&Backend::flows>},
    Metric{"hawser_backend_new_flows_total", kCounter, "flows", "", "Flows that began.",
           backend<&Backend::new_flows>},
    Metric{"hawser_backend_in_packets_total", kCounter, "packets", "", "Packets from clients.",
           backend<&Backend::packets_in>},
    Metric{"hawser_backend_in_bytes_total", kCounter, "bytes", "",
           "Bytes of their frames, without the checksum.", backend<&Backend::bytes_in>},
    Metric{"hawser_backend_out_packets_total", kCounter, "packets", "",
           "Packets to clients; 0 where replies do not pass the balancer.",
           backend<&Backend::packets_out>},
    Metric{"hawser_backend_out_bytes_total", kCounter, "bytes", "",
           "Bytes of their frames, without the checksum.", backend<&Backend::bytes_out>},
    Metric{"hawser_backend_check_up", kGauge, "", "",
           "1 when the last health check passed, 0 when it failed; absent before the first and "
           "without checks.",
           [](const BackendItem& b, MetricOut& out) {
             if (b.state->checked_unix != 0) out.add(b.state->last_passed ? 1 : 0);
           }},
    Metric{"hawser_backend_check_timestamp_seconds", kGauge, "seconds", "",
           "When, in Unix time, it was checked last; absent likewise.",
           [](const BackendItem& b, MetricOut& out) {
             if (b.state->checked_unix != 0) out.add(number(b.state->checked_unix));
           }},
    Metric{"hawser_backend_checks_total", kCounter, "checks", "result",
           "Health checks since hawserd started: passed, failed.",
           [](const BackendItem& b, MetricOut& out) {
             out.add(number(b.state->checks_passed), "passed");
             out.add(number(b.state->checks_failed), "failed");
           }},
    // --- ports and workers
    // ---------------------------------------------------------------------------
    Metric{"hawser_port_up", kGauge, "", "", "1 when the link is up.",
           [](const Port& p, MetricOut& out) { out.add(p.link_up() ? 1 : 0); }},
    Metric{"hawser_port_received_packets_total", kCounter, "packets", "", "Packets received.",
           port<&Port::received_packets>},
    Metric{"hawser_port_received_bytes_total", kCounter, "bytes", "", "Bytes received.",
           port<&Port::received_bytes>},
    Metric{"hawser_port_sent_packets_total", kCounter, "packets", "", "Packets sent.",
           port<&Port::sent_packets>},
    Metric{"hawser_port_sent_bytes_total", kCounter, "bytes", "", "Bytes sent.",
           port<&Port::sent_bytes>},
    Metric{"hawser_port_missed_packets_total", kCounter, "packets", "",
           "Packets the NIC dropped, because the workers were too slow or packet buffers ran out.",
           port<&Port::missed_packets>},
    Metric{"hawser_port_receive_errors_total", kCounter, "packets", "",
           "Packets the NIC found damaged.", port<&Port::receive_errors>},
    Metric{"hawser_port_unsent_packets_total", kCounter, "packets", "",
           "Packets dropped because the transmit queue was full.", port<&Port::unsent_packets>},
    Metric{"hawser_worker_flows", kGauge, "flows", "family",
           "Entries of the flow table that are used.",
           families<&Worker::flows_ipv4, &Worker::flows_ipv6>},
    Metric{"hawser_worker_flow_capacity", kGauge, "flows", "family", "Entries that it has.",
           families<&Worker::capacity_ipv4, &Worker::capacity_ipv6>},
    Metric{"hawser_worker_busy_ratio", kGauge, "ratio", "",
           "Part of the last second in loops that found packets, 0 to 1.",
           [](const Worker& w, MetricOut& out) { out.add(number(w.busy_permille()) / 1000); }},
    Metric{"hawser_worker_nat_ports_used", kGauge, "ports", "", "Ports of NAT addresses in use.",
           worker<&Worker::nat_ports_used>},
    Metric{"hawser_worker_nat_ports", kGauge, "ports", "",
           "Ports of NAT addresses that the worker has.", worker<&Worker::nat_ports_total>},
    // --- the scrape itself
    // ---------------------------------------------------------------------------
    Metric{"hawser_scrapes_total", kCounter, "scrapes", "",
           "Scrapes that were begun, this one too.",
           [](const Scrape& s, MetricOut& out) { out.add(number(s.totals->scrapes)); }},
    Metric{"hawser_scrape_errors_total", kCounter, "scrapes", "cause",
           "Scrapes without the dataplane's answer (dataplane), that the client did not take to "
           "the end (client), and refused because too many were under way (busy).",
           scrape_errors},
    Metric{"hawser_scrape_duration_seconds", kGauge, "seconds", "",
           "How long this scrape took up to here.",
           [](const Scrape& s, MetricOut& out) {
             out.add(
                 std::chrono::duration<double>(std::chrono::steady_clock::now() - s.began).count());
           }},
};

}  // namespace

std::span<const Metric> metrics() {
  return kTable;
}

}  // namespace hawser::control
