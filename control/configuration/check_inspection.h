// Looks at what a health check names, before it is needed: files of TLS, the regular expression.
#pragma once

#include <vector>

#include "hawser/model/configuration.h"

namespace hawser::control {

// Reads files; the core calls it with each check of a configuration.
[[nodiscard]] std::vector<model::CheckFault> inspect_check(const model::Check& check);

}  // namespace hawser::control
