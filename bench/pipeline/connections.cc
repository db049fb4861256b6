// The sub-command connections: whole TCP lives through nat, many at a time, in both directions.
#include <array>
#include <bit>

#include "command_options.h"
#include "commands.h"
#include "rig.h"
#include "traffic.h"

namespace hawser::bench {
namespace {

struct Options {
  unsigned family = 4;
  std::uint32_t connections = 1U << 18;
  std::uint32_t apart = 1024;
  std::size_t capacity = kCapacity;
};

// A life, packet by packet. One request and its response; the client closes.
struct Step {
  bool reply;
  std::uint8_t flags;
  std::uint8_t payload;
  bool mss;
};
constexpr std::array<Step, 9> kLife{{
    {false, net::kTcpSyn, 0, true},
    {true, net::kTcpSyn | net::kTcpAck, 0, true},
    {false, net::kTcpAck, 0, false},
    {false, net::kTcpAck | net::kTcpPsh, 10, false},
    {true, net::kTcpAck, 0, false},
    {true, net::kTcpAck | net::kTcpPsh, 10, false},
    {false, net::kTcpAck | net::kTcpFin, 0, false},
    {true, net::kTcpAck | net::kTcpFin, 0, false},
    {false, net::kTcpAck, 0, false},
}};
constexpr std::uint32_t kSteps = kLife.size();
constexpr std::uint32_t kReplies = 4;

// Connections that begin one after the other. Each sends its next packet when `apart` others have
// begun, so that a burst holds packets from all parts of a life, no two of one connection.
class Lives {
 public:
  Lives(Rig& rig, const Options& options)
      : rig_(rig),
        count_(options.connections),
        apart_(options.apart),
        mask_(std::bit_ceil(options.apart * kSteps) - 1),
        mappings_(mask_ + 1) {
    constexpr std::array<std::uint8_t, 4> kMss{2, 4, 0x05, 0xb4};
    for (const Step& step : kLife) {
      tests::FrameSpec spec =
          step.reply ? rig.from_backend(step.flags) : rig.from_client(step.flags);
      spec.payload = step.payload;
      frames_.emplace_back(
          spec, step.mss ? std::span<const std::uint8_t>(kMss) : std::span<const std::uint8_t>());
    }
  }

  void from(std::uint32_t first) {
    first_ = first;
    time_ = step_ = 0;
  }
  [[nodiscard]] std::size_t bursts() const {
    return (std::size_t{count_} * kSteps + limits::kBurst - 1) / limits::kBurst;
  }

  void make(pipeline::Burst& burst) noexcept {
    burst.size = 0;
    burst.again = false;
    begun_count_ = 0;
    const std::uint64_t end = std::uint64_t{count_} + std::uint64_t{apart_} * (kSteps - 1);
    while (burst.size < limits::kBurst && time_ < end) {
      const std::uint64_t ago = std::uint64_t{step_} * apart_;
      if (time_ >= ago && time_ - ago < count_) {
        put(burst, step_, static_cast<std::uint32_t>(time_ - ago));
      }
      if (++step_ == kSteps) {
        step_ = 0;
        ++time_;
      }
    }
  }
  // What backends see: the local end that the pipeline gave to each connection that began.
  void learn(const pipeline::Burst& burst) noexcept {
    const FrameTemplate& syn = frames_[0];
    for (std::size_t i = 0; i < begun_count_; ++i) {
      const std::uint8_t* const frame = burst.packets[begun_[i].at].data;
      mappings_[begun_[i].connection & mask_] = {syn.source(frame), syn.destination(frame)};
    }
  }

 private:
  struct Begun {
    std::uint32_t at;  // in the burst
    std::uint32_t connection;
  };

  void put(pipeline::Burst& burst, std::uint32_t step, std::uint32_t connection) noexcept {
    std::uint8_t* const to = ring_.next();
    const FrameTemplate& frame = frames_[step];
    if (kLife[step].reply) {
      const Mapping& mapping = mappings_[connection & mask_];
      frame.write(to, mapping.backend, mapping.local);
    } else {
      frame.write(to, client_of(first_ + connection), rig_.service_end());
    }
    if (step == 0) begun_[begun_count_++] = {burst.size, connection};
    describe(burst.packets[burst.size++], to, frame.length());
  }

  Rig& rig_;
  std::uint32_t count_;
  std::uint32_t apart_;
  std::uint32_t mask_;
  std::uint32_t first_ = 0;
  std::uint64_t time_ = 0;
  std::uint32_t step_ = 0;
  std::vector<FrameTemplate> frames_;
  PacketRing ring_;
  HugeArray<Mapping> mappings_;
  std::array<Begun, limits::kBurst> begun_{};
  std::size_t begun_count_ = 0;
};

// Every packet went its way, every connection is known to be over, and none is left in the end.
void check(const Tally& tally, std::uint32_t connections, Rig& rig) {
  const std::uint64_t all = connections;
  require_verdicts(tally, {{pipeline::Verdict::kForwardNat, all * (kSteps - kReplies)},
                           {pipeline::Verdict::kReturnNat, all * kReplies}});
  std::uint64_t ended = 0;
  for (const stats::Counter& service : rig.worker().service_ended) ended += service.read();
  if (tally.new_flows != all || ended != all) {
    throw std::runtime_error("of " + std::to_string(all) + " connections " +
                             std::to_string(tally.new_flows) + " began and " +
                             std::to_string(ended) + " ended; nothing is reported");
  }
  rig.expire_all();
}

Row measure(const Options& options, unsigned repeats) {
  Rig rig({.forward = model::Forward::kNat,
           .family = options.family == 4 ? net::Family::kIpv4 : net::Family::kIpv6,
           .capacity = std::max<std::size_t>(options.capacity, options.connections),
           .nat_flows = options.connections});
  Lives lives(rig, options);
  const auto make = [&](pipeline::Burst& burst) { lives.make(burst); };
  std::vector<double> times;
  for (unsigned i = 0; i < repeats; ++i) {
    const std::uint32_t first = i * options.connections;
    const Tally before = rig.tally();
    lives.from(first);
    const double whole = spend(lives.bursts(), make, [&](pipeline::Burst& burst) {
      rig.turn(burst);
      lives.learn(burst);
    });
    check(rig.tally().since(before), options.connections, rig);
    lives.from(first);
    const double making = spend(lives.bursts(), make, [&](pipeline::Burst& burst) {
      rig.pass(burst);
      lives.learn(burst);
    });
    times.push_back((whole - making) / options.connections);
  }
  const Summary summary = summarize(times);
  Row row;
  row.text("bench", "connections").text("mode", "nat").count("family", options.family);
  row.count("connections", options.connections).count("at_a_time", options.apart * (kSteps - 1));
  row.count("packets_each", kSteps).number("ns_per_connection", summary.median, 1);
  row.number("min", summary.min, 1).number("max", summary.max, 1);
  row.number("ns_per_packet", summary.median / kSteps, 2);
  row.number("connections_per_second", 1e9 / summary.median, 0);
  row.text("pages", HugeMemory::all_huge() ? "huge" : "as they came");
  return row;
}

}  // namespace

Command add_connections(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_family(app, options->family);
  app.add_option("--connections", options->connections, "of one measurement")
      ->check(CLI::Range(1U, 1U << 23))
      ->capture_default_str();
  app.add_option("--apart", options->apart,
                 "connections that begin between two packets of one; eight times as many are open")
      ->check(CLI::Range(std::uint32_t{limits::kBurst}, 1U << 20))
      ->capture_default_str();
  add_capacity(app, options->capacity);
  return [options](const Common& common, Report& report) {
    report.add(measure(*options, common.repeats));
  };
}

}  // namespace hawser::bench
