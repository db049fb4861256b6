// Reads the keys of a service about how its backends come and go.
#pragma once

#include <string>

#include "hawser/model/availability.h"
#include "hawser/model/table_reader.h"

namespace hawser::model {

// `where` is how the service is called in diagnostics.
void read_availability(TableReader& reader, const std::string& where, Availability& out,
                       Diagnostics& diagnostics);

}  // namespace hawser::model
