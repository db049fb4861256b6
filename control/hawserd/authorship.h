// Who asks for a change, and why, as far as it may be stored.
#pragma once

#include <string>

#include "hawser/base/result.h"

namespace hawser::control {

// Both end in tables and logs: one short line each.
[[nodiscard]] Result<void> check_authorship(const std::string& author, const std::string& reason);

[[nodiscard]] std::string author_or_unknown(const std::string& author);

}  // namespace hawser::control
