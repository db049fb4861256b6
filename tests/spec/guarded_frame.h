// GuardedFrame: memory for one frame that ends at an unreadable page, so that an over-read crashes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hawser::spec {

class GuardedFrame {
 public:
  GuardedFrame();
  ~GuardedFrame();
  GuardedFrame(const GuardedFrame&) = delete;
  GuardedFrame& operator=(const GuardedFrame&) = delete;

  // Copies `frame` to where `capacity` bytes end exactly at the unreadable page. What lies between
  // the frame and the page is filled with 0xa5, as are the limits::kHeadroom bytes before it, which
  // may be written. `capacity` is at least the frame's size.
  [[nodiscard]] std::uint8_t* place(std::span<const std::uint8_t> frame, std::size_t capacity);

  // Nothing was written before the headroom of what was placed last.
  [[nodiscard]] bool headroom_kept() const;

 private:
  std::uint8_t* memory_;
  std::uint8_t* headroom_ = nullptr;  // of what was placed last
  std::size_t size_;                  // readable bytes
  std::size_t page_;
};

}  // namespace hawser::spec
