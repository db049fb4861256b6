// What --service and --backend ask for together.
#pragma once

#include "arguments.h"
#include "failure.h"

namespace hawser::ctl {

// The service and the backend that are asked for; what is empty does not matter. The two may not
// name different services.
[[nodiscard]] Outcome<BackendName> backend_filter(const Arguments& arguments);

}  // namespace hawser::ctl
