// Reads the PROXY protocol's header, version 2, as a backend behind a proxy does.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "peer/heads.h"

namespace hawser::adversary {

struct ProxyHeader {
  Endpoint client;
  Endpoint target;
  std::size_t length = 0;  // bytes it takes at the stream's beginning
};

// Nothing as long as bytes are missing; throws Wrong when it is no such header of a TCP connection.
[[nodiscard]] std::optional<ProxyHeader> read_proxy_header(std::string_view bytes);

}  // namespace hawser::adversary
