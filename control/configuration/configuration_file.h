// Reads the configuration and the files it names from disk, and says in a line what it holds.
#pragma once

#include <string>

#include "hawser/base/result.h"
#include "hawser/model/configuration.h"

namespace hawser::control {

// Reads and validates the file and the prefix lists it names, and compiles its rules; the
// diagnostics also say what cannot be read. Rules that `running` has too are taken from there:
// compiling many of them takes seconds.
[[nodiscard]] model::ParsedConfiguration read_configuration(
    const std::string& file, const model::Configuration& running = {});

// The same for a text that was read already, or for why it could not be; `name` is what it is
// called in diagnostics.
[[nodiscard]] model::ParsedConfiguration judge_configuration(
    const Result<std::string>& text, const std::string& name,
    const model::Configuration& running = {});

// How many of each there are in a configuration.
struct Holdings {
  std::size_t ports = 0;
  std::size_t services = 0;
  std::size_t backends = 0;  // over all services
  std::size_t rules = 0;     // over all services
  std::size_t prefix_lists = 0;
  std::size_t prefixes = 0;  // over all lists
};
[[nodiscard]] Holdings holdings_of(const model::Configuration& configuration);

// What is said of a file without faults: "hawser.toml is good: 1 port, 2 services, 5 backends".
[[nodiscard]] std::string good_news(const std::string& name,
                                    const model::Configuration& configuration);

// The whole file, or of a longer one `max_bytes` and one more. The error says why not, without the
// path.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t max_bytes);

}  // namespace hawser::control
