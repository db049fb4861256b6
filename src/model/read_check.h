// Reads the tables of a service's health check and of its backends' agents.
#pragma once

#include <string>

#include "hawser/model/configuration.h"
#include "hawser/model/table_reader.h"

namespace hawser::model {

// The keys `check` and `agent` of a service of which protocol, client address and name of the
// table in diagnostics are known.
void read_checks(TableReader& reader, const std::string& where, Service& service,
                 Diagnostics& diagnostics);

// Adds what `inspect` finds wrong with the check of a service, `index`-th of the file and read from
// `table`.
void inspect_check(const Service& service, std::size_t index, const Node& table,
                   const CheckInspector& inspect, Diagnostics& diagnostics);

}  // namespace hawser::model
