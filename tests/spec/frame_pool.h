// FramePool: the buffers of a row, each with one owner at a time, as the mbufs of a port have.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <set>
#include <vector>

#include "guarded_frame.h"

namespace hawser::spec {

class FramePool {
 public:
  // A buffer of nobody's; the one that came back longest ago.
  [[nodiscard]] GuardedFrame* take();

  // False when it was not out: somebody gives back what is not his.
  [[nodiscard]] bool give_back(GuardedFrame* frame);

  // For a new row: all buffers are nobody's.
  void recall();

  [[nodiscard]] std::size_t out() const { return out_.size(); }

 private:
  std::vector<std::unique_ptr<GuardedFrame>> frames_;
  std::deque<GuardedFrame*> free_;
  std::set<GuardedFrame*> out_;
};

}  // namespace hawser::spec
