// Publishes captures, retires them and reads what they took.
#include "dataplane/capture_desk.h"

namespace hawser::dataplane {

bool CaptureDesk::begin(const pipeline::CaptureFilter& filter) {
  static_assert(limits::kMaxCaptures == 1);
  if (running_ != nullptr) return false;
  running_ = std::make_unique<CaptureSet>();
  for (std::size_t w = 0; w < workers_; ++w) {
    running_->workers.push_back(std::make_unique<pipeline::Capture>(filter));
  }
  shared_.captures.store(running_.get(), std::memory_order_release);
  return true;
}

void CaptureDesk::stop() noexcept {
  if (shared_.captures.exchange(nullptr, std::memory_order_release) == nullptr) return;
  shared_.readers.synchronise();
}

void CaptureDesk::end() noexcept {
  stop();
  running_.reset();
}

bool CaptureDesk::take(WorkerId worker, WorkerCapture& into) {
  into.worker = worker;
  return running_->workers[worker.value]->ring().take(into.record, into.bytes);
}

CaptureDesk::Counts CaptureDesk::counts(PortId port) const noexcept {
  Counts sum;
  for (const std::unique_ptr<pipeline::Capture>& capture : running_->workers) {
    const pipeline::CaptureCounters& one = capture->counters(port);
    sum.matched += one.matched.read();
    sum.sampled_out += one.sampled_out.read();
    sum.over_rate += one.over_rate.read();
    sum.ring_full += one.ring_full.read();
  }
  return sum;
}

}  // namespace hawser::dataplane
