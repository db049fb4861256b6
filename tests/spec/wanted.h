// Reading what a row configures: ports, services, prefix lists.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "script.h"

namespace hawser::spec {

template <typename T>
[[nodiscard]] T checked(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(result).value();
}

[[nodiscard]] net::IpAddress read_address(const Json& text);

// Pairs of hexadecimal digits.
[[nodiscard]] Bytes read_bytes(const Json& hex);

// `services` and `prefix_lists` of a setup or a snapshot step.
[[nodiscard]] SnapshotStep read_snapshot(const Json& json);

[[nodiscard]] pipeline::PortSetup read_port(const Json& json);

}  // namespace hawser::spec
