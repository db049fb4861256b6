// The bash completion script, made from the table of commands.
#pragma once

#include <string>

namespace hawser::ctl {

// Names of services and backends are asked from hawserd when the user presses Tab.
[[nodiscard]] std::string bash_completion();

}  // namespace hawser::ctl
