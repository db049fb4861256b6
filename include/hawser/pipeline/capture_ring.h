// CaptureRing: frames with what is known of them, on their way from a worker to the main core.
//
// Layout: a ring of bytes, a power of two. A record is a CaptureRecord and its bytes, rounded up to
// eight; it may wrap. Head and tail count bytes for ever. The worker writes records behind the head
// and publishes them together; nobody sees a part of what belongs together.
// Threading: one writer (has_room, put, publish), one reader (take). Memory is taken at
// construction, a copy a record after that.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "hawser/base/strong.h"
#include "hawser/pipeline/verdict.h"

namespace hawser::pipeline {

struct CaptureRecord {
  std::uint64_t ticks = 0;   // Context::ticks
  std::uint16_t length = 0;  // bytes of the frame
  std::uint16_t stored = 0;  // bytes that follow
  ServiceId service;         // 0: not known
  PortId port;               // where it came in or went out
  BackendId backend;         // 0: none
  Verdict verdict = Verdict::kUndecided;
  bool sent = false;    // as it went out, not as it came in
  bool made = false;    // no packet came in as this one
  bool paired = false;  // sent, and the record before it is the same packet as it came in
};
static_assert(sizeof(CaptureRecord) == 24 && std::is_trivially_copyable_v<CaptureRecord>);

class CaptureRing {
 public:
  // `bytes`: a power of two.
  explicit CaptureRing(std::size_t bytes);

  // Bytes that a record with `stored` bytes takes.
  [[nodiscard]] static constexpr std::size_t size_of(std::size_t stored) noexcept {
    return sizeof(CaptureRecord) + ((stored + 7U) & ~std::size_t{7});
  }

  [[nodiscard]] bool has_room(std::size_t bytes) noexcept;
  // There must be room. `bytes` has record.stored bytes.
  void put(const CaptureRecord& record, const std::uint8_t* bytes) noexcept;
  void publish() noexcept { head_.store(written_, std::memory_order_release); }

  // The oldest record; false when there is none. `bytes` grows as needed.
  [[nodiscard]] bool take(CaptureRecord& record, std::vector<std::uint8_t>& bytes);

 private:
  void copy_in(std::uint64_t at, const void* from, std::size_t bytes) noexcept;
  void copy_out(std::uint64_t at, void* to, std::size_t bytes) const noexcept;

  std::unique_ptr<std::uint8_t[]> memory_;
  std::size_t mask_;
  // The writer's line.
  alignas(64) std::atomic<std::uint64_t> head_{0};
  std::uint64_t written_ = 0;    // beyond what is published
  std::uint64_t seen_tail_ = 0;  // asked for again only when it is too near
  // The reader's.
  alignas(64) std::atomic<std::uint64_t> tail_{0};
};

}  // namespace hawser::pipeline
