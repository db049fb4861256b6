// PathMtus: how large a tunnel packet the way to a backend bears, as routers on it have said.
//
// The state of a tunnel's entry that RFC 2003 section 5.1 and RFC 2473 section 7 ask for: an error
// about the outer packet says too little of the inner one to be passed on, so the entry remembers
// the limit and tells the clients itself. Forgotten after limits::kPathMtuMilliseconds (RFC 1191
// section 6.3), so that a way that has grown is tried again.
//
// One 64-bit word a path: bits 32 to 47 are the MTU, the low 32 when it was learned.
// Threading: any number of writers and readers; a reader sees one write or another, whole.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>

#include "hawser/base/limits.h"
#include "hawser/base/strong.h"

namespace hawser::pipeline {

// The way to one backend address; 0 is none.
using PathId = Strong<struct PathIdTag, std::uint32_t>;

class PathMtus {
 public:
  static constexpr std::uint16_t kUnknown = std::numeric_limits<std::uint16_t>::max();

  // Paths beyond `capacity` are never known.
  explicit PathMtus(std::size_t capacity)
      : words_(std::make_unique<std::atomic<std::uint64_t>[]>(capacity)), capacity_(capacity) {}

  void learn(PathId path, std::uint16_t mtu, std::uint32_t now_ms) noexcept {
    if (path.value >= capacity_) return;
    words_[path.value].store(std::uint64_t{mtu} << 32 | now_ms, std::memory_order_relaxed);
  }
  // Bytes of an IP packet; kUnknown when nobody has said.
  [[nodiscard]] std::uint16_t get(PathId path, std::uint32_t now_ms) const noexcept {
    if (path.value >= capacity_) return kUnknown;
    const std::uint64_t word = words_[path.value].load(std::memory_order_relaxed);
    if (word == 0) [[likely]]
      return kUnknown;
    const std::uint32_t age = now_ms - static_cast<std::uint32_t>(word);
    return age > limits::kPathMtuMilliseconds ? kUnknown : static_cast<std::uint16_t>(word >> 32);
  }

 private:
  std::unique_ptr<std::atomic<std::uint64_t>[]> words_;
  std::size_t capacity_;
};

}  // namespace hawser::pipeline
