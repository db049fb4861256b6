// TCP options: reading those of a SYN and of an ACK, clamping and blanking.
#include <array>

#include <benchmark/benchmark.h>

#include "hawser/l4/tcp_options.h"
#include "hawser/net/tcp.h"

namespace hawser::l4 {
namespace {

// As Linux sends them.
constexpr std::array<std::uint8_t, 20> kSyn{0x02, 0x04, 0x05, 0xb4, 0x04, 0x02, 0x08,
                                            0x0a, 0x6b, 0xb4, 0xad, 0x3c, 0x00, 0x00,
                                            0x00, 0x00, 0x01, 0x03, 0x03, 0x0a};
constexpr std::array<std::uint8_t, 12> kAck{0x01, 0x01, 0x08, 0x0a, 0x6b, 0xb4,
                                            0xad, 0x3c, 0xe7, 0x75, 0xad, 0xac};

template <std::size_t kSize>
void options_read(benchmark::State& state, std::array<std::uint8_t, kSize> options) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(options);
    benchmark::DoNotOptimize(read_tcp_options(options));
  }
}
BENCHMARK_CAPTURE(options_read, syn, kSyn);
BENCHMARK_CAPTURE(options_read, ack, kAck);

void options_clamp_mss(benchmark::State& state) {
  std::array<std::uint8_t, sizeof(net::TcpHeader) + kSyn.size()> header{};
  std::copy(kSyn.begin(), kSyn.end(), header.begin() + sizeof(net::TcpHeader));
  for (auto _ : state) {
    header[22] = 0xff;  // above what is allowed, each time
    net::ChecksumDelta delta;
    benchmark::DoNotOptimize(clamp_mss(header, 1400, delta));
    benchmark::DoNotOptimize(delta);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(options_clamp_mss);

// Timestamps and two blocks, as an ACK has them after a loss.
void options_blank_sack(benchmark::State& state) {
  std::array<std::uint8_t, sizeof(net::TcpHeader) + kAck.size() + 20> header{};
  std::copy(kAck.begin(), kAck.end(), header.begin() + sizeof(net::TcpHeader));
  std::uint8_t* sack = header.data() + sizeof(net::TcpHeader) + kAck.size();
  sack[0] = sack[1] = kTcpOptionNop;
  for (auto _ : state) {
    sack[2] = kTcpOptionSack;
    sack[3] = 18;
    net::ChecksumDelta delta;
    benchmark::DoNotOptimize(blank_sack(header, delta));
    benchmark::DoNotOptimize(delta);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(options_blank_sack);

}  // namespace
}  // namespace hawser::l4
