// The completion scripts of three shells, made from the table of commands.
#pragma once

#include <string>

namespace hawser::ctl {

// Names of services and backends are asked from hawserd when the user presses Tab.
[[nodiscard]] std::string bash_completion();
[[nodiscard]] std::string zsh_completion();
[[nodiscard]] std::string fish_completion();

}  // namespace hawser::ctl
