// The sub-command report: runs the program that draws what was measured, bench/report/report.py.
#include <unistd.h>

#include <array>
#include <filesystem>
#include <stdexcept>

#include "command_options.h"
#include "commands.h"

namespace hawser::bench {
namespace {

struct Options {
  std::string source = ".";
  bool check = false;
};

// Does not return when it succeeds.
void run(const Options& options) {
  std::string program = options.source + "/bench/report/report.py";
  if (!std::filesystem::exists(program)) {
    throw std::runtime_error("there is no " + program + "; name the source tree with --source");
  }
  std::string python = "/usr/bin/python3";
  std::string quiet = "-B";
  std::string check = "--check";
  const std::array<char*, 5> arguments{python.data(), quiet.data(), program.data(),
                                       options.check ? check.data() : nullptr, nullptr};
  execv(python.c_str(), arguments.data());
  throw std::runtime_error(python + " cannot be run");
}

}  // namespace

Command add_report(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--source", options->source, "the source tree, with bench/baseline and docs")
      ->capture_default_str();
  app.add_flag("--check", options->check, "change nothing; fail when anything is behind");
  return [options](const Common& /*common*/, Report& /*report*/) { run(*options); };
}

}  // namespace hawser::bench
