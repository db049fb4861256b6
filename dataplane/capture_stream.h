// CaptureStream: the answer to a Capture request, streamed as workers take packets.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/capture_desk.h"
#include "dataplane/reply.h"
#include "dataplane/snapshots.h"
#include "hawser/base/result.h"
#include "hawser/pipeline/snapshot_builder.h"

namespace hawser::dataplane {

// What the names of a request mean in `snapshot`; an unknown one is an error that names the
// nearest.
[[nodiscard]] Result<pipeline::CaptureFilter> capture_filter(const v1::Capture& request,
                                                             const pipeline::Snapshot& snapshot);

class CaptureStream : public ReplyStream {
 public:
  // Begins the capture, or says why not. All but `request` must outlive the stream.
  [[nodiscard]] static Result<std::unique_ptr<ReplyStream>> create(
      const v1::Capture& request, std::span<const pipeline::PortSetup> ports,
      const Snapshots& snapshots, CaptureDesk& desk);
  ~CaptureStream() override;

  [[nodiscard]] Step step() override;

 private:
  using Clock = std::chrono::steady_clock;

  CaptureStream(const v1::Capture& request, std::span<const pipeline::PortSetup> ports,
                const Snapshots& snapshots, CaptureDesk& desk);
  // Are the names asked for still those of the same ids?
  [[nodiscard]] Result<void> check_names();
  void add_ports(v1::CaptureReply& reply) const;
  void add_frames(v1::CaptureReply& reply);
  [[nodiscard]] v1::CapturedFrame frame_of(const WorkerCapture& taken);
  [[nodiscard]] std::uint64_t unix_nanoseconds(std::uint64_t ticks) const noexcept;

  v1::Capture request_;
  std::span<const pipeline::PortSetup> ports_;
  const Snapshots& snapshots_;
  CaptureDesk& desk_;
  pipeline::CaptureFilter filter_;
  Epoch epoch_;  // that the names were checked in
  std::uint64_t frames_left_;
  Clock::time_point until_;
  Clock::time_point next_reply_;  // if nothing is taken before
  bool begun_ = false;            // the first reply is sent
  // One moment by both clocks, for this step.
  std::uint64_t ticks_ = 0;
  std::uint64_t unix_nanoseconds_ = 0;
  std::vector<std::vector<std::uint8_t>> came_;  // by worker: the last packet as it came in
};

}  // namespace hawser::dataplane
