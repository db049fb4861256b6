// Reads the [[prefix_list]] tables and the files they name.
#pragma once

#include <vector>

#include "hawser/model/table_reader.h"

namespace hawser::model {

// The prefixes of each list in order, each once, without bits beyond their length. `read_file` may
// be empty: then files are not looked at. What is wrong goes to `diagnostics`.
[[nodiscard]] std::vector<PrefixList> read_prefix_lists(const std::vector<const Node*>& tables,
                                                        const FileReader& read_file,
                                                        Diagnostics& diagnostics);

}  // namespace hawser::model
