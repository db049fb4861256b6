// hawser-bench: reads the command line and runs the benchmark that it names.
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "commands.h"

namespace {

using hawser::bench::Command;
using hawser::bench::Common;

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures Hawser; see docs/benchmarks.md.", "hawser-bench");
  app.set_version_flag("--version", HAWSER_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  Common common;
  app.add_flag("--json", common.json, "one JSON object a line instead of a table");
  app.add_option("--repeats", common.repeats, "measurements, of which median and range are told")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();

  std::map<std::string, Command> commands;
  const auto add = [&](const char* name, const char* help, Command (*fill)(CLI::App&)) {
    commands.emplace(name, fill(*app.add_subcommand(name, help)));
  };
  add("l4", "packets of known flows through the pipeline", hawser::bench::add_l4);
  add("floor", "the least work a balancer can do for a packet on this machine",
      hawser::bench::add_floor);
  add("flows", "insert, hit, miss and expiry in the flow table, and memory of a flow",
      hawser::bench::add_flows);
  add("new-flows", "one packet for each new flow", hawser::bench::add_new_flows);
  add("connections", "whole TCP connections through nat", hawser::bench::add_connections);
  add("syn", "SYNs answered with cookies", hawser::bench::add_syn);
  add("l7", "requests through a service that is read", hawser::bench::add_l7);
  add("splice", "bytes through spliced connections, in both directions", hawser::bench::add_splice);
  add("table", "a service's table: build, update, balance", hawser::bench::add_table);
  add("compare", "Hawser and HAProxy in turns, over real ports", hawser::bench::add_compare);
  add("apply", "changes under load, over real ports", hawser::bench::add_apply);
  add("micro", "the core's parts one by one", hawser::bench::add_micro);
  add("report", "charts and tables in docs/ from bench/baseline", hawser::bench::add_report);
  CLI11_PARSE(app, argc, argv);
  try {
    hawser::bench::Report report(common.json);
    commands.at(app.get_subcommands().front()->get_name())(common, report);
    report.finish();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hawser-bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
