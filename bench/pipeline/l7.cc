// The sub-command l7: requests through a service that is read, kept alive and one a connection.
#include "l7.h"

#include "command_options.h"
#include "commands.h"
#include "http_text.h"

namespace hawser::bench {

Row l7_row(const L7Options& options, const char* what, std::size_t rules, std::size_t head,
           std::uint32_t segments) {
  Row row;
  row.text("bench", "l7").text("what", what).count("family", options.family);
  row.text("timestamps", options.no_timestamps ? "no" : "yes");
  row.text("checksums", options.offload ? "by the port" : "here");
  row.count("rules", rules).count("head_bytes", head).count("segments", segments);
  return row;
}

namespace {

void run(const L7Options& options, const Common& common, Report& report) {
  for (const std::size_t rules : options.rules) {
    for (const std::size_t head : options.heads) {
      report.add(measure_kept_alive(options, rules, head, common.repeats));
    }
  }
  for (const std::size_t head : options.heads) {
    report.add(measure_lives(options, options.rules.front(), head, common.repeats));
  }
}

}  // namespace

Command add_l7(CLI::App& app) {
  auto options = std::make_shared<L7Options>();
  const CLI::Validator is_even(
      [](std::string& text) {
        return std::strtoull(text.c_str(), nullptr, 10) % 2 == 0 ? std::string()
                                                                 : text + " is not even";
      },
      "EVEN");
  add_family(app, options->family);
  app.add_option("--rules", options->rules, "rules of the service, several with commas between")
      ->delimiter(',')
      ->check(CLI::Range(std::size_t{0}, limits::kMaxRules))
      ->capture_default_str();
  app.add_option("--head", options->heads, "bytes of a request's head, likewise")
      ->delimiter(',')
      ->check(CLI::Range(kLeastHead, std::size_t{15'000}) & is_even)
      ->capture_default_str();
  app.add_option("--connections", options->connections, "connections that are kept alive")
      ->check(power_of_two(64, 1U << 19))
      ->capture_default_str();
  app.add_option("--requests", options->requests, "on kept-alive connections, of one measurement")
      ->check(CLI::Range(std::uint32_t{limits::kBurst}, 1U << 28))
      ->capture_default_str();
  app.add_option("--lives", options->lives, "whole connections of one measurement")
      ->check(CLI::Range(std::uint32_t{limits::kBurst}, 1U << 19))
      ->capture_default_str();
  app.add_option("--response", options->response, "bytes of a response, its head with it")
      ->check(CLI::Range(std::size_t{300}, std::size_t{1200}))
      ->capture_default_str();
  app.add_flag("--no-timestamps", options->no_timestamps, "no TCP timestamps, as Windows has it");
  app.add_flag("--offload", options->offload, "the port has verified all checksums");
  return [options](const Common& common, Report& report) { run(*options, common, report); };
}

}  // namespace hawser::bench
