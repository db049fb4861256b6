// What the dataplane tells about itself: status and counters.
#pragma once

#include "dataplane.pb.h"
#include "dataplane/parts.h"
#include "hawser/stats/histogram.h"

namespace hawser::dataplane {

void report_status(const Parts& parts, v1::StatusReply& reply);
// `in_all`: neither those of backends nor of services.
void report_counters(const Parts& parts, bool in_all, v1::CountersReply& reply);
// `only_failing`: those that ever failed to take a connection or a request.
void report_backends(const Parts& parts, bool only_failing, v1::CountersReply& reply);
void report_preview(const pipeline::Preview& preview, v1::PreviewReply& reply);
// What is counted of spliced services, and over all of them.
void report_splices(const Parts& parts, v1::CountersReply& reply);
void report_splice_events(const Parts& parts, v1::CountersReply& reply);

// `count(bucket)` of a histogram sums over its writers.
template <typename Count>
void set_latency(const char* name, Count&& count, v1::Latency& out) {
  std::uint64_t requests = 0;
  for (std::size_t b = 0; b < stats::Histogram::kBuckets; ++b) requests += count(b);
  out.set_name(name);
  out.set_requests(requests);
  if (requests == 0) return;
  out.set_p50_microseconds(stats::quantile(0.5, count));
  out.set_p90_microseconds(stats::quantile(0.9, count));
  out.set_p99_microseconds(stats::quantile(0.99, count));
  out.set_maximum_microseconds(stats::quantile(1.0, count));
}

}  // namespace hawser::dataplane
