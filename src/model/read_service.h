// Reads one [[service]] with its backends.
#pragma once

#include <cstddef>

#include "hawser/model/table_reader.h"
#include "hawser/model/validation.h"

namespace hawser::model {

// Checks each value by itself; what is wrong goes to `diagnostics`. `index`: its place among the
// services of the file. `source` gets where the backends came from.
[[nodiscard]] Service read_service(const Node& table, std::size_t index, ServiceSource& source,
                                   Diagnostics& diagnostics);

}  // namespace hawser::model
