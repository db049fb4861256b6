// The text of --help, made from the table of commands.
#pragma once

#include <string>

#include "commands.h"

namespace hawser::ctl {

// `hawserctl weight BACKEND [WEIGHT] [--file] [--reason TEXT] …`, without global options.
[[nodiscard]] std::string usage_line(const Verb& verb);

[[nodiscard]] std::string general_help();
[[nodiscard]] std::string verb_help(const Verb& verb);

}  // namespace hawser::ctl
