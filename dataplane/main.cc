// hawser-dataplane: reads the command line and the configuration, then runs the process.
#include <signal.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <CLI/CLI.hpp>
#include <malloc.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "dataplane/process.h"

namespace {

using hawser::Result;

struct Options {
  std::string config = "/etc/hawser/hawser.toml";
  std::string log_level = "info";
  bool no_huge = false;
};

Result<hawser::model::Configuration> read_configuration(const std::string& path) {
  if (std::filesystem::is_directory(path)) {
    return hawser::fail(path + " is a directory; --config names a file");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return hawser::fail(path + ": cannot be read: " + std::strerror(errno) +
                        "; --config names another file");
  }
  std::ostringstream text;
  text << file.rdbuf();
  hawser::model::ParsedConfiguration parsed =
      hawser::model::parse_configuration(std::move(text).str(), path);
  if (parsed.ok()) return std::move(parsed.configuration);
  std::string message = "the configuration is not used:";
  for (const hawser::model::Diagnostic& diagnostic : parsed.diagnostics) {
    message += "\n" + diagnostic.to_string();
  }
  return hawser::fail(message);
}

// Signals are read from a descriptor by the main core; no thread is interrupted by one.
void block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

// DPDK's own messages: what is wrong, and all of it when debugging.
std::string eal_log_level(const std::string& level) {
  return level == "debug" ? level : "error";
}

int run(const Options& options) {
  block_signals();
  Result<hawser::model::Configuration> configuration = read_configuration(options.config);
  if (!configuration) {
    spdlog::error("{}", configuration.error().message);
    return 1;
  }
  // Services come from hawserd: what was read of them, and to read them, goes back at once.
  configuration->services = {};
  configuration->prefix_lists = {};
  malloc_trim(0);
  auto process = hawser::dataplane::Process::start(
      *std::move(configuration),
      {.no_huge = options.no_huge, .log_level = eal_log_level(options.log_level)});
  if (!process) {
    spdlog::error("{}", process.error().message);
    return 1;
  }
  (*process)->run();
  return 0;
}

// Exit code of a command line that asks for nothing to be run, such as --version or a wrong one.
std::optional<int> parse(int argc, char** argv, Options& options) {
  CLI::App app("Moves packets for Hawser: polls its ports on pinned cores.", "hawser-dataplane");
  app.set_version_flag("--version", "hawser-dataplane " HAWSER_VERSION);
  app.add_option("--config", options.config, "Configuration file")->capture_default_str();
  app.add_flag("--no-huge", options.no_huge, "Do not use huge pages, even if some are free");
  app.add_option("--log-level", options.log_level, "What to log: debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Options options;
    if (const std::optional<int> code = parse(argc, argv, options)) return *code;
    spdlog::set_default_logger(spdlog::stderr_color_mt("hawser-dataplane"));
    spdlog::set_level(spdlog::level::from_str(options.log_level));
    spdlog::set_pattern("%^%l%$: %v");
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hawser-dataplane: %s\n", error.what());
    return 1;
  }
}
