// Requests on connections that are kept alive: three packets each, or more where heads are longer.
#include <algorithm>
#include <stdexcept>

#include "l7.h"
#include "read_tally.h"

namespace hawser::bench {
namespace {

// Connections whose requests take turns. The response to one comes when `apart` others have been
// asked, its acknowledgement when as many more have.
class KeptAlive {
 public:
  KeptAlive(const L7Options& options, std::size_t rules, std::size_t head)
      : options_(options),
        has_rules_(rules != 0),
        count_(options.connections),
        apart_(std::min(kApart, count_ / 4)),
        rig_(spliced_rig({.family = options.family, .connections = count_, .rules = rules})),
        peers_(rig_, options.peers(count_, head)) {}

  // Every connection through its handshake and its first request.
  void open();
  // Of one request.
  [[nodiscard]] Parts measure(std::uint32_t requests);
  [[nodiscard]] std::uint32_t segments() const { return peers_.request_segments(); }
  [[nodiscard]] std::uint32_t packets_each() const { return segments() + 2; }

 private:
  // Heads in several segments take a buffer each until their response comes.
  static constexpr std::uint32_t kApart = limits::kHeadBuffers / 2;

  // The next packets of the turns up to the end.
  void make(pipeline::Burst& burst) noexcept;
  void check(const Tally& tally, const ReadTally& read, std::uint64_t requests) const;

  const L7Options& options_;
  bool has_rules_;
  std::uint32_t count_;
  std::uint32_t apart_;
  Rig rig_;
  Peers peers_;
  std::uint32_t turn_ = 0;
  std::uint32_t end_ = 0;
  std::uint32_t step_ = 0;
};

void KeptAlive::open() {
  peers_.join_all({Say::kResponse, Say::kThanks});
  // From here on responses and acknowledgements are always under way.
  for (std::uint32_t part = 0; part < segments(); ++part) {
    peers_.say_all(Say::kRequest, part, 0, 2 * apart_);
  }
  peers_.say_all(Say::kResponse, 0, 0, apart_);
  turn_ = 2 * apart_;
}

void KeptAlive::make(pipeline::Burst& burst) noexcept {
  burst.size = 0;
  burst.again = false;
  const std::uint32_t mask = count_ - 1;
  while (turn_ != end_ && burst.size < limits::kBurst) {
    if (step_ < segments()) {
      peers_.say(Say::kRequest, turn_ & mask, burst, step_);
    } else if (step_ == segments()) {
      peers_.say(Say::kResponse, (turn_ - apart_) & mask, burst);
    } else {
      peers_.say(Say::kThanks, (turn_ - 2 * apart_) & mask, burst);
    }
    if (++step_ == packets_each()) {
      step_ = 0;
      ++turn_;
    }
  }
  options_.mark(burst);
}

// A head in one segment passes. One in several is acknowledged piece by piece, and sent when whole.
void KeptAlive::check(const Tally& tally, const ReadTally& read, std::uint64_t requests) const {
  using enum pipeline::Verdict;
  if (segments() == 1) {
    require_verdicts(tally, {{kForwardSplice, 2 * requests}, {kReturnSplice, requests}});
  } else {
    require_verdicts(tally, {{kReplyAcknowledge, segments() * requests},
                             {kSpliceOwn, segments() * requests},
                             {kForwardSplice, requests},
                             {kReturnSplice, requests}});
  }
  require_kept(read, requests, has_rules_);
}

Parts KeptAlive::measure(std::uint32_t requests) {
  const std::size_t bursts =
      (std::size_t{requests} * packets_each() + limits::kBurst - 1) / limits::kBurst;
  const Tally before = rig_.tally();
  const ReadTally read = ReadTally::of(rig_);
  end_ = turn_ + requests;
  const Parts parts = spend_parts(
      bursts, [&](pipeline::Burst& burst) { make(burst); },
      [&](pipeline::Burst& burst) { rig_.turn(burst); });
  check(rig_.tally().since(before), ReadTally::of(rig_).since(read), requests);
  return {.making = parts.making / requests, .handling = parts.handling / requests};
}

}  // namespace

Row measure_kept_alive(const L7Options& options, std::size_t rules, std::size_t head,
                       unsigned repeats) {
  KeptAlive connections(options, rules, head);
  connections.open();
  std::vector<double> times;
  std::vector<double> making;
  for (unsigned i = 0; i < repeats; ++i) {
    const Parts parts = connections.measure(options.requests);
    times.push_back(parts.handling);
    making.push_back(parts.making);
  }
  const Summary summary = summarize(times);
  Row row = l7_row(options, "kept-alive request", rules, head, connections.segments());
  row.count("connections", options.connections).count("packets_each", connections.packets_each());
  row.number("ns_per_request", summary.median, 1).number("min", summary.min, 1);
  row.number("max", summary.max, 1).number("requests_per_second", 1e9 / summary.median, 0);
  row.number("generator_ns", summarize(making).median, 1);
  row.text("pages", HugeMemory::all_huge() ? "huge" : "as they came");
  return row;
}

}  // namespace hawser::bench
