// Checks of what a service says about reading connections: protocol, affinity, cookie, rules.
#pragma once

#include <string>

#include "hawser/model/validation.h"

namespace hawser::model {

// Adds what is wrong. `where` is how the service is called in diagnostics.
void check_splice(const Service& service, const ServiceSource& source, const std::string& where,
                  Diagnostics& diagnostics);

}  // namespace hawser::model
