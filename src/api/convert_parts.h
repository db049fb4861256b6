// The parts of a snapshot's message: what whole snapshots and differences have in common.
#pragma once

#include "dataplane.pb.h"
#include "hawser/base/result.h"
#include "hawser/model/desired.h"

namespace hawser::api {

// Epoch and keys.
void head_to_message(const model::Desired& desired, dataplane::v1::Snapshot& message);
[[nodiscard]] Result<model::Desired> head_from_message(const dataplane::v1::Snapshot& message);

void to_message(const model::Service& service, dataplane::v1::Service& message);
[[nodiscard]] Result<model::Service> service_from(const dataplane::v1::Service& message);

void to_message(const model::PrefixList& list, dataplane::v1::PrefixList& message);
[[nodiscard]] Result<model::PrefixList> list_from(const dataplane::v1::PrefixList& message);

}  // namespace hawser::api
