// Reads the [[service.rule]] tables of a service.
#pragma once

#include <string>
#include <vector>

#include "hawser/model/table_reader.h"
#include "hawser/model/validation.h"

namespace hawser::model {

// Checks each value by itself. `source` gets where rules and patterns came from.
void read_rules(TableReader& service, const std::string& where, std::vector<Rule>& out,
                ServiceSource& source, Diagnostics& diagnostics);

// Sets the compiled rules of a service, `index` in the file, if nothing was wrong with its rules so
// far.
void add_compiled_rules(Service& service, std::size_t index, const ServiceSource& source,
                        const RuleCompiler& compile, Diagnostics& diagnostics);

}  // namespace hawser::model
