// The sub-command syn: SYNs for a spliced service, answered with cookies and without state.
#include <array>

#include "command_options.h"
#include "commands.h"
#include "rig.h"

namespace hawser::bench {
namespace {

struct Options {
  unsigned family = 4;
  std::size_t packets = std::size_t{4} << 20;
};

// What fits the shortest frame, as in a flood.
constexpr std::array<std::uint8_t, 4> kMss{2, 4, 0x05, 0xb4};
// What Linux sends: MSS, SACK, timestamps, window scale.
constexpr std::array<std::uint8_t, 20> kFull{2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 1,
                                             2, 3, 0,    0,    0, 0, 1, 3,  3, 7};

Row measure(const char* name, std::span<const std::uint8_t> tcp_options, const Options& options,
            unsigned repeats) {
  const std::size_t bursts = options.packets / limits::kBurst;
  const std::size_t packets = bursts * limits::kBurst;
  Rig rig({.forward = model::Forward::kSplice,
           .family = options.family == 4 ? net::Family::kIpv4 : net::Family::kIpv6,
           .capacity = kCapacity,
           .nat_flows = 1});
  const FrameTemplate frame(rig.from_client(net::kTcpSyn), tcp_options);
  const End service = rig.service_end();
  PacketRing ring;
  std::uint32_t next = 0;
  const auto make = [&](pipeline::Burst& burst) {
    burst.size = limits::kBurst;
    burst.again = false;
    for (pipeline::Packet& packet : burst.packets) {
      std::uint8_t* const to = ring.next();
      frame.write(to, client_of(next++), service);
      describe(packet, to, frame.length());
    }
  };
  std::vector<double> times;
  for (unsigned i = 0; i < repeats; ++i) {
    const Tally before = rig.tally();
    const double whole = spend(bursts, make, [&](pipeline::Burst& burst) { rig.turn(burst); });
    require_verdicts(rig.tally().since(before), {{pipeline::Verdict::kReplySynCookie, packets}});
    const double making = spend(bursts, make, [&](pipeline::Burst& burst) { rig.pass(burst); });
    times.push_back((whole - making) / static_cast<double>(packets));
  }
  if (rig.live_flows() != 0) throw std::runtime_error("SYNs that were answered left flows behind");
  const Summary summary = summarize(times);
  Row row;
  row.text("bench", "syn").count("family", options.family).text("options", name);
  row.count("frame_bytes", frame.length()).number("ns_per_answer", summary.median, 2);
  row.number("min", summary.min, 2).number("max", summary.max, 2);
  row.number("answers_per_second", 1e9 / summary.median, 0);
  row.text("pages", HugeMemory::all_huge() ? "huge" : "as they came");
  return row;
}

}  // namespace

Command add_syn(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_family(app, options->family);
  app.add_option("--packets", options->packets, "SYNs of one measurement")
      ->check(CLI::Range(std::size_t{limits::kBurst}, std::size_t{1} << 32))
      ->capture_default_str();
  return [options](const Common& common, Report& report) {
    report.add(measure("mss", kMss, *options, common.repeats));
    report.add(measure("linux", kFull, *options, common.repeats));
  };
}

}  // namespace hawser::bench
