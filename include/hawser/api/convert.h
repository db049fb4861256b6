// Between the Protobuf messages of dataplane.proto and the values of model/.
#pragma once

#include "hawser/base/result.h"
#include "hawser/model/desired.h"

namespace hawser::dataplane::v1 {
class Snapshot;
}

namespace hawser::api {

// Never fails: a model value always fits its message.
void to_message(const model::Desired& desired, dataplane::v1::Snapshot& message);

// Refuses what no message of ours would contain (address of 5 bytes, port 70000, weight out of
// range, unknown enum value), naming service, backend and value. Does not judge the whole: that is
// pipeline::build_snapshot.
[[nodiscard]] Result<model::Desired> from_message(const dataplane::v1::Snapshot& message);

}  // namespace hawser::api
