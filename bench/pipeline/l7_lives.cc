// Whole connections with one request, many at a time, through a service that is read.
#include <array>
#include <bit>
#include <stdexcept>

#include "l7.h"
#include "read_tally.h"

namespace hawser::bench {
namespace {

// A life, packet by packet as they arrive; the client closes.
constexpr std::array<Say, 9> kLife{Say::kSyn,       Say::kAccept,    Say::kRequest,
                                   Say::kSynAck,    Say::kTaken,     Say::kResponse,
                                   Say::kClientFin, Say::kServerFin, Say::kThanks};
constexpr std::uint32_t kRequestAt = 2;
// Connections that begin between two packets of one. What the balancer holds meanwhile must not be
// overwritten by the packets that come.
constexpr std::uint32_t kApart = 128;

class Lives {
 public:
  Lives(const L7Options& options, std::size_t rules, std::size_t head)
      : options_(options),
        has_rules_(rules != 0),
        rig_(spliced_rig({.family = options.family, .connections = options.lives, .rules = rules})),
        // Cookies come back with other clients, as if those had reconnected.
        peers_(rig_, options.peers(std::bit_ceil(kApart * 32), head)) {}

  // Of one connection, beside what it takes to forget it.
  [[nodiscard]] Parts measure(std::uint32_t first);
  [[nodiscard]] double forgetting_ns() const { return forgetting_ns_; }
  [[nodiscard]] std::uint32_t segments() const { return peers_.request_segments(); }
  [[nodiscard]] std::uint32_t packets_each() const {
    return static_cast<std::uint32_t>(kLife.size()) - 1 + segments();
  }

 private:
  void make(pipeline::Burst& burst) noexcept;
  void check(const Tally& tally, const ReadTally& read) const;

  const L7Options& options_;
  bool has_rules_;
  Rig rig_;
  Peers peers_;
  std::uint32_t first_ = 0;
  std::uint64_t time_ = 0;
  std::uint32_t step_ = 0;
  double forgetting_ns_ = 0;
};

void Lives::make(pipeline::Burst& burst) noexcept {
  burst.size = 0;
  burst.again = false;
  const std::uint32_t steps = packets_each();
  const std::uint64_t end = std::uint64_t{options_.lives} + std::uint64_t{kApart} * (steps - 1);
  while (burst.size < limits::kBurst && time_ < end) {
    const std::uint64_t ago = std::uint64_t{step_} * kApart;
    if (time_ >= ago && time_ - ago < options_.lives) {
      const bool asks = step_ >= kRequestAt && step_ < kRequestAt + segments();
      const std::uint32_t part = asks ? step_ - kRequestAt : 0;
      const std::uint32_t at = asks                 ? kRequestAt
                               : step_ < kRequestAt ? step_
                                                    : step_ - segments() + 1;
      peers_.say(kLife[at], first_ + static_cast<std::uint32_t>(time_ - ago), burst, part);
    }
    if (++step_ == steps) {
      step_ = 0;
      ++time_;
    }
  }
  options_.mark(burst);
}

void Lives::check(const Tally& tally, const ReadTally& read) const {
  using enum pipeline::Verdict;
  const std::uint64_t all = options_.lives;
  if (segments() == 1) {
    require_verdicts(tally, {{kReplySynCookie, all},
                             {kSpliceHandshake, all},
                             {kHoldRequest, all},
                             {kSpliceTaken, all},
                             {kSpliceOwn, 2 * all},
                             {kForwardSplice, 3 * all},
                             {kReturnSplice, 3 * all}});
  } else {
    require_verdicts(tally, {{kReplySynCookie, all},
                             {kSpliceHandshake, all},
                             {kReplyAcknowledge, segments() * all},
                             {kSpliceTaken, all},
                             {kSpliceOwn, (1 + segments()) * all},
                             {kForwardSplice, 2 * all},
                             {kReturnSplice, 3 * all}});
  }
  require_kept(read, all, has_rules_);
}

Parts Lives::measure(std::uint32_t first) {
  const std::size_t bursts =
      (std::size_t{options_.lives} * packets_each() + limits::kBurst - 1) / limits::kBurst;
  const Tally before = rig_.tally();
  const ReadTally read = ReadTally::of(rig_);
  first_ = first;
  time_ = step_ = 0;
  const auto learn = [&](std::span<const pipeline::Packet> packets) { peers_.learn(packets); };
  const Parts parts = spend_parts(
      bursts, [&](pipeline::Burst& burst) { make(burst); },
      [&](pipeline::Burst& burst) { rig_.turn(burst, learn); });
  check(rig_.tally().since(before), ReadTally::of(rig_).since(read));
  const double start = thread_nanoseconds();
  rig_.expire_timers(limits::kSpliceLinger / 1000 + 1);
  forgetting_ns_ = (thread_nanoseconds() - start) / options_.lives;
  if (rig_.worker().splice.connections.live() != 0 || rig_.live_flows() != 0) {
    throw std::runtime_error("connections that have closed are not forgotten");
  }
  return {.making = parts.making / options_.lives, .handling = parts.handling / options_.lives};
}

}  // namespace

Row measure_lives(const L7Options& options, std::size_t rules, std::size_t head, unsigned repeats) {
  Lives lives(options, rules, head);
  std::vector<double> times;
  std::vector<double> forgetting;
  std::vector<double> making;
  for (unsigned i = 0; i < repeats; ++i) {
    const Parts parts = lives.measure(i * options.lives);
    forgetting.push_back(lives.forgetting_ns());
    times.push_back(parts.handling + forgetting.back());
    making.push_back(parts.making);
  }
  const Summary summary = summarize(times);
  Row row = l7_row(options, "connection", rules, head, lives.segments());
  row.count("connections", options.lives).count("packets_each", lives.packets_each());
  row.number("ns_per_connection", summary.median, 1).number("min", summary.min, 1);
  row.number("max", summary.max, 1);
  row.number("of_that_forgetting", summarize(forgetting).median, 1);
  row.number("connections_per_second", 1e9 / summary.median, 0);
  row.number("generator_ns", summarize(making).median, 1);
  row.text("pages", HugeMemory::all_huge() ? "huge" : "as they came");
  return row;
}

}  // namespace hawser::bench
