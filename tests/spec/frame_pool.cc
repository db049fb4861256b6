// Deals out guarded frames in turn, so that one who keeps a buffer too long reads another's bytes.
#include "frame_pool.h"

namespace hawser::spec {
namespace {

constexpr std::size_t kFrames = 512;  // at first; more are made when all are out

}  // namespace

GuardedFrame* FramePool::take() {
  while (free_.empty() || frames_.size() < kFrames) {
    frames_.push_back(std::make_unique<GuardedFrame>());
    free_.push_back(frames_.back().get());
  }
  GuardedFrame* frame = free_.front();
  free_.pop_front();
  out_.insert(frame);
  return frame;
}

bool FramePool::give_back(GuardedFrame* frame) {
  if (out_.erase(frame) == 0) return false;
  free_.push_back(frame);
  return true;
}

void FramePool::recall() {
  for (GuardedFrame* frame : out_) free_.push_back(frame);
  out_.clear();
}

}  // namespace hawser::spec
