// The sub-commands compare and apply: they need daemons and namespaces, which a script starts.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "pipeline/commands.h"

namespace hawser::bench {
namespace {

using Words = std::vector<std::string>;

// The build directory that this program lies in, which has the daemons too.
std::filesystem::path build_directory() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path();
}

// The script takes the place of this process.
[[noreturn]] void run_script(const char* name, const Common& common, const Words& more) {
  const std::string script = std::string(HAWSER_SOURCE) + "/scripts/bench-wire";
  Words words{script, name, "--build", build_directory().string()};
  if (common.json) words.emplace_back("--json");
  words.insert(words.end(), more.begin(), more.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  execv(script.c_str(), pointers.data());
  throw std::runtime_error(script + " cannot be run: " + std::strerror(errno) +
                           "; the source that this was built from must still be there");
}

// An option that the script checks and describes, handed on when it is given.
void pass_on(CLI::App& app, const std::shared_ptr<Words>& words, const std::string& name,
             const char* help) {
  app.add_option_function<std::string>(
      name,
      [words, name](const std::string& value) {
        words->push_back(name);
        words->push_back(value);
      },
      help);
}

}  // namespace

Command add_compare(CLI::App& app) {
  auto words = std::make_shared<Words>();
  pass_on(app, words, "--rounds", "turns of each balancer");
  pass_on(app, words, "--seconds", "of each measurement");
  pass_on(app, words, "--connections", "at a time");
  pass_on(app, words, "--device-options", "of the ports' net_af_xdp");
  return [words](const Common& common, Report&) { run_script("compare", common, *words); };
}

Command add_apply(CLI::App& app) {
  auto words = std::make_shared<Words>();
  pass_on(app, words, "--changes", "of weights, one after the other");
  pass_on(app, words, "--rate", "packets a second");
  pass_on(app, words, "--mode", "of the service: nat or dsr-l2");
  return [words](const Common& common, Report&) { run_script("apply", common, *words); };
}

}  // namespace hawser::bench
