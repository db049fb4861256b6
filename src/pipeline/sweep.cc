// Forgetting idle flows, a few buckets at a time.
#include <algorithm>

#include "flows.h"
#include "hawser/pipeline/pipeline.h"

namespace hawser::pipeline {
namespace {

// Buckets due after `microseconds` more, so that a whole round takes limits::kSweepSeconds.
std::size_t buckets_due(SweepCursor& cursor, std::size_t buckets, std::uint64_t microseconds) {
  constexpr std::uint64_t kRound = std::uint64_t{limits::kSweepSeconds} * 1'000'000;
  cursor.owed += buckets * std::min<std::uint64_t>(microseconds, kRound);
  const std::uint64_t due =
      std::min<std::uint64_t>(cursor.owed / kRound, limits::kSweepBucketsPerStep);
  cursor.owed = std::min(cursor.owed - due * kRound, buckets * kRound);
  return due;
}

template <typename Table>
void sweep_table(Table& flows, SweepCursor& cursor, Context& context, std::uint64_t microseconds) {
  std::size_t due = buckets_due(cursor, flows.buckets(), microseconds);
  for (; due > 0; --due) {
    flows.visit_bucket(cursor.bucket, [&](auto& flow) {
      if (is_expired(flow, context)) expire(flows, flow, context);
    });
    cursor.bucket = cursor.bucket + 1 == flows.buckets() ? 0 : cursor.bucket + 1;
  }
}

}  // namespace

void sweep(Context& context, std::uint64_t microseconds) noexcept {
  sweep_table(context.worker.ipv4, context.worker.ipv4_sweep, context, microseconds);
  sweep_table(context.worker.ipv6, context.worker.ipv6_sweep, context, microseconds);
}

}  // namespace hawser::pipeline
