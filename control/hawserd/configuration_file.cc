// Reads the configuration and the files it names from disk.
#include "configuration_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "hawser/model/compile_rules.h"

namespace hawser::control {
namespace {

constexpr std::size_t kStep = 1U << 20;  // bytes read at once

// Compiles rules, each set once.
class Compiler {
 public:
  explicit Compiler(const model::Configuration& running) {
    for (const model::Service& service : running.services) {
      if (!service.splice.rules.empty()) {
        known_.push_back({service.splice.rules, service.splice.rules_database});
      }
    }
  }

  model::CompiledRules compile(const std::vector<model::Rule>& rules) {
    for (const Known& known : known_) {
      if (known.rules == rules) return {.database = known.database, .faults = {}};
    }
    model::CompiledRules compiled = model::compile_rules(rules);
    if (compiled.faults.empty()) known_.push_back({rules, compiled.database});
    return compiled;
  }

 private:
  struct Known {
    std::vector<model::Rule> rules;
    std::string database;
  };
  std::vector<Known> known_;
};

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  // Opening a pipe that nobody writes to must not wait.
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return fail(std::strerror(errno));
  std::string text;
  ssize_t got = 1;
  while (got > 0 && text.size() <= max_bytes) {
    const std::size_t before = text.size();
    const std::size_t want = std::min(kStep, max_bytes + 1 - before);
    text.resize(before + want);
    do {
      got = read(descriptor, text.data() + before, want);
    } while (got < 0 && errno == EINTR);
    const int number = errno;
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    errno = number;
  }
  const int number = errno;
  close(descriptor);
  if (got < 0) return fail(std::strerror(number));
  return text;
}

model::ParsedConfiguration read_configuration(const std::string& file,
                                              const model::Configuration& running) {
  const Result<std::string> text = read_file(file, limits::kMaxConfigurationBytes);
  if (text && !text->empty()) {
    Compiler compiler(running);
    return model::parse_configuration(
        *text, file,
        [](const std::string& path) { return read_file(path, limits::kMaxPrefixFile); },
        [&](const std::vector<model::Rule>& rules) { return compiler.compile(rules); });
  }
  model::ParsedConfiguration failed;
  failed.diagnostics.push_back(
      {file, 1, 1, fmt::format("cannot be read: {}", text ? "it is empty" : text.error().message)});
  return failed;
}

}  // namespace hawser::control
