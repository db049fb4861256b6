// Preview: what a snapshot would change, without changing it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hawser/model/service.h"

namespace hawser::pipeline {

struct PreviewedBackend {
  std::string service;
  std::string backend;
  std::uint32_t slots_before = 0;  // of its service's table
  std::uint32_t slots_after = 0;
  std::uint64_t flows = 0;         // live now
  std::uint64_t flows_broken = 0;  // of these: reset or re-homed, because it would go or be down
  std::optional<model::Admission> before;  // none: it is not there
  std::optional<model::Admission> after;
  friend bool operator==(const PreviewedBackend&, const PreviewedBackend&) = default;
};

struct Preview {
  // All backends of each service that would change.
  std::vector<PreviewedBackend> backends;
  std::uint64_t slots_moved = 0;  // over all tables
};

}  // namespace hawser::pipeline
