// NeighbourMacs: the MAC addresses of next hops, written by the resolver and read by all workers.
//
// One 64-bit word per neighbour: bit 63 says "resolved", the low 48 bits are the address.
// Neighbours come and go slower than snapshots and on their own, so they are beside the snapshot,
// not in it. Threading: one writer, any number of readers; a reader sees the old or the new
// address, whole.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

#include "hawser/base/strong.h"
#include "hawser/net/address.h"

namespace hawser::pipeline {

using NeighbourId = Strong<struct NeighbourIdTag, std::uint32_t>;

class NeighbourMacs {
 public:
  explicit NeighbourMacs(std::size_t capacity)
      : words_(std::make_unique<std::atomic<std::uint64_t>[]>(capacity)), capacity_(capacity) {}

  void set(NeighbourId id, const net::MacAddress& mac) noexcept {
    std::uint64_t word = kResolved;
    std::memcpy(&word, mac.bytes.data(), mac.bytes.size());
    words_[id.value].store(word, std::memory_order_relaxed);
  }
  void clear(NeighbourId id) noexcept { words_[id.value].store(0, std::memory_order_relaxed); }

  [[nodiscard]] std::optional<net::MacAddress> get(NeighbourId id) const noexcept {
    const std::uint64_t word = words_[id.value].load(std::memory_order_relaxed);
    if ((word & kResolved) == 0) return std::nullopt;
    net::MacAddress mac;
    std::memcpy(mac.bytes.data(), &word, mac.bytes.size());
    return mac;
  }
  // The address in the low 48 bits (net::mac_word); 0 when it is not resolved.
  [[nodiscard]] std::uint64_t word(NeighbourId id) const noexcept {
    return words_[id.value].load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  static constexpr std::uint64_t kResolved = 1ULL << 63;
  std::unique_ptr<std::atomic<std::uint64_t>[]> words_;
  std::size_t capacity_;
};

}  // namespace hawser::pipeline
