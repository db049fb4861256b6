// The verb check: judges a configuration file without hawserd.
#pragma once

#include <string>

#include "console.h"
#include "failure.h"
#include "hawser/model/configuration.h"
#include "json.h"

namespace hawser::ctl {

// Reads `file`, standard input for "-", and what it names, and prints what is wrong with it or that
// it is good. kUsage when something is wrong, as when it cannot be read.
[[nodiscard]] ExitCode check_file(const std::string& file, bool json, Console& console);

// What `--json` prints. `name` is what the file is called.
[[nodiscard]] Json check_json(const std::string& name, const model::ParsedConfiguration& parsed);

}  // namespace hawser::ctl
