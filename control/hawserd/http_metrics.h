// /metrics: asks the dataplane once, and writes what the table of metrics makes of it.
#pragma once

#include "http_server.h"

namespace hawser::control {

// `service=NAME`, several times if wanted, leaves only those services and their backends;
// `backends=no` leaves out what has a label `backend`.
void answer_metrics(const HttpSources& sources, const HttpRequest& request, HttpReply& reply);

}  // namespace hawser::control
