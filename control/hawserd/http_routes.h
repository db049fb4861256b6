// The table of what hawserd answers over HTTP.
#pragma once

#include <span>

#include "http_server.h"

namespace hawser::control {

// In the order of the table in docs/operate.md.
[[nodiscard]] std::span<const HttpRoute> http_routes();

}  // namespace hawser::control
