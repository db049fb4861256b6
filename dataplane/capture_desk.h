// CaptureDesk: the main core's end of a capture; all workers take part in it.
//
// A capture is published to the workers like a snapshot, by one pointer, and freed when every
// worker has passed between two bursts. Threading: main core only.
#pragma once

#include <memory>
#include <vector>

#include "dataplane/shared.h"
#include "hawser/pipeline/capture.h"

namespace hawser::dataplane {

struct WorkerCapture {
  WorkerId worker;
  pipeline::CaptureRecord record;
  std::vector<std::uint8_t> bytes;
};

class CaptureDesk {
 public:
  // `shared` outlives the desk.
  CaptureDesk(Shared& shared, std::size_t workers) : shared_(shared), workers_(workers) {}
  ~CaptureDesk() { end(); }
  CaptureDesk(const CaptureDesk&) = delete;
  CaptureDesk& operator=(const CaptureDesk&) = delete;

  // False while another runs. Takes the memory for all workers.
  [[nodiscard]] bool begin(const pipeline::CaptureFilter& filter);
  // No worker takes part any more. What they have taken until now can still be read.
  void stop() noexcept;
  // Stops, and frees the memory.
  void end() noexcept;

  [[nodiscard]] std::size_t workers() const noexcept { return workers_; }
  // The oldest record of one worker; false when it has none.
  [[nodiscard]] bool take(WorkerId worker, WorkerCapture& into);
  // Of all workers; read while they count on.
  struct Counts {
    std::uint64_t matched = 0;
    std::uint64_t sampled_out = 0;
    std::uint64_t over_rate = 0;
    std::uint64_t ring_full = 0;
  };
  [[nodiscard]] Counts counts(PortId port) const noexcept;

 private:
  Shared& shared_;
  std::size_t workers_;
  std::unique_ptr<CaptureSet> running_;
};

}  // namespace hawser::dataplane
