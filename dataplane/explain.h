// Answers "where would this request go, and why?" from the running snapshot. Main core only.
#pragma once

#include "dataplane/parts.h"
#include "dataplane/reply.h"

namespace hawser::dataplane {

// Nothing is forwarded, counted or taken from a rate.
[[nodiscard]] v1::Response explain(const v1::Explain& request, const Parts& parts);

}  // namespace hawser::dataplane
