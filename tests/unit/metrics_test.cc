// The table of metrics, and the text that Prometheus reads.
#include "metrics.h"

#include <cstdio>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "controller_fixture.h"
#include "http_client.h"
#include "http_routes.h"

namespace hawser::control {
namespace {

namespace wire = dataplane::v1;

bool ends_in(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// hawser_ and small words, joined by single underscores.
bool is_name(std::string_view name) {
  if (name.substr(0, 7) != "hawser_") return false;
  char before = '_';
  for (const char c : name.substr(7)) {
    if (c != '_' && (c < 'a' || c > 'z')) return false;
    if (c == '_' && before == '_') return false;
    before = c;
  }
  return before != '_';
}

TEST(MetricsTable, NamesFollowPrometheus) {
  std::set<std::string_view> seen;
  for (const Metric& metric : metrics()) {
    EXPECT_TRUE(is_name(metric.name)) << metric.name;
    EXPECT_TRUE(seen.insert(metric.name).second) << metric.name << " twice";
    EXPECT_EQ(ends_in(metric.name, "_total"), metric.type == MetricType::kCounter) << metric.name;
    for (const char* reserved : {"_count", "_sum", "_bucket"}) {
      EXPECT_FALSE(ends_in(metric.name, reserved)) << metric.name;
    }
    for (const char* unit : {"seconds", "bytes", "ratio"}) {
      EXPECT_EQ(metric.name.find(std::string("_") + unit) != std::string_view::npos,
                metric.unit == unit)
          << metric.name;
    }
  }
}

TEST(MetricsTable, SaysWhatEachIs) {
  for (const Metric& metric : metrics()) {
    EXPECT_TRUE(ends_in(metric.help, ".")) << metric.name;
    EXPECT_EQ(metric.help.find('|'), std::string_view::npos) << metric.name << " breaks the page";
  }
}

TEST(MetricsTable, LabelsAreBounded) {
  const std::set<std::string_view> bounded{"service", "backend", "port",    "worker", "verdict",
                                           "cause",   "rule",    "state",   "kind",   "family",
                                           "result",  "version", "severity"};
  for (const Metric& metric : metrics()) {
    std::set<std::string_view> own;
    for (const std::string_view label : labels_of(metric)) {
      EXPECT_EQ(bounded.count(label), 1U) << metric.name << " " << label;
      EXPECT_TRUE(own.insert(label).second) << metric.name << " " << label << " twice";
    }
  }
}

TEST(MetricsTable, PageIsUpToDate) {
  std::ifstream file(HAWSER_SOURCE_ROOT "/docs/reference/metrics.md");
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_EQ(page.str(), metrics_page())
      << "make it again: hawserd --list-metrics > docs/reference/metrics.md";
}

wire::BackendCounters& add(wire::CountersReply& reply, const std::string& service,
                           const std::string& backend, std::uint64_t packets) {
  wire::BackendCounters& row = *reply.add_backends();
  row.set_service(service);
  row.set_backend(backend);
  row.set_packets_in(packets);
  return row;
}

std::uint64_t packets_in(const ServiceTotals& totals, const std::string& service) {
  return totals.of(service).values[1];
}

TEST(ServiceTotals, NeverFall) {
  ServiceTotals totals;
  wire::CountersReply both;
  add(both, "web", "b1", 100);
  add(both, "web", "b2", 40);
  add(both, "api", "b1", 7);
  totals.note(both);
  EXPECT_EQ(packets_in(totals, "web"), 140U);
  EXPECT_EQ(packets_in(totals, "api"), 7U);
  wire::CountersReply without;
  add(without, "web", "b2", 45);
  totals.note(without);
  EXPECT_EQ(packets_in(totals, "web"), 145U) << "b1 was removed";
  wire::CountersReply restarted;
  add(restarted, "web", "b2", 3);
  totals.note(restarted);
  EXPECT_EQ(packets_in(totals, "web"), 148U) << "the dataplane started again";
  totals.note(restarted);
  EXPECT_EQ(packets_in(totals, "web"), 148U);
  EXPECT_EQ(packets_in(totals, "unknown"), 0U);
}

class MetricsTest : public ControllerTest {
 protected:
  // What is written of what the controller and these answers say.
  std::string text(const MetricFilter& filter = {}, const std::vector<std::string>& services = {}) {
    const View view = controller_->view();
    totals_.services.note(counters_);
    Scrape scrape{.began = std::chrono::steady_clock::now(), .now_unix = 1060};
    scrape.view = &view;
    scrape.status = answers_ ? &status_ : nullptr;
    scrape.counters = answers_ ? &counters_ : nullptr;
    scrape.totals = &totals_;
    add_items(scrape, services);
    std::string all;
    write_metrics(scrape, filter, [&](std::string_view part) {
      all += part;
      return true;
    });
    return all;
  }
  static bool has(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
  }

  wire::StatusReply status_;
  wire::CountersReply counters_;
  ScrapeTotals totals_;
  bool answers_ = true;
};

TEST_F(MetricsTest, TellBackendsAndServices) {
  wire::BackendCounters& row = add(counters_, "web", "b1", 5);
  row.set_flows(3);
  row.set_new_flows(9);
  add(counters_, "web", "b2", 6).set_flows(4);
  check("b1", false, Event::kFell);
  check("b1", false, {});
  check("b2", true, {});
  static_cast<void>(controller_->set_weight(
      {.service = "web", .backend = "b2", .weight = 300, .author = "ada", .reason = "test"}));
  const std::string all = text();
  for (const char* line : {
           R"(hawser_service_backends{service="web",state="ready"} 1)",
           R"(hawser_service_backends{service="web",state="down"} 1)",
           R"(hawser_service_flows{service="web"} 7)",
           R"(hawser_service_serving_backends{service="web"} 1)",
           R"(hawser_service_panic{service="web"} 0)",
           R"(hawser_backend_current_weight{service="web",backend="b2"} 300)",
           R"(hawser_backend_ejected{service="web",backend="b1"} 0)",
           R"(hawser_service_in_packets_total{service="web"} 11)",
           R"(hawser_service_new_flows_total{service="web"} 9)",
           R"(hawser_backend_state{service="web",backend="b1",state="ready"} 0)",
           R"(hawser_backend_state{service="web",backend="b1",state="down"} 1)",
           R"(hawser_backend_state_since_timestamp_seconds{service="web",backend="b1"} 1000)",
           R"(hawser_backend_weight{service="web",backend="b2"} 300)",
           R"(hawser_backend_file_weight{service="web",backend="b2"} 100)",
           R"(hawser_backend_share_ratio{service="web",backend="b1"} 0)",
           R"(hawser_backend_share_ratio{service="web",backend="b2"} 1)",
           R"(hawser_backend_flows{service="web",backend="b1"} 3)",
           R"(hawser_backend_check_up{service="web",backend="b1"} 0)",
           R"(hawser_backend_check_up{service="web",backend="b2"} 1)",
           R"(hawser_backend_checks_total{service="web",backend="b1",result="failed"} 2)",
           R"(hawser_backend_checks_total{service="web",backend="b2",result="passed"} 1)",
           "hawser_drifts 1",
           "hawser_drift_oldest_timestamp_seconds 1000",
           "hawser_dataplane_up 1",
           "hawser_uptime_seconds 60",
       }) {
    EXPECT_TRUE(has(all, line)) << line << " in\n" << all;
  }
  // It has no check, and nobody counted it.
  EXPECT_EQ(all.find(R"(hawser_backend_check_up{service="api")"), std::string::npos);
  EXPECT_EQ(all.find(R"(hawser_backend_flows{service="api")"), std::string::npos);
}

TEST_F(MetricsTest, TellRequestsPortsAndWorkers) {
  wire::ServiceCounters& service = *counters_.add_services();
  service.set_service("web");
  service.set_requests(12);
  service.set_sessions_kept(8);
  wire::NamedCounter& rule = *service.add_rules();
  rule.set_name("beta \"users\"");
  rule.set_packets(2);
  wire::Latency& latency = *service.add_latencies();
  latency.set_name("answered");
  latency.set_requests(12);
  latency.set_p50_microseconds(1500);
  latency.set_maximum_microseconds(2'000'000);
  wire::NamedCounter& verdict = *counters_.add_verdicts();
  verdict.set_name("no_backend");
  verdict.set_kind("drop");
  verdict.set_packets(5);
  wire::PortStatus& port = *status_.add_ports();
  port.set_name("uplink");
  port.set_link_up(true);
  port.set_received_bytes(1'000'000'007);
  wire::WorkerStatus& worker = *status_.add_workers();
  worker.set_id(1);
  worker.set_flows_ipv6(6);
  worker.set_busy_permille(250);
  const std::string all = text();
  for (const char* line : {
           R"(hawser_service_requests_total{service="web"} 12)",
           R"(hawser_service_sessions_total{service="web",state="kept"} 8)",
           R"(hawser_service_rule_requests_total{service="web",rule="beta \"users\""} 2)",
           R"(# TYPE hawser_service_answered_seconds summary)",
           R"(hawser_service_answered_seconds_count{service="web"} 12)",
           R"(hawser_service_answered_seconds{service="web",quantile="0.5"} 0.0015)",
           R"(hawser_service_answered_seconds{service="web",quantile="1"} 2)",
           R"(hawser_packets_total{verdict="no_backend"} 5)",
           R"(hawser_packets_by_kind_total{kind="drop"} 5)",
           R"(hawser_port_up{port="uplink"} 1)",
           R"(hawser_port_received_bytes_total{port="uplink"} 1000000007)",
           R"(hawser_worker_flows{worker="1",family="ipv6"} 6)",
           R"(hawser_worker_busy_ratio{worker="1"} 0.25)",
       }) {
    EXPECT_TRUE(has(all, line)) << line << " in\n" << all;
  }
}

TEST_F(MetricsTest, TellWhatIsKnownWithoutTheDataplane) {
  add(counters_, "web", "b1", 5);
  answers_ = false;
  const std::string all = text();
  EXPECT_TRUE(has(all, "hawser_dataplane_up 0"));
  EXPECT_TRUE(has(all, R"(hawser_backend_weight{service="web",backend="b1"} 100)"));
  for (const char* absent : {"hawser_packets_total", "hawser_backend_flows", "hawser_port_up",
                             "hawser_service_in_packets_total", "hawser_worker_flows"}) {
    EXPECT_EQ(all.find(absent), std::string::npos) << absent;
  }
}

TEST_F(MetricsTest, LeaveOutWhatIsNotWanted) {
  const std::string of_api = text({.of_services_only = true}, {"api"});
  EXPECT_TRUE(has(of_api, R"(hawser_backend_weight{service="api",backend="b1"} 100)"));
  EXPECT_EQ(of_api.find(R"(service="web")"), std::string::npos);
  EXPECT_EQ(of_api.find("hawser_dataplane_up"), std::string::npos);
  const std::string short_one = text({.of_backends = false});
  EXPECT_EQ(short_one.find("backend="), std::string::npos);
  EXPECT_TRUE(has(short_one, R"(hawser_service_backends{service="api",state="ready"} 1)"));
}

TEST_F(MetricsTest, AnswerOverHttp) {
  Watch watch;
  const Result<std::unique_ptr<HttpServer>> server = HttpServer::start(
      {.port = 0},
      {*controller_, DataplaneQuery(scratch_.path() + "/dataplane.sock"), watch, totals_},
      http_routes());
  ASSERT_TRUE(server.has_value());
  const std::uint16_t port = (*server)->port();
  const std::string all = get(port, "/metrics");
  EXPECT_EQ(status_of(all), 200);
  EXPECT_NE(all.find("Content-Type: text/plain; version=0.0.4"), std::string::npos);
  EXPECT_TRUE(has(all, "hawser_dataplane_up 0"));
  EXPECT_TRUE(has(all, R"(hawser_problems{severity="critical"} 1)")) << "no dataplane";
  EXPECT_TRUE(has(all, R"(hawser_scrape_errors_total{cause="dataplane"} 1)"));
  EXPECT_EQ(status_of(get(port, "/metrics?service=api&service=web")), 200);
  const std::string unknown = get(port, "/metrics?service=wab");
  EXPECT_EQ(status_of(unknown), 400);
  EXPECT_NE(unknown.find("did you mean \"web\"?"), std::string::npos);
  EXPECT_EQ(status_of(get(port, "/metrics?backends=yes")), 400);
  totals_.under_way = limits::kScrapesAtOnce;
  EXPECT_EQ(status_of(get(port, "/metrics")), 503);
  totals_.under_way = 0;
  EXPECT_TRUE(has(get(port, "/metrics"), R"(hawser_scrape_errors_total{cause="busy"} 1)"));
}

// A fleet: every family's head once, however many parts it is written in, and in bounded time.
class FleetMetricsTest : public MetricsTest {
 protected:
  static constexpr unsigned kServices = 100;
  static constexpr unsigned kBackends = 100;

  void adjust(model::Configuration& configuration) override {
    const model::Service pattern = configuration.services[0];
    configuration.services.clear();
    for (unsigned i = 0; i < kServices; ++i) {
      model::Service& service = configuration.services.emplace_back(pattern);
      service.name = fmt::format("service-{}", i);
      service.backends.assign(kBackends, pattern.backends[0]);
      for (unsigned j = 0; j < kBackends; ++j) {
        service.backends[j].name = fmt::format("backend-{}.example", j);
        wire::BackendCounters& row =
            add(counters_, service.name, service.backends[j].name, 1'000'000 + i * j);
        row.set_bytes_in(1'000'000'000 + j);
        row.set_new_flows(j);
      }
    }
  }
};

TEST_F(FleetMetricsTest, AreWrittenInParts) {
  const auto begin = std::chrono::steady_clock::now();
  const std::string all = text();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  for (const Metric& metric : metrics()) {
    const std::string head = fmt::format("# TYPE {} ", metric.name);
    const std::size_t first = all.find(head);
    EXPECT_EQ(all.find(head, first + 1), std::string::npos) << metric.name;
  }
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = all.find("\nhawser_backend_flows{", at)) != std::string::npos;
       ++at)
    ++lines;
  EXPECT_EQ(lines, kServices * kBackends);
  std::printf("%u backends: %.2f s, %.1f MB\n", kServices * kBackends, took.count(),
              static_cast<double>(all.size()) / 1e6);
  // What Prometheus waits for by default, with sanitizers and neighbours on this machine too.
  EXPECT_LT(took.count(), 10);
}

}  // namespace
}  // namespace hawser::control
