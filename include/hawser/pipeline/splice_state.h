// SpliceState: all that one worker keeps for spliced connections.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <span>

#include "hawser/l4/tcp_options.h"
#include "hawser/l4/token_bucket.h"
#include "hawser/l7/client_hello.h"
#include "hawser/l7/http_head.h"
#include "hawser/pipeline/held_packets.h"
#include "hawser/pipeline/splice_table.h"
#include "hawser/stats/counter.h"
#include "hawser/table/byte_pool.h"

namespace hawser::pipeline {

// Memory of a worker for spliced connections: zeroed, belongs to the caller, outlives the state.
// Empty: the worker splices nothing, and answers 503.
struct SpliceMemory {
  std::span<Connection> connections;
  std::span<Exchange> exchanges;  // as many
  std::span<std::uint8_t> heads;
  std::span<std::uint8_t> texts;
  std::uint64_t seed = 0;  // random
};

// A connection to a backend that its client has left: what our FIN to it said.
struct Departure {
  table::NatIndex local;
  std::uint32_t due_ms = 0;
  l4::Sequence sequence;
  l4::Sequence acknowledgement;
  std::optional<l4::TcpTimestamps> timestamps;
  std::uint16_t window = 0;  // as it stands in the header
  std::uint8_t rounds = limits::kLeftBehindRounds;
};

// Those that are not quite closed. A queue, since all rounds are equally long.
class LeftBehind {
 public:
  [[nodiscard]] bool has_room() const noexcept { return count_ < entries_.size(); }
  void add(const Departure& departure, std::uint32_t now_ms) noexcept {
    HAWSER_ASSERT(has_room());
    Departure& entry = entries_[(first_ + count_++) % entries_.size()];
    entry = departure;
    entry.due_ms = now_ms + limits::kLeftBehindMilliseconds;
  }
  // Calls visit(departure, is_last) for those whose round is over.
  template <typename Visit>
  void expire(std::uint32_t now_ms, Visit&& visit) noexcept {
    while (count_ > 0 && static_cast<std::int32_t>(now_ms - entries_[first_].due_ms) >= 0) {
      Departure departure = entries_[first_];
      first_ = (first_ + 1) % entries_.size();
      --count_;
      const bool is_last = --departure.rounds == 0;
      visit(departure, is_last);
      if (!is_last) add(departure, now_ms);
    }
  }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }

 private:
  std::array<Departure, limits::kLeftBehind> entries_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

// Clients whose segments belong to no connection that is known: after a restart theirs has gone,
// and only a reset tells them; but it may as well be that the segment has overtaken the first one
// of a new connection. Those that keep coming are told.
class Strangers {
 public:
  // True when segments of this flow have been coming for long enough to be reset.
  [[nodiscard]] bool is_persistent(std::uint64_t hash, std::uint32_t now_ms) noexcept {
    Entry& entry = entries_[hash % entries_.size()];
    const auto tag = static_cast<std::uint32_t>(hash >> 32U);
    const std::uint32_t age = now_ms - entry.since_ms;
    if (entry.tag != tag || age > limits::kStrangerForgottenMilliseconds) {
      entry = {.tag = tag, .since_ms = now_ms};
      return false;
    }
    if (age < limits::kStrangerMilliseconds) return false;
    entry = {};
    return true;
  }

 private:
  struct Entry {
    std::uint32_t tag = 0;
    std::uint32_t since_ms = 0;
  };
  std::array<Entry, limits::kStrangers> entries_{};
};

struct SpliceState {
  SpliceState(const SpliceMemory& memory, std::uint32_t now_ms)
      : connections(memory.connections, memory.exchanges, now_ms),
        heads(memory.heads),
        texts(memory.texts),
        held(memory.connections.empty() ? 0 : limits::kHeldPackets),
        seed(memory.seed) {}

  SpliceTable connections;
  table::BytePool<limits::kMaxHttpHead> heads;
  table::BytePool<limits::kTextBytes> texts;
  HeldPackets held;
  HeldPackets::Number orphans = 0;  // held for connections that are no more, to be dropped
  LeftBehind left_behind;
  Strangers strangers;
  l4::TokenBucket challenges;
  // By backend: it did not agree to timestamps the last time. What its segments must leave room for
  // has to be said before it answers.
  std::bitset<limits::kMaxBackends + 1> without_timestamps;
  // What is being read now: too large to be made anew for each packet.
  l7::RequestHead request;
  l7::ResponseHead response;
  l7::ClientHello hello;
  std::uint64_t seed;           // of this worker's random numbers
  stats::Counter drawn;         // random numbers used so far
  stats::Counter owned_lost;    // connections reset because a side acknowledged nothing
  stats::Counter owned_resent;  // segments of ours sent again
  stats::Counter edits;         // insertions made
};

}  // namespace hawser::pipeline
