// The splice table: connections that the balancer has answered itself and now joins to a backend.
//
// Layout: an array of 192-byte records, named by their number in the flow entry of the client and
// in the NAT record of the backend; beside it an array of 32 bytes each for the request in flight;
// a stack of free numbers; a timer wheel. Number 0 is none.
//
// A connection has two halves, one for the bytes of each side. All positions of a half are in the
// sequence numbers of who sends them; to whom they go they are shifted:
//
//   receiver's number = sender's number + shift (+ edit_length, behind edit_at)
//
//        read and placed by the framer            known, may pass        not known yet
//   ------------------|--------------------|--------------------------|------------------
//                   acked                 end                        next
//
// Bytes below `next` may pass in any order. Those at `next` must be read first: a head, the size of
// a chunk. What the balancer has acknowledged in the receiver's stead it owns: [own_at, own_at +
// buffered) lies in a buffer and is sent again until the receiver has it.
//
// Threading: one worker owns a table; another thread may read `live`. Nothing allocates after
// construction.
// Reference: Maltz and Bhagwat, "TCP Splicing for Application Layer Proxy Performance", 1998.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "hawser/base/limits.h"
#include "hawser/base/prefetch.h"
#include "hawser/base/strong.h"
#include "hawser/base/time.h"
#include "hawser/l4/sequence.h"
#include "hawser/l7/chunked.h"
#include "hawser/net/address.h"
#include "hawser/stats/counter.h"
#include "hawser/table/nat_table.h"
#include "hawser/table/timer_wheel.h"

namespace hawser::pipeline {

enum class SplicePhase : std::uint8_t {
  kFree,
  kReading,     // the first head is not complete: no backend yet
  kConnecting,  // a SYN went to a backend
  kOpen,        // client and backend are joined
  kAnswering,   // the balancer answers itself, and closes
  kOver,        // both have closed, or one has reset: lingers for what is still on its way
};

// What the framer expects at `next`.
enum class StreamState : std::uint8_t {
  kHead,
  kBody,     // `left` more bytes of a body beyond `next`
  kChunked,  // a chunk's size, its end, or trailers
  kTunnel,   // anything: everything passes
};

struct Half {
  l4::Sequence next;        // what lies before may pass
  l4::Sequence end;         // behind the last byte that was passed on
  l4::Sequence acked;       // by the receiver
  l4::Sequence edge;        // right edge of the window that the sender was told
  std::uint32_t shift = 0;  // from the sender's numbers to the receiver's
  l4::Sequence edit_at;     // an insertion lies before this byte
  l4::Sequence own_at;      // first byte that we own
  std::uint16_t edit = 0;   // its bytes, in the pool of texts; 0: no insertion
  std::uint16_t edit_length = 0;
  std::uint16_t buffer = 0;  // of the bytes we own, or of a head that is not complete
  std::uint16_t buffered = 0;
  std::uint16_t mss = 0;  // largest segment that the receiver takes, bytes
  StreamState state = StreamState::kHead;
  std::uint8_t prelude = 0;      // bytes of the PROXY header in front of own_at, while we own them
  std::uint8_t shift_count = 0;  // window scale of the receiver of these bytes
  bool scaled : 1 = false;       // window scaling was agreed with the receiver
  bool fin : 1 = false;          // the sender has finished, `end` is behind its FIN
  bool owns : 1 = false;         // what we own is complete and on its way, not still being filled
  bool own_fin : 1 = false;      // a FIN of ours follows the owned bytes
  std::uint16_t own_sent = 0;    // of what we own, prelude and buffer, sent at least once
  l4::Sequence limit;            // right edge of the receiver's window
  l7::ChunkedReader chunked;
  std::uint64_t left = 0;  // kBody: bytes beyond `next`
};
static_assert(sizeof(Half) == 72);

struct alignas(64) Connection {
  std::array<std::uint8_t, 16> client{};  // an IPv4 address in the first four
  net::Big16 client_port;
  ServiceId service;  // 0: free
  net::MacAddress client_mac;
  std::uint8_t client_port_id = 0;  // of the port the client is on
  SplicePhase phase = SplicePhase::kFree;
  table::NatIndex local;  // towards the backend; port 0: none
  BackendId backend;      // 0: none yet
  // What was agreed with the client.
  bool by_gateway : 1 = false;
  bool ipv4 : 1 = false;
  bool timestamps : 1 = false;         // with the client
  bool server_timestamps : 1 = false;  // and with the backend
  bool sack : 1 = false;               // with the client
  bool server_sack : 1 = false;        // and with the backend
  bool counted : 1 = false;            // in the backend's flows
  bool ended : 1 = false;              // counted as over
  std::uint8_t attempts = 0;           // of what is being tried
  CoarseTime seen;
  l4::Sequence base;                  // first byte for the present backend, in the client's numbers
  std::uint32_t timestamp_shift = 0;  // from the backend's TSval to the client's; or from our clock
  Half up;                            // from the client
  Half down;                          // from the backend
};
static_assert(sizeof(Connection) == 192 && std::is_trivially_copyable_v<Connection>);

// The request in flight, and what else is not looked at for each packet.
struct alignas(32) Exchange {
  std::uint32_t client_timestamp = 0;  // last TSval of the client
  std::uint32_t sent_timestamp = 0;    // last TSval that the client was sent
  std::uint32_t since_us = 0;          // when it was decided, then when its backend was joined
  std::uint32_t head_due_ms = 0;       // until when an incomplete head must be complete
  BackendId wanted;                    // where the request at up.next belongs, once decided
  // Connecting: when the first SYN went to this backend, us. Then: the first of the backend's
  // numbers.
  std::uint32_t syn_us_or_first = 0;
  std::uint16_t generation = 0;  // tag of what the matching rule asks for; 0: any
  std::uint16_t cookie = 0;      // Set-Cookie line for the response, in the pool of texts
  std::uint16_t held = 0;        // first held packet; 0: none
  std::uint8_t held_count = 0;
  bool decided : 1 = false;   // `wanted` is of the head at up.next
  bool awaiting : 1 = false;  // a response has not had its head yet
  bool for_head : 1 = false;  // that response has no body
  bool for_connect : 1 = false;
  bool for_upgrade : 1 = false;
  bool first_byte : 1 = false;  // of the response is to be timed
  bool reading : 1 = false;     // head_due_ms counts
  bool sticky : 1 = true;       // no rule has said otherwise
};
static_assert(sizeof(Exchange) == 32 && std::is_trivially_copyable_v<Exchange>);

class SpliceTable {
 public:
  using Number = std::uint32_t;
  static constexpr Number kNone = 0;

  // Memory belongs to the caller, is zeroed and outlives the table; both have the same size. [0] is
  // nobody.
  SpliceTable(std::span<Connection> connections, std::span<Exchange> exchanges,
              std::uint32_t now_ms)
      : connections_(connections),
        exchanges_(exchanges),
        wheel_(static_cast<std::uint32_t>(connections.size()), limits::kSpliceSlots,
               limits::kSpliceTickMilliseconds, now_ms) {
    HAWSER_REQUIRE(connections.size() == exchanges.size());
    HAWSER_REQUIRE(connections.size() <= limits::kMaxSpliced + 1);
  }

  // A fresh record; kNone when all are in use.
  [[nodiscard]] Number add() noexcept {
    Number number = first_free_;
    if (number != kNone) {
      first_free_ = exchanges_[number].client_timestamp;
    } else if (used_ + 1 < connections_.size()) {
      number = ++used_;
    } else {
      return kNone;
    }
    connections_[number] = Connection{};
    exchanges_[number] = Exchange{};
    live_.add(1);
    return number;
  }
  void release(Number number) noexcept {
    wheel_.cancel(number);
    connections_[number] = Connection{};
    exchanges_[number].client_timestamp = first_free_;
    first_free_ = number;
    live_.subtract(1);
  }

  [[nodiscard]] Connection& at(Number number) noexcept { return connections_[number]; }
  [[nodiscard]] const Connection& at(Number number) const noexcept { return connections_[number]; }
  [[nodiscard]] Exchange& exchange(Number number) noexcept { return exchanges_[number]; }
  // Every line of the record: a segment reads and writes most of it.
  void prefetch(Number number) const noexcept {
    const auto lines = [](const auto& part) {
      const auto* const at = reinterpret_cast<const std::uint8_t*>(&part);
      for (std::size_t offset = 0; offset < sizeof(part); offset += 64) prefetch_line(at + offset);
    };
    lines(connections_[number]);
    lines(exchanges_[number]);
  }

  void arm(Number number, std::uint32_t due_ms) noexcept { wheel_.arm(number, due_ms); }
  void cancel(Number number) noexcept { wheel_.cancel(number); }
  [[nodiscard]] bool is_armed(Number number) const noexcept { return wheel_.is_armed(number); }
  // Calls visit(number) for those that are due, a bounded number of them.
  template <typename Visit>
  void expire(std::uint32_t now_ms, Visit&& visit) {
    wheel_.expire(now_ms, limits::kBurst, visit);
  }

  [[nodiscard]] std::uint64_t live() const noexcept { return live_.read(); }
  [[nodiscard]] std::uint64_t capacity() const noexcept {
    return connections_.empty() ? 0 : connections_.size() - 1;
  }

 private:
  std::span<Connection> connections_;
  std::span<Exchange> exchanges_;
  table::TimerWheel wheel_;
  Number first_free_ = kNone;  // free records are chained through their exchanges
  Number used_ = 0;            // records that were ever used
  stats::Counter live_;
};

}  // namespace hawser::pipeline
