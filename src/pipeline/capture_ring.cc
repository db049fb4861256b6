// Writes and reads records in a ring of bytes.
#include "hawser/pipeline/capture_ring.h"

#include <algorithm>
#include <cstring>

#include "hawser/base/contract.h"

namespace hawser::pipeline {

// Zeroed, so that the worker takes no page for the first time.
CaptureRing::CaptureRing(std::size_t bytes)
    : memory_(std::make_unique<std::uint8_t[]>(bytes)), mask_(bytes - 1) {
  HAWSER_REQUIRE(bytes != 0 && (bytes & mask_) == 0);
}

bool CaptureRing::has_room(std::size_t bytes) noexcept {
  const std::size_t size = mask_ + 1;
  if (written_ + bytes - seen_tail_ <= size) [[likely]]
    return true;
  seen_tail_ = tail_.load(std::memory_order_acquire);
  return written_ + bytes - seen_tail_ <= size;
}

void CaptureRing::put(const CaptureRecord& record, const std::uint8_t* bytes) noexcept {
  copy_in(written_, &record, sizeof(record));
  copy_in(written_ + sizeof(record), bytes, record.stored);
  written_ += size_of(record.stored);
}

bool CaptureRing::take(CaptureRecord& record, std::vector<std::uint8_t>& bytes) {
  const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  if (tail == head_.load(std::memory_order_acquire)) return false;
  copy_out(tail, &record, sizeof(record));
  bytes.resize(record.stored);
  copy_out(tail + sizeof(record), bytes.data(), record.stored);
  tail_.store(tail + size_of(record.stored), std::memory_order_release);
  return true;
}

void CaptureRing::copy_in(std::uint64_t at, const void* from, std::size_t bytes) noexcept {
  if (bytes == 0) return;
  const std::size_t place = at & mask_;
  const std::size_t first = std::min(bytes, mask_ + 1 - place);
  std::memcpy(memory_.get() + place, from, first);
  if (first < bytes) {
    std::memcpy(memory_.get(), static_cast<const std::uint8_t*>(from) + first, bytes - first);
  }
}

void CaptureRing::copy_out(std::uint64_t at, void* to, std::size_t bytes) const noexcept {
  if (bytes == 0) return;
  const std::size_t place = at & mask_;
  const std::size_t first = std::min(bytes, mask_ + 1 - place);
  std::memcpy(to, memory_.get() + place, first);
  if (first < bytes) {
    std::memcpy(static_cast<std::uint8_t*>(to) + first, memory_.get(), bytes - first);
  }
}

}  // namespace hawser::pipeline
