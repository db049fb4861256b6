// What the dataplane tells about itself: status and counters.
#pragma once

#include "dataplane.pb.h"
#include "dataplane/parts.h"

namespace hawser::dataplane {

void report_status(const Parts& parts, v1::StatusReply& reply);
void report_counters(const Parts& parts, v1::CountersReply& reply);
// What is counted of spliced services, and over all of them.
void report_splices(const Parts& parts, v1::CountersReply& reply);
void report_splice_events(const Parts& parts, v1::CountersReply& reply);

}  // namespace hawser::dataplane
