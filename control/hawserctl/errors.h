// From what gRPC and the socket say to a failure with an exit code and advice.
#pragma once

#include <optional>
#include <string>

#include <grpcpp/support/status.h>

#include "failure.h"

namespace hawser::ctl {

// `status` is an error that came back from hawserd at `socket`, or from the way there.
[[nodiscard]] Failure failure_of(const grpc::Status& status, const std::string& socket);

// Tries to connect to a Unix socket: the kernel knows better than gRPC why it cannot be done.
// Nothing when somebody listens there. Code kFailed: not permitted; kUnreachable: nobody there.
[[nodiscard]] std::optional<Failure> probe(const std::string& socket);

// `hawserctl: <what>: <what to do>` or, for programs, one JSON object; with a newline.
[[nodiscard]] std::string render(const Failure& failure, bool json);

}  // namespace hawser::ctl
