// Names in questions of people: one that nobody has is an error with the nearest, not an empty
// answer.
#pragma once

#include <string>

#include <grpcpp/support/status.h>

#include "dataplane.pb.h"
#include "runtime.h"

namespace hawser::control {

// Empty names are not looked at. Without a service, `backend` may be of several.
[[nodiscard]] grpc::Status check_names(const Runtime& runtime, const std::string& service,
                                       const std::string& backend);

// Names, client and numbers of a capture.
[[nodiscard]] grpc::Status check_capture(const Runtime& runtime,
                                         const dataplane::v1::Capture& wanted);

}  // namespace hawser::control
