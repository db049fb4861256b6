// The generated gRPC and Protobuf code under short names.
#pragma once

#include "control.grpc.pb.h"
#include "control.pb.h"
#include "dataplane.pb.h"

namespace hawser::ctl {

namespace rpc = hawser::control::v1;
namespace path = hawser::dataplane::v1;

}  // namespace hawser::ctl
