// The sub-command new-flows: one SYN for each new flow through the whole pipeline.

#include "command_options.h"
#include "commands.h"
#include "rig.h"

namespace hawser::bench {
namespace {

struct Options {
  std::vector<std::string> modes{"dsr-ipip", "nat"};
  unsigned family = 4;
  std::size_t flows = std::size_t{1} << 20;
  std::size_t capacity = kCapacity;
};

// SYNs of clients that were never seen before.
class Syns {
 public:
  explicit Syns(const Rig& rig) : end_(rig.service_end()), frame_(rig.from_client(net::kTcpSyn)) {}

  void from(std::uint32_t client) { next_ = client; }
  void make(pipeline::Burst& burst) noexcept {
    burst.size = limits::kBurst;
    burst.again = false;
    for (pipeline::Packet& packet : burst.packets) {
      std::uint8_t* const to = ring_.next();
      frame_.write(to, client_of(next_++), end_);
      describe(packet, to, frame_.length());
    }
  }

 private:
  End end_;
  FrameTemplate frame_;
  PacketRing ring_;
  std::uint32_t next_ = 0;
};

void check(const Tally& tally, const Mode& mode, std::size_t flows, const Rig& rig) {
  require_verdicts(tally, {{mode.verdict, flows}});
  if (tally.new_flows == flows && tally.stateless == 0 && rig.live_flows() == flows) return;
  throw std::runtime_error("of " + std::to_string(flows) + " new flows " +
                           std::to_string(rig.live_flows()) +
                           " are in the table; nothing is reported");
}

Row measure(const std::string& name, const Options& options, unsigned repeats) {
  const Mode& mode = modes().at(name);
  const std::size_t bursts = options.flows / limits::kBurst;
  const std::size_t flows = bursts * limits::kBurst;
  Rig rig({.forward = mode.forward,
           .family = options.family == 4 ? net::Family::kIpv4 : net::Family::kIpv6,
           .capacity = std::max(options.capacity, flows),
           .nat_flows = mode.forward == model::Forward::kNat ? flows : 0});
  Syns syns(rig);
  const auto make = [&](pipeline::Burst& burst) { syns.make(burst); };
  std::vector<double> times;
  for (unsigned i = 0; i < repeats; ++i) {
    const auto first = static_cast<std::uint32_t>(i * flows);
    syns.from(first);
    const double making = spend(bursts, make, [&](pipeline::Burst& burst) { rig.pass(burst); });
    syns.from(first);
    const Tally before = rig.tally();
    const double whole = spend(bursts, make, [&](pipeline::Burst& burst) { rig.turn(burst); });
    check(rig.tally().since(before), mode, flows, rig);
    times.push_back((whole - making) / static_cast<double>(flows));
    rig.expire_all();
  }
  const Summary summary = summarize(times);
  Row row;
  row.text("bench", "new-flows").text("mode", name).count("family", options.family);
  row.count("flows", flows).count("capacity", rig.capacity());
  row.number("ns_per_flow", summary.median, 2).number("min", summary.min, 2);
  row.number("max", summary.max, 2).number("flows_per_second", 1e9 / summary.median, 0);
  row.text("pages", HugeMemory::all_huge() ? "huge" : "as they came");
  return row;
}

}  // namespace

Command add_new_flows(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--mode", options->modes, "how the service forwards, several with commas between")
      ->delimiter(',')
      ->check(CLI::IsMember(modes()))
      ->capture_default_str();
  add_family(app, options->family);
  app.add_option("--flows", options->flows, "new flows of one measurement")
      ->check(CLI::Range(std::size_t{limits::kBurst}, std::size_t{1} << 23))
      ->capture_default_str();
  add_capacity(app, options->capacity);
  return [options](const Common& common, Report& report) {
    for (const std::string& mode : options->modes) {
      report.add(measure(mode, *options, common.repeats));
    }
  };
}

}  // namespace hawser::bench
