// Reads the configuration and the files it names from disk.
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

// The whole file, or of a longer one `max_bytes` and one more. The error says why not, without the
// path.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t max_bytes);

}  // namespace hawser::control
