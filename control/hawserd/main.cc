// hawserd: reads the command line, puts the parts together, waits for signals.
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <malloc.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "configuration_file.h"
#include "controller.h"
#include "dataplane_client.h"
#include "grpc_server.h"
#include "health.h"
#include "http_routes.h"
#include "http_server.h"
#include "metrics.h"
#include "service_manager.h"
#include "ticker.h"
#include "vigil.h"

namespace hawser::control {
namespace {

struct Options {
  std::string configuration = "/etc/hawser/hawser.toml";
  std::string log_level = "info";
  bool check_only = false;
  bool list_metrics = false;
};

int complain(const std::string& message) {
  std::cerr << "hawserd: " << message << "\n";
  return 1;
}

// Every diagnostic on a line of its own.
int complain(const model::ParsedConfiguration& parsed) {
  for (const model::Diagnostic& diagnostic : parsed.diagnostics) {
    std::cerr << diagnostic.to_string() << "\n";
  }
  return 1;
}

// Threads allocate what others free: the services of a change replace those of the one before. From
// an arena for each thread, as glibc has it, memory would not find its way back.
void share_memory() {
  mallopt(M_ARENA_MAX, 1);
}

// The signals hawserd waits for; blocked before any thread starts, so that all inherit it.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

void reload(Controller& controller) {
  const ReloadOutcome outcome =
      controller.reload({.author = "SIGHUP", .reason = {}, .dry_run = false});
  for (const std::string& line : outcome.diagnostics) spdlog::error("{}", line);
  for (const std::string& note : outcome.notes) spdlog::warn("{}", note);
  if (outcome.change.failure != Failure::kNone) spdlog::error("{}", outcome.change.message);
}

void tell_reloading(bool begins) {
  if (begins) {
    service_manager::reloading();
  } else {
    service_manager::ready();
  }
}

// None where nobody listens.
std::unique_ptr<Vigil> keep_vigil(const Controller& controller, const GrpcServer& server,
                                  const HealthChecker& checker) {
  if (!service_manager::listens()) return nullptr;
  return std::make_unique<Vigil>(
      Vitals{.status = [&] { return to_string(controller.pulse()); },
             .answers = [&](std::chrono::milliseconds time) { return server.answers(time); },
             .checks_age = [&] { return checker.age(); }},
      VigilReports{.ready = service_manager::ready,
                   .alive = service_manager::alive,
                   .status = service_manager::status},
      service_manager::watchdog());
}

// SIGHUP reloads, SIGINT and SIGTERM end.
void wait_for_end(const sigset_t& signals, Controller& controller) {
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal != SIGHUP) return;
    reload(controller);
  }
}

Agent agent_of(AgentState state) {
  switch (state) {
    case AgentState::kMaintenance:
      return Agent::kMaintenance;
    case AgentState::kDown:
      return Agent::kDown;
    case AgentState::kDrain:
      return Agent::kDrain;
    case AgentState::kUp:
      break;
  }
  return Agent::kUp;
}

// Hands on what an agent said; of the same again only that it was said.
void note_agent(Controller& controller, const AgentReport& report) {
  AgentWord word;
  word.text = report.text;
  if (report.changed) {
    spdlog::log(report.answered ? spdlog::level::info : spdlog::level::warn, "agent of {}/{}: {}",
                report.target.service, report.target.backend, report.text);
  }
  if (report.changed && report.answered) {
    if (report.state) word.agent = agent_of(*report.state);
    word.percent = report.percent;
  }
  controller.note_agent(report.target.service, report.target.backend, word);
}

// Null where none is wanted, and where it cannot listen: then `status` says so, and hawserd goes on
// without.
std::unique_ptr<HttpServer> start_http(const model::Control& settings, HttpSources sources,
                                       Controller& controller) {
  if (settings.http.port == 0) return nullptr;
  Result<std::unique_ptr<HttpServer>> server =
      HttpServer::start(settings.http, std::move(sources), http_routes());
  if (!server) {
    spdlog::error("HTTP: {}", server.error().message);
    controller.note_http(server.error().message);
    return nullptr;
  }
  const std::string where = net::endpoint_to_string(settings.http.address, settings.http.port);
  spdlog::info("HTTP on {}", where);
  if (!settings.http.address.is_loopback()) {
    spdlog::warn("everybody who reaches {} can read metrics, services and backends there", where);
  }
  return *std::move(server);
}

int run(const Options& options) {
  share_memory();
  if (options.list_metrics) {
    std::cout << metrics_page();
    return 0;
  }
  model::ParsedConfiguration parsed = read_configuration(options.configuration);
  if (!parsed.ok()) return complain(parsed);
  if (options.check_only) {
    std::cout << good_news(options.configuration, parsed.configuration) << "\n";
    return 0;
  }
  // Without the services, which may be many.
  const model::Control control = parsed.configuration.control;
  const std::string dataplane_socket = parsed.configuration.dataplane.socket;
  const sigset_t signals = block_signals();
  Result<std::unique_ptr<Journal>> journal = Journal::open(control.state_directory);
  if (!journal) return complain(journal.error().message);
  Result<std::unique_ptr<Controller>> created = Controller::create(
      std::move(parsed.configuration), options.configuration, *std::move(journal));
  if (!created) return complain(created.error().message);
  Controller& controller = **created;
  Result<std::unique_ptr<GrpcServer>> server =
      GrpcServer::start(control, dataplane_socket, controller);
  if (!server) return complain(server.error().message);
  HealthChecker checker([&](const CheckReport& report) { controller.note_check(report); },
                        [&](const AgentReport& report) { note_agent(controller, report); });
  DataplaneClient client(dataplane_socket, controller);
  controller.start(
      {.wake_dataplane = [&] { client.wake(); },
       .set_check_targets =
           [&](std::vector<CheckTarget> targets) { checker.set_targets(std::move(targets)); },
       .set_agent_targets =
           [&](std::vector<AgentTarget> targets) { checker.set_agents(std::move(targets)); },
       .now_unix = {},
       .reloading = tell_reloading});
  ScrapeTotals totals;
  const std::unique_ptr<HttpServer> http = start_http(
      control, {controller, DataplaneQuery(dataplane_socket), (*server)->watch(), totals},
      controller);
  // Apart from each other: a dataplane that does not answer must not keep time from passing.
  const Ticker clock(std::chrono::seconds(1), [&] { controller.tick(); });
  const DataplaneQuery query(dataplane_socket);
  const Ticker passive(std::chrono::seconds(1), [&] {
    const Result<dataplane::v1::CountersReply> counters = query.failing_backends();
    if (counters) controller.note_signals(*counters);
  });
  spdlog::info("hawserd " HAWSER_VERSION " serves {} from {}", control.socket,
               options.configuration);
  std::unique_ptr<Vigil> vigil = keep_vigil(controller, **server, checker);
  wait_for_end(signals, controller);
  service_manager::stopping();
  vigil.reset();
  spdlog::info("stopping; the dataplane goes on with its last snapshot");
  controller.stop();
  return 0;
}

// The exit code: 0 ended, 1 failed, 2 usage.
int run(int argc, char** argv) {
  Options options;
  CLI::App app{"hawserd decides what hawser-dataplane forwards: configuration, operators, health."};
  app.set_version_flag("--version", "hawserd " HAWSER_VERSION);
  app.add_option("-c,--config", options.configuration, "configuration file")->capture_default_str();
  app.add_flag("--check-config", options.check_only, "validate the configuration file and exit");
  app.add_flag("--list-metrics", options.list_metrics,
               "print the metrics that Prometheus is told, as a page of Markdown, and exit");
  app.add_option("--log-level", options.log_level, "least severe message that is logged")
      ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error"}))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  // The journal of systemd adds the time itself.
  spdlog::set_default_logger(spdlog::stderr_logger_mt("hawserd"));
  spdlog::set_pattern("%l: %v");
  spdlog::set_level(spdlog::level::from_str(options.log_level));
  return run(options);
}

}  // namespace
}  // namespace hawser::control

int main(int argc, char** argv) {
  try {
    return hawser::control::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hawserd: %s\n", error.what());
    return 1;
  }
}
