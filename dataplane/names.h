// What requests name in the running snapshot; for a name that nobody has, the nearest one is told.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "hawser/base/result.h"
#include "hawser/pipeline/snapshot.h"

namespace hawser::dataplane {

[[nodiscard]] Result<ServiceId> find_service(const std::string& name,
                                             const pipeline::Snapshot& snapshot);

// By BackendId, those with this name: of one service or (0) of all. Empty, all, without a name: a
// spliced connection belongs to its service before it has a backend.
[[nodiscard]] Result<std::vector<bool>> find_backends(ServiceId service, const std::string& backend,
                                                      const pipeline::Snapshot& snapshot);

// `what` it should be: "service", "backend".
[[nodiscard]] Error unknown_name(const char* what, const std::string& name,
                                 const std::set<std::string>& known);

}  // namespace hawser::dataplane
