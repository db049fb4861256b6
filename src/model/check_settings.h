// Checks of a service's settings against each other: forwarding, client address, QUIC, lists.
#pragma once

#include <string>

#include "hawser/model/configuration.h"
#include "hawser/model/validation.h"

namespace hawser::model {

// Adds what is wrong. `where` is how the service is called in diagnostics.
void check_settings(const Service& service, const ServiceSource& source, const std::string& where,
                    const Configuration& configuration, bool lists_read, Diagnostics& diagnostics);

}  // namespace hawser::model
