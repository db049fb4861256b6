// Memory for one frame that ends at an unreadable page.
#include "guarded_frame.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "hawser/base/contract.h"
#include "hawser/base/limits.h"

namespace hawser::spec {
namespace {

// Bytes before the headroom that are watched, and what they hold.
constexpr std::size_t kWatched = 256;
constexpr std::uint8_t kUntouched = 0x5a;
constexpr std::uint8_t kUnwritten = 0xa5;

}  // namespace

GuardedFrame::GuardedFrame() : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
  size_ = (limits::kMaxFrame / page_ + 2) * page_;
  void* mapped =
      mmap(nullptr, size_ + page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  HAWSER_REQUIRE(mapped != MAP_FAILED);
  memory_ = static_cast<std::uint8_t*>(mapped);
  HAWSER_REQUIRE(mprotect(memory_ + size_, page_, PROT_NONE) == 0);
}

GuardedFrame::~GuardedFrame() {
  munmap(memory_, size_ + page_);
}

std::uint8_t* GuardedFrame::place(std::span<const std::uint8_t> frame, std::size_t capacity) {
  HAWSER_REQUIRE(frame.size() <= capacity && capacity + limits::kHeadroom + kWatched <= size_);
  std::uint8_t* at = memory_ + size_ - capacity;
  headroom_ = at - limits::kHeadroom;
  std::fill(headroom_ - kWatched, headroom_, kUntouched);
  std::fill(headroom_, memory_ + size_, kUnwritten);
  if (!frame.empty()) std::memcpy(at, frame.data(), frame.size());
  return at;
}

bool GuardedFrame::headroom_kept() const {
  return headroom_ == nullptr || std::all_of(headroom_ - kWatched, headroom_,
                                             [](std::uint8_t byte) { return byte == kUntouched; });
}

}  // namespace hawser::spec
