// The opening table: nat connections whose backend is still being told who the client is.
//
// Layout: one 64-byte entry a connection, found by its local endpoint through an array of 16-bit
// numbers, one for each local port of the worker; a stack of free entries; a timer wheel for those
// that wait for an answer. Connections leave when their backend knows, so there are few.
//
// Threading: one worker owns a table. Cost: one 2-byte read for a connection that is not in it, one
// cache line more for one that is.
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "hawser/base/limits.h"
#include "hawser/l4/sequence.h"
#include "hawser/table/nat_table.h"
#include "hawser/table/timer_wheel.h"

namespace hawser::table {

enum class OpeningPhase : std::uint8_t {
  kSyn,         // the client's SYN has gone to the backend
  kDelivering,  // the backend has answered, but not yet acknowledged the header
  kDelivered,   // late acknowledgements of less may still come
};

struct alignas(64) Opening {
  NatIndex local;
  ServiceId service;
  l4::Sequence client_isn;           // as the client sent it
  l4::Sequence server_next;          // first byte the backend will send
  std::uint32_t timestamp = 0;       // TSval of the client's latest SYN
  std::uint32_t timestamp_echo = 0;  // TSval of the backend's SYN-ACK
  std::uint16_t window = 0;          // of the client's SYN
  std::uint8_t window_shift = 0;     // what the client's later windows are scaled by
  std::uint8_t header_bytes = 0;     // of the PROXY header; 0 with TOA
  std::uint8_t attempts = 0;         // times the header was sent
  OpeningPhase phase = OpeningPhase::kSyn;
  bool timestamps = false;  // both sides use them
  bool used = false;
  bool client_joined = false;  // has the SYN-ACK
  // Of the SYN-ACK as the client was sent it, to be sent once more.
  bool answer_sack = false;
  bool answer_scaled = false;
  std::uint8_t answer_scale = 0;
  std::uint8_t answer_flags = 0;
  std::uint16_t answer_mss = 0;  // 0: unsaid
  std::uint16_t answer_window = 0;
};
static_assert(sizeof(Opening) == 64 && std::is_trivially_copyable_v<Opening>);

class OpeningTable {
 public:
  // `records`: local ports of the worker (NatTable). `capacity`: openings at once. `now_ms`: the
  // workers' millisecond clock.
  OpeningTable(std::size_t records, std::uint16_t capacity, std::uint32_t now_ms)
      : number_of_(records),
        entries_(capacity + std::size_t{1}),
        wheel_(capacity + 1U, limits::kOpeningSlots, limits::kOpeningTickMilliseconds, now_ms) {
    free_.reserve(capacity);
    for (std::uint16_t number = capacity; number > 0; --number) free_.push_back(number);
  }

  [[nodiscard]] Opening* find(std::size_t ordinal) noexcept {
    const std::uint16_t number = number_of_[ordinal];
    return number == 0 ? nullptr : &entries_[number];
  }

  // There is no entry for `ordinal` yet. Null when the table is full.
  [[nodiscard]] Opening* add(std::size_t ordinal, NatIndex local) noexcept {
    if (free_.empty()) return nullptr;
    const std::uint16_t number = free_.back();
    free_.pop_back();
    number_of_[ordinal] = number;
    Opening& opening = entries_[number];
    opening = Opening{};
    opening.local = local;
    opening.used = true;
    return &opening;
  }

  // Fewer than half of the places are free.
  [[nodiscard]] bool is_crowded() const noexcept { return free_.size() * 2 < entries_.size(); }

  void release(std::size_t ordinal) noexcept {
    const std::uint16_t number = number_of_[ordinal];
    if (number == 0) return;
    number_of_[ordinal] = 0;
    wheel_.cancel(number);
    entries_[number].used = false;
    free_.push_back(number);
  }

  // `opening` will be visited by expire then.
  void arm(const Opening& opening, std::uint32_t due_ms) noexcept {
    wheel_.arm(static_cast<std::uint32_t>(&opening - entries_.data()), due_ms);
  }
  // Calls visit(opening) for those that are due, a bounded number of them.
  template <typename Visit>
  void expire(std::uint32_t now_ms, Visit&& visit) {
    wheel_.expire(now_ms, limits::kBurst, [&](std::uint32_t number) { visit(entries_[number]); });
  }

 private:
  std::vector<std::uint16_t> number_of_;  // by ordinal of the local port; 0: none
  std::vector<Opening> entries_;          // [0] is nobody
  std::vector<std::uint16_t> free_;
  TimerWheel wheel_;
};

}  // namespace hawser::table
