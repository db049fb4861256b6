// hawserctl as a function: from arguments and surroundings to output and an exit code.
#pragma once

#include <span>
#include <string>

#include "console.h"
#include "failure.h"

namespace hawser::ctl {

// `args` without the program's name.
[[nodiscard]] ExitCode run(std::span<const std::string> args, Console& console);

}  // namespace hawser::ctl
