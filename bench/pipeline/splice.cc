// The sub-command splice: one body after another through connections that are joined.
#include <stdexcept>

#include "command_options.h"
#include "commands.h"
#include "peers.h"

namespace hawser::bench {
namespace {

struct Options {
  unsigned family = 4;
  std::vector<std::uint32_t> connections{1, 1024};
  std::size_t packets = std::size_t{1} << 20;
  std::size_t payload = 0;
  bool no_timestamps = false;
};

constexpr std::uint32_t kSegments = 2;  // for each acknowledgement, as receivers have it

// Connections of which each sends two segments of a body in turn, after the acknowledgement of all
// that it sent before.
class Bodies {
 public:
  Bodies(const Options& options, std::uint32_t connections, Bulk bulk)
      : count_(connections),
        bulk_(bulk),
        acknowledges_(bulk == Bulk::kUp ? Say::kTaken : Say::kThanks),
        rig_(spliced_rig({.family = options.family, .connections = connections})),
        peers_(rig_, {.remembered = connections,
                      .timestamps = !options.no_timestamps,
                      .head_bytes = 256,
                      .response_bytes = 300,
                      .bulk = bulk,
                      .payload = options.payload}) {
    if (bulk == Bulk::kDown) {
      peers_.join_all({Say::kResponse});
    } else {
      peers_.join_all({});
    }
  }

  [[nodiscard]] std::uint32_t payload() const noexcept { return peers_.payload(); }
  // Of one packet.
  [[nodiscard]] Parts measure(std::size_t packets) {
    const std::size_t bursts = packets / limits::kBurst;
    const Tally before = rig_.tally();
    const std::uint64_t bodies = bodies_;
    const Parts parts = spend_parts(
        bursts, [&](pipeline::Burst& burst) { make(burst); },
        [&](pipeline::Burst& burst) { rig_.turn(burst); });
    const std::uint64_t all = bursts * limits::kBurst;
    check(rig_.tally().since(before), all, bodies_ - bodies);
    const auto each = static_cast<double>(all);
    return {.making = parts.making / each, .handling = parts.handling / each};
  }

 private:
  void make(pipeline::Burst& burst) noexcept {
    burst.size = 0;
    burst.again = false;
    while (burst.size < limits::kBurst) {
      peers_.say(step_ == 0 ? acknowledges_ : Say::kBody, turn_, burst);
      bodies_ += step_ == 0 ? 0 : 1;
      if (++step_ > kSegments) {
        step_ = 0;
        turn_ = (turn_ + 1) & (count_ - 1);
      }
    }
  }
  void check(const Tally& tally, std::uint64_t packets, std::uint64_t bodies) const {
    const bool up = bulk_ == Bulk::kUp;
    require_verdicts(tally, {{pipeline::Verdict::kForwardSplice, up ? bodies : packets - bodies},
                             {pipeline::Verdict::kReturnSplice, up ? packets - bodies : bodies}});
  }

  std::uint32_t count_;
  Bulk bulk_;
  Say acknowledges_;
  Rig rig_;
  Peers peers_;
  std::uint32_t turn_ = 0;
  std::uint32_t step_ = 0;
  std::uint64_t bodies_ = 0;
};

Row measure(const Options& options, std::uint32_t connections, Bulk bulk, unsigned repeats) {
  Bodies bodies(options, connections, bulk);
  std::vector<double> times;
  std::vector<double> making;
  for (unsigned i = 0; i < repeats; ++i) {
    const Parts parts = bodies.measure(options.packets);
    times.push_back(parts.handling);
    making.push_back(parts.making);
  }
  const Summary summary = summarize(times);
  // Bits of bodies in the time of a packet, acknowledgements counted as packets.
  const double bits = bodies.payload() * 8.0 * kSegments / (kSegments + 1);
  Row row;
  row.text("bench", "splice").text("direction", bulk == Bulk::kUp ? "up" : "down");
  row.count("family", options.family).text("timestamps", options.no_timestamps ? "no" : "yes");
  row.count("connections", connections).count("payload", bodies.payload());
  row.number("ns_per_packet", summary.median, 2).number("min", summary.min, 2);
  row.number("max", summary.max, 2).number("packets_per_second", 1e9 / summary.median, 0);
  row.number("gbit_per_second", bits / summary.median, 1);
  row.number("generator_ns", summarize(making).median, 2);
  row.text("pages", HugeMemory::all_huge() ? "huge" : "as they came");
  return row;
}

}  // namespace

Command add_splice(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_family(app, options->family);
  app.add_option("--connections", options->connections,
                 "connections that take turns, several with commas between")
      ->delimiter(',')
      ->check(power_of_two(1, 1U << 19))
      ->capture_default_str();
  app.add_option("--packets", options->packets, "packets of one measurement, at least")
      ->check(CLI::Range(std::size_t{limits::kBurst}, std::size_t{1} << 32))
      ->capture_default_str();
  app.add_option("--payload", options->payload, "bytes of the body in a segment, 0: what fits")
      ->check(CLI::Range(0, 1460))
      ->capture_default_str();
  app.add_flag("--no-timestamps", options->no_timestamps, "no TCP timestamps, as Windows has it");
  return [options](const Common& common, Report& report) {
    for (const Bulk bulk : {Bulk::kDown, Bulk::kUp}) {
      for (const std::uint32_t connections : options->connections) {
        report.add(measure(*options, connections, bulk, common.repeats));
      }
    }
  };
}

}  // namespace hawser::bench
