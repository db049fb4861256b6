// Between the Protobuf messages of dataplane.proto and the values of model/.
#pragma once

#include <string_view>

#include "hawser/base/result.h"
#include "hawser/model/desired.h"

namespace hawser::dataplane::v1 {
class Snapshot;
}

namespace hawser::api {

// Never fails: a model value always fits its message.
void to_message(const model::Desired& desired, dataplane::v1::Snapshot& message);

// The same as a difference to `base`: with what of `desired` is not in it, compared by pointer
// first and by value then.
void to_difference(const model::Desired& base, const model::Desired& desired,
                   dataplane::v1::Snapshot& message);

// Refuses what no message of ours would contain (address of 5 bytes, port 70000, weight out of
// range, unknown enum value), naming service, backend and value. Does not judge the whole: that is
// pipeline::build_snapshot.
[[nodiscard]] Result<model::Desired> from_message(const dataplane::v1::Snapshot& message);
// The same for a message that may be a difference: to `base`, else it is refused. What equals a
// service of `base` is that service, whole or difference.
[[nodiscard]] Result<model::Desired> from_message(const dataplane::v1::Snapshot& message,
                                                  const model::Desired& base);

// Does a refusal mean that the dataplane runs another snapshot than the one that a difference was
// made to? Then the whole is what to send.
[[nodiscard]] bool is_wrong_base(std::string_view refusal) noexcept;

}  // namespace hawser::api
