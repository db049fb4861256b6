// What a capture costs the pipeline: known flows without one, with one that wants nothing of them,
// and with one that wants all. Compare within one run.
#include <atomic>
#include <chrono>
#include <thread>

#include <benchmark/benchmark.h>

#include "hawser/pipeline/capture.h"
#include "traffic.h"

namespace hawser::tests {
namespace {

using pipeline::Burst;
using pipeline::CaptureFilter;

enum class Wanted : std::uint8_t {
  kNoCapture,
  kOtherService,
  kOtherClient,
  kOtherVerdict,  // known only at the end: each packet may be set aside
  kSampled,       // one of a thousand
  kAll,           // as many as the budget allows
};

CaptureFilter filter_for(Wanted wanted) {
  CaptureFilter filter;
  if (wanted == Wanted::kOtherService) filter.service = ServiceId(2);
  if (wanted == Wanted::kOtherClient) filter.clients = prefix("192.0.2.7/32");
  if (wanted == Wanted::kOtherVerdict) {
    filter.verdicts.set(static_cast<std::size_t>(pipeline::Verdict::kTtlExpired));
  }
  if (wanted == Wanted::kSampled) filter.sample = 1000;
  return filter;
}

// Takes what comes, as the main core does.
class Reader {
 public:
  explicit Reader(pipeline::CaptureRing& ring) : ring_(ring), thread_([this] { read(); }) {}
  ~Reader() {
    over_ = true;
    thread_.join();
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

 private:
  void read() {
    pipeline::CaptureRecord record;
    std::vector<std::uint8_t> bytes;
    while (!over_) {
      while (ring_.take(record, bytes)) benchmark::DoNotOptimize(bytes.data());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  pipeline::CaptureRing& ring_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

// Time per packet of known NAT flows, the copying of frames included. Budgets come back with real
// time, so what they allow costs what it does in a running worker.
void captured_flows(benchmark::State& state, Wanted wanted) {
  Harness& harness = harness_with(model::Forward::kNat);
  constexpr std::uint32_t kFlows = 1024;
  Traffic opening(kFlows, false, net::kTcpSyn);
  Burst burst;
  for (std::uint32_t n = 0; n < kFlows; n += limits::kBurst) {
    opening.next(burst);
    harness.run(burst);
  }
  pipeline::Capture capture(filter_for(wanted));
  const Reader reader(capture.ring());
  if (wanted != Wanted::kNoCapture) harness.worker().capture = &capture;
  Traffic traffic(kFlows, false, net::kTcpAck);
  const auto begun = std::chrono::steady_clock::now();
  constexpr std::uint32_t kStart = 100'000;
  for (auto _ : state) {
    const auto now = std::chrono::steady_clock::now() - begun;
    harness.set_milliseconds(kStart +
                             static_cast<std::uint32_t>(now / std::chrono::milliseconds(1)));
    traffic.next(burst);
    harness.run(burst);
    benchmark::DoNotOptimize(burst);
  }
  harness.worker().capture = nullptr;
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(limits::kBurst));
  const pipeline::CaptureCounters& counters = capture.counters(PortId(0));
  const std::uint64_t lost =
      counters.sampled_out.read() + counters.over_rate.read() + counters.ring_full.read();
  state.counters["taken/s"] = benchmark::Counter(
      static_cast<double>(counters.matched.read() - lost), benchmark::Counter::kIsRate);
}
BENCHMARK_CAPTURE(captured_flows, no_capture, Wanted::kNoCapture);
BENCHMARK_CAPTURE(captured_flows, other_service, Wanted::kOtherService);
BENCHMARK_CAPTURE(captured_flows, other_client, Wanted::kOtherClient);
BENCHMARK_CAPTURE(captured_flows, other_verdict, Wanted::kOtherVerdict);
BENCHMARK_CAPTURE(captured_flows, sampled, Wanted::kSampled);
BENCHMARK_CAPTURE(captured_flows, all, Wanted::kAll);

}  // namespace
}  // namespace hawser::tests
