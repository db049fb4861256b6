// RuntimeIndex: services and backends of a configuration by name.
//
// Immutable; the configuration outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hawser/base/result.h"
#include "hawser/model/configuration.h"

namespace hawser::control {

// A service and one of its backends in the configuration.
struct BackendRef {
  const model::Service* service;
  const model::Backend* backend;
};

// Why a name means no backend.
enum class LookupFailure : std::uint8_t { kUnknown, kAmbiguous };
struct Lookup {
  std::optional<BackendRef> found;
  LookupFailure failure = LookupFailure::kUnknown;
  std::string message;
};

class RuntimeIndex {
 public:
  // Where the names are in configuration.services.
  struct Position {
    std::size_t service;
    std::size_t backend;
  };

  explicit RuntimeIndex(const model::Configuration& configuration);

  [[nodiscard]] std::optional<Position> position(std::string_view service,
                                                 std::string_view backend) const;
  [[nodiscard]] Position position(const BackendRef& ref) const;
  // By service and backend name; the service may be empty when one service only has the backend.
  [[nodiscard]] Lookup find(std::string_view service, std::string_view backend) const;
  // The error names the nearest.
  [[nodiscard]] Result<const model::Service*> find_service(std::string_view name) const;

 private:
  [[nodiscard]] Lookup unknown(std::string_view service, std::string_view backend) const;

  const model::Configuration& configuration_;
  std::unordered_map<std::string_view, std::size_t> services_;
  std::unordered_multimap<std::string_view, Position> backends_;
};

}  // namespace hawser::control
