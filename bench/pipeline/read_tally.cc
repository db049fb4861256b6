// Adds up what workers count of a service that is read.
#include "read_tally.h"

#include <stdexcept>
#include <string>

#include "hawser/pipeline/splice_service.h"

namespace hawser::bench {
namespace {

template <typename Counters>
std::uint64_t sum(const Counters& counters) {
  std::uint64_t all = 0;
  for (const stats::Counter& counter : counters) all += counter.read();
  return all;
}

}  // namespace

ReadTally ReadTally::of(Rig& rig) {
  const pipeline::SpliceCounters& counters =
      rig.snapshot().services.at(1).splice->counters_of(WorkerId(0));
  const pipeline::SpliceState& splice = rig.worker().splice;
  ReadTally tally{.requests = counters.requests.read(), .kept = counters.sessions_kept.read()};
  if (!counters.rules.empty()) tally.last_rule = counters.rules.back().read();
  tally.unusual = counters.retries.read() + counters.resplices.read() + counters.tunnels.read() +
                  sum(counters.refusals) + sum(counters.faults) + sum(counters.cookies) +
                  splice.edits.read() + splice.owned_lost.read() + splice.owned_resent.read();
  return tally;
}

ReadTally ReadTally::since(const ReadTally& before) const {
  return {.requests = requests - before.requests,
          .kept = kept - before.kept,
          .last_rule = last_rule - before.last_rule,
          .unusual = unusual - before.unusual};
}

void require_kept(const ReadTally& tally, std::uint64_t requests, bool has_rules) {
  const bool ruled = !has_rules || tally.last_rule == requests;
  if (tally.requests == requests && tally.kept == requests && ruled && tally.unusual == 0) return;
  throw std::runtime_error(
      "of " + std::to_string(requests) + " requests " + std::to_string(tally.requests) +
      " were read, " + std::to_string(tally.kept) + " kept their session, " +
      std::to_string(tally.last_rule) + " came to the last rule, and " +
      std::to_string(tally.unusual) + " times something else happened; nothing is reported");
}

}  // namespace hawser::bench
