// Reads the configuration and the files it names from disk, and says in a line what it holds.
#include "configuration_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "check_inspection.h"
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

// "1 port", "2 ports".
std::string counted(std::size_t count, const std::string& one, const std::string& many = "") {
  return fmt::format("{} {}", count, count == 1 ? one : many.empty() ? one + "s" : many);
}

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
  return judge_configuration(read_file(file, limits::kMaxConfigurationBytes), file, running);
}

model::ParsedConfiguration judge_configuration(const Result<std::string>& text,
                                               const std::string& name,
                                               const model::Configuration& running) {
  if (text && !text->empty()) {
    Compiler compiler(running);
    return model::parse_configuration(
        *text, name,
        [](const std::string& path) { return read_file(path, limits::kMaxPrefixFile); },
        [&](const std::vector<model::Rule>& rules) { return compiler.compile(rules); },
        inspect_check);
  }
  model::ParsedConfiguration failed;
  failed.diagnostics.push_back(
      {name, 1, 1, fmt::format("cannot be read: {}", text ? "it is empty" : text.error().message)});
  return failed;
}

Holdings holdings_of(const model::Configuration& configuration) {
  Holdings out{.ports = configuration.ports.size(),
               .services = configuration.services.size(),
               .prefix_lists = configuration.prefix_lists.size()};
  for (const model::Service& service : configuration.services) {
    out.backends += service.backends.size();
    out.rules += service.splice.rules.size();
  }
  for (const model::PrefixList& list : configuration.prefix_lists) {
    out.prefixes += list.prefixes->size();
  }
  return out;
}

std::string good_news(const std::string& name, const model::Configuration& configuration) {
  const Holdings holdings = holdings_of(configuration);
  std::string line =
      fmt::format("{} is good: {}, {}, {}", name, counted(holdings.ports, "port"),
                  counted(holdings.services, "service"), counted(holdings.backends, "backend"));
  if (holdings.rules > 0) line += ", " + counted(holdings.rules, "rule");
  if (holdings.prefix_lists > 0) {
    line += fmt::format(", {} with {}", counted(holdings.prefix_lists, "prefix list"),
                        counted(holdings.prefixes, "prefix", "prefixes"));
  }
  return line;
}

}  // namespace hawser::control
