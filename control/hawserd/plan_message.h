// Plans as replies: what hawserd knows of a change, and what the dataplane measures of it.
#pragma once

#include "control.pb.h"
#include "controller.h"
#include "dataplane_client.h"

namespace hawser::control {

// The guards, and states and shares before and after.
void fill_plan(const Plan& plan, v1::Plan& message);

// Asks the dataplane what the candidate of a dry run does to its tables and flows, and adds that;
// or why it is not known. Nothing is asked when nothing would change.
void measure_plan(const ChangeOutcome& outcome, const DataplaneView& dataplane,
                  const DataplaneQuery& query, v1::Plan& message);

// The dataplane's answer put to the backends of `message`. A backend's live flows are projected by
// its share of those of its service that go on.
void add_preview(const dataplane::v1::PreviewReply& preview, v1::Plan& message);

}  // namespace hawser::control
