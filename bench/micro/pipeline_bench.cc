// The whole pipeline on bursts of 32 frames in memory: known and new flows, by forwarding mode.
#include <cstring>
#include <vector>

#include <benchmark/benchmark.h>

#include "support/frame.h"
#include "support/harness.h"

namespace hawser::tests {
namespace {

using pipeline::Burst;

constexpr std::size_t kRoom = limits::kHeadroom + 128;

// Frames of `flows` connections in one block; each burst gets a fresh copy of 32 of them.
class Traffic {
 public:
  Traffic(std::uint32_t flows, bool six, std::uint8_t flags) : buffer_(limits::kBurst * kRoom) {
    for (std::uint32_t n = 0; n < flows; ++n) {
      FrameSpec spec{.source = net::Ipv4Address{net::Big32(0x0a005000U + n / 50'000)},
                     .destination = address("10.0.0.100"),
                     .source_port = static_cast<std::uint16_t>(1024 + n % 50'000),
                     .tcp_flags = flags};
      if (six) {
        net::IpAddress from = address("fd00::c0:0");
        from.bytes[15] = static_cast<std::uint8_t>(n / 50'000 + 1);
        spec.source = from;
        spec.destination = address("fd00::100");
      }
      frames_.push_back(frame(spec));
    }
  }

  void next(Burst& burst) {
    burst.size = limits::kBurst;
    for (std::size_t i = 0; i < limits::kBurst; ++i) {
      const std::vector<std::uint8_t>& from = frames_[next_++ % frames_.size()];
      std::uint8_t* to = buffer_.data() + i * kRoom + limits::kHeadroom;
      std::memcpy(to, from.data(), from.size());
      pipeline::Packet& packet = burst.packets[i];
      packet = pipeline::Packet{};
      packet.data = to;
      packet.length = static_cast<std::uint16_t>(from.size());
      packet.contiguous = static_cast<std::uint16_t>(from.size());
      packet.capacity = kRoom - limits::kHeadroom;
    }
  }

 private:
  std::vector<std::vector<std::uint8_t>> frames_;
  std::vector<std::uint8_t> buffer_;
  std::size_t next_ = 0;
};

Harness& harness_with(model::Forward forward) {
  static std::vector<std::unique_ptr<Harness>> kept;
  kept.push_back(std::make_unique<Harness>(
      std::vector{default_port()},
      HarnessSize{.ipv4_buckets = 1U << 16, .ipv6_buckets = 1U << 16, .backends = 4096}));
  std::vector<model::Backend> four;
  std::vector<model::Backend> six;
  for (int i = 1; i <= 100; ++i) {
    four.push_back(backend("b" + std::to_string(i), "10.0.1." + std::to_string(i), 80));
    six.push_back(backend("b" + std::to_string(i), "fd00::1:" + std::to_string(i), 80));
  }
  std::vector<model::Service> services{service("web", "10.0.0.100", 80, four),
                                       service("web6", "fd00::100", 80, six)};
  for (model::Service& each : services) each.forward = forward;
  kept.back()->apply(std::move(services));
  return *kept.back();
}

// Time per packet of known flows, the copying of frames included; compare with `copy_alone`.
void known_flows(benchmark::State& state, model::Forward forward, bool six) {
  Harness& harness = harness_with(forward);
  const auto flows = static_cast<std::uint32_t>(state.range(0));
  Traffic opening(flows, six, net::kTcpSyn);
  Burst burst;
  for (std::uint32_t n = 0; n < flows; n += limits::kBurst) {
    opening.next(burst);
    harness.run(burst);
  }
  Traffic traffic(flows, six, net::kTcpAck);
  for (auto _ : state) {
    traffic.next(burst);
    harness.run(burst);
    benchmark::DoNotOptimize(burst);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(limits::kBurst));
}
BENCHMARK_CAPTURE(known_flows, dsr_l2_ipv4, model::Forward::kDsrL2, false)->Arg(1024)->Arg(32768);
BENCHMARK_CAPTURE(known_flows, dsr_l2_ipv6, model::Forward::kDsrL2, true)->Arg(1024)->Arg(32768);
BENCHMARK_CAPTURE(known_flows, nat_ipv4, model::Forward::kNat, false)->Arg(1024)->Arg(32768);
BENCHMARK_CAPTURE(known_flows, nat_ipv6, model::Forward::kNat, true)->Arg(1024)->Arg(32768);

void copy_alone(benchmark::State& state) {
  Traffic traffic(static_cast<std::uint32_t>(state.range(0)), false, net::kTcpAck);
  Burst burst;
  for (auto _ : state) {
    traffic.next(burst);
    benchmark::DoNotOptimize(burst);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(limits::kBurst));
}
BENCHMARK(copy_alone)->Arg(1024)->Arg(32768);

}  // namespace
}  // namespace hawser::tests
