// The sub-command l4: packets of known flows, by way of forwarding, family and number of flows.
#include <map>
#include <optional>
#include <stdexcept>

#include "command_options.h"
#include "commands.h"
#include "floor.h"
#include "traffic.h"

namespace hawser::bench {
namespace {

struct Options {
  std::string mode = "dsr-ipip";
  unsigned family = 4;
  std::string direction = "in";
  std::size_t capacity = kCapacity;
  bool against_floor = false;
  PacketOptions packets;
};

const std::map<std::string, Way>& ways() {
  static const std::map<std::string, Way> all{
      {"in", Way::kIn}, {"out", Way::kOut}, {"both", Way::kBoth}};
  return all;
}

struct Repeat {
  double nanoseconds = 0;  // per packet, the making of packets taken off
  double making = 0;
};

class L4 {
 public:
  L4(const Options& options, std::uint32_t flows)
      : mode_(modes().at(options.mode)),
        way_(ways().at(options.direction)),
        nat_(mode_.forward == model::Forward::kNat),
        rig_({.forward = mode_.forward,
              .family = options.family == 4 ? net::Family::kIpv4 : net::Family::kIpv6,
              .capacity = std::max<std::size_t>(options.capacity, flows),
              .nat_flows = nat_ ? flows : 0}),
        traffic_(rig_, flows, nat_) {
    traffic_.open(mode_.verdict);
  }

  [[nodiscard]] Repeat measure(std::size_t packets) {
    switch (way_) {
      case Way::kIn:
        return measure_way<Way::kIn>(packets);
      case Way::kOut:
        return measure_way<Way::kOut>(packets);
      case Way::kBoth:
        return measure_way<Way::kBoth>(packets);
    }
    return {};
  }
  // Of all packets measured so far, those whose flow was known.
  [[nodiscard]] double hit_ratio() const {
    return 1 - static_cast<double>(unknown_) / static_cast<double>(packets_);
  }
  [[nodiscard]] const Rig& rig() const { return rig_; }

 private:
  template <Way kWay>
  [[nodiscard]] Repeat measure_way(std::size_t packets) {
    const std::size_t bursts = packets / limits::kBurst;
    const auto make = [&](pipeline::Burst& burst) { traffic_.make<kWay>(burst); };
    const Tally before = rig_.tally();
    const double whole = spend(bursts, make, [&](pipeline::Burst& burst) { rig_.turn(burst); });
    check(rig_.tally().since(before), packets);
    const double making = spend(bursts, make, [&](pipeline::Burst& burst) { rig_.pass(burst); });
    const auto all = static_cast<double>(packets);
    return {.nanoseconds = (whole - making) / all, .making = making / all};
  }

  void check(const Tally& tally, std::size_t packets) {
    const std::size_t replies = way_ == Way::kIn ? 0 : way_ == Way::kOut ? packets : packets / 2;
    require_verdicts(
        tally, {{mode_.verdict, packets - replies}, {pipeline::Verdict::kReturnNat, replies}});
    packets_ += packets;
    unknown_ += tally.new_flows + tally.stateless;
    if (unknown_ != 0) {
      throw std::runtime_error(std::to_string(unknown_) + " of " + std::to_string(packets_) +
                               " packets were of no known flow; nothing is reported");
    }
  }

  Mode mode_;
  Way way_;
  bool nat_;
  Rig rig_;
  Traffic traffic_;
  std::uint64_t packets_ = 0;
  std::uint64_t unknown_ = 0;
};

Row row_of(const Options& options, std::uint32_t flows, const L4& l4, const Summary& summary,
           const Summary& making) {
  Row row;
  row.text("bench", "l4").text("mode", options.mode).count("family", options.family);
  row.text("direction", options.direction).count("flows", flows);
  row.count("capacity", l4.rig().capacity()).count("bytes_per_flow", l4.rig().bytes_per_flow());
  row.number("ns_per_packet", summary.median, 2).number("min", summary.min, 2);
  row.number("max", summary.max, 2).number("packets_per_second", 1e9 / summary.median, 0);
  row.number("hit_ratio", l4.hit_ratio(), 4).number("generator_ns", making.median, 2);
  row.text("pages", HugeMemory::all_huge() ? "huge" : "as they came");
  return row;
}

void run(const Options& options, const Common& common, Report& report) {
  const bool nat = options.mode == "nat";
  if (!nat && options.direction != "in") {
    throw std::runtime_error("replies pass the balancer behind nat only; use --mode nat");
  }
  std::optional<Floor> floor;
  if (options.against_floor) floor.emplace();
  for (const std::uint32_t flows : options.packets.flows) {
    L4 l4(options, flows);
    if (floor) floor->learn(flows);
    const std::size_t packets = options.packets.packets_for(flows);
    std::vector<double> times;
    std::vector<double> making;
    std::vector<double> floors;
    // In turns, so that whatever the machine does meanwhile happens to both.
    for (unsigned i = 0; i < common.repeats; ++i) {
      const Repeat repeat = l4.measure(packets);
      times.push_back(repeat.nanoseconds);
      making.push_back(repeat.making);
      if (floor) floors.push_back(floor->run(flows, packets).nanoseconds);
    }
    const Summary summary = summarize(times);
    Row row = row_of(options, flows, l4, summary, summarize(making));
    if (floor) {
      const Summary least = summarize(floors);
      row.number("floor_ns", least.median, 2).number("floor_min", least.min, 2);
      row.number("floor_max", least.max, 2).number("ratio", summary.median / least.median, 2);
    }
    report.add(row);
  }
}

}  // namespace

Command add_l4(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--mode", options->mode, "how the service forwards")
      ->check(CLI::IsMember(modes()))
      ->capture_default_str();
  add_family(app, options->family);
  app.add_option("--direction", options->direction,
                 "of the packets: in from clients, out from backends (nat), or both in turns")
      ->check(CLI::IsMember(ways()))
      ->capture_default_str();
  add_capacity(app, options->capacity);
  app.add_flag("--against-floor", options->against_floor,
               "measure the floor in turns with it, and tell the ratio");
  add_packet_options(app, options->packets);
  return [options](const Common& common, Report& report) { run(*options, common, report); };
}

}  // namespace hawser::bench
