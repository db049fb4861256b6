// Capture: copies of the packets somebody wants to see, taken by one worker as it handles them.
//
// It looks at a burst three times: before the first stage, at what is answered where it lies; when
// flows are known and nothing has been changed, at all others; when all have their verdicts. What
// is changed in between is set aside in a copy, if it may be wanted. What the budgets do not allow
// (limits.h) is counted, never waited for.
//
// A packet that was held is seen as received when it came, with the verdict that held it, and as
// sent when it goes. One that is handed to another worker is seen by that one.
// Threading: one worker; counters and the ring's end are for another thread. Nothing allocates
// after construction. Without a capture there is none of this (pipeline.cc).
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "hawser/base/limits.h"
#include "hawser/net/address.h"
#include "hawser/pipeline/capture_ring.h"
#include "hawser/pipeline/packet.h"
#include "hawser/pipeline/worker_state.h"

namespace hawser::pipeline {

// Which packets are wanted; all of it together.
struct CaptureFilter {
  ServiceId service;                       // 0: all
  std::vector<bool> backends;              // by BackendId; empty: all
  std::optional<net::Prefix> clients;      // none: all
  std::bitset<kVerdicts> verdicts;         // none: all but kHandOff
  bool received = true;                    // as they came in
  bool sent = true;                        // as they went out
  std::uint16_t snap = limits::kMaxFrame;  // bytes of a frame at most
  std::uint32_t sample = 1;                // one packet of so many
};

// Packets of one port that were wanted, by what became of them.
struct CaptureCounters {
  stats::Counter matched;
  stats::Counter sampled_out;
  stats::Counter over_rate;
  stats::Counter ring_full;
};

// Events that come back each millisecond, up to a burst of them.
class CaptureBudget {
 public:
  CaptureBudget(std::uint32_t per_millisecond, std::uint32_t burst) noexcept
      : per_millisecond_(per_millisecond), burst_(burst), left_(burst) {}

  void refill(std::uint32_t now_ms) noexcept {
    if (now_ms == refilled_ms_) [[likely]]
      return;
    const std::uint64_t back = std::uint64_t{now_ms - refilled_ms_} * per_millisecond_;
    left_ = back >= burst_ - left_ ? burst_ : left_ + static_cast<std::uint32_t>(back);
    refilled_ms_ = now_ms;
  }
  [[nodiscard]] bool is_empty() const noexcept { return left_ == 0; }
  [[nodiscard]] bool take() noexcept {
    if (left_ == 0) return false;
    --left_;
    return true;
  }

 private:
  std::uint32_t per_millisecond_;
  std::uint32_t burst_;
  std::uint32_t left_;
  std::uint32_t refilled_ms_ = 0;
};

// A prefix, for asking fast: nothing is copied or shifted.
class CaptureClients {
 public:
  explicit CaptureClients(const net::Prefix& prefix) noexcept;
  // `address`: 4 or 16 bytes; null is nobody.
  [[nodiscard]] bool contains(net::Family family, const std::uint8_t* address) const noexcept;

 private:
  net::Family family_;
  std::array<std::uint8_t, 16> value_{};
  std::array<std::uint8_t, 16> mask_{};
};

class Capture {
 public:
  explicit Capture(const CaptureFilter& filter, std::size_t ring_bytes = limits::kCaptureRing);

  // --- the worker's, in this order ---------------------------------------------------------------

  // Before the first stage.
  void begin(const Burst& burst, const Context& context) noexcept;
  // Once flows are known, before anything is changed.
  void look(const Burst& burst, const Context& context) noexcept;
  // Once all have their verdicts.
  void end(const Burst& burst, const Context& context) noexcept;
  // Packets beside a burst, with their verdicts, before they leave.
  void take_made(std::span<const Packet> made, const Context& context) noexcept;

  // --- the other thread's ------------------------------------------------------------------------

  [[nodiscard]] CaptureRing& ring() noexcept { return ring_; }
  [[nodiscard]] const CaptureCounters& counters(PortId port) const noexcept {
    return counters_[port.value];
  }

 private:
  using Mask = Burst::Mask;

  // Whose a packet is, as far as it is known.
  struct Owner {
    ServiceId service;
    BackendId backend;
    net::Family family = net::Family::kIpv4;
    const std::uint8_t* client = nullptr;  // its address; null: nobody knows it
  };
  struct Aside {
    std::uint16_t length = 0;
    std::uint16_t stored = 0;
  };

  [[nodiscard]] static Owner owner_of_made(const Packet& packet, const Context& context) noexcept;
  [[nodiscard]] bool wants_backend(BackendId id) const noexcept;
  [[nodiscard]] bool wants_flow(const Packet& packet, const Context& context) const noexcept;
  [[nodiscard]] bool wants_stranger(const Packet& packet) const noexcept;
  [[nodiscard]] bool wants_made(const Owner& owner) const noexcept;
  [[nodiscard]] bool wants_verdict(Verdict verdict) const noexcept;
  [[nodiscard]] bool shows_received(const Packet& packet, bool again) const noexcept;
  [[nodiscard]] std::uint16_t stored(const Packet& packet) const noexcept;
  void set_aside(std::size_t index, const Packet& packet) noexcept;
  void take(std::size_t index, const Packet& packet, bool again, std::uint64_t ticks) noexcept;
  [[nodiscard]] bool is_its_turn() noexcept;
  [[nodiscard]] bool passes(CaptureCounters& counters, bool chosen) noexcept;

  CaptureFilter filter_;
  bool by_verdict_;
  bool all_flows_;      // whatever service, backend and client
  bool keeps_ = false;  // frames of this burst are set aside
  std::optional<CaptureClients> clients_;
  std::uint32_t turn_ = 0;  // of sampling
  CaptureBudget packets_{limits::kCapturePerMillisecond, limits::kCaptureBurst};
  CaptureBudget asides_{limits::kAsidePerMillisecond, limits::kAsideBurst};
  // Of the burst at hand.
  Mask known_ = 0;   // seen by look(): their flow says whether they are wanted
  Mask wanted_ = 0;  // of those
  Mask chosen_ = 0;  // of those wanted, by sampling
  Mask aside_ = 0;   // `aside_of_` has them as they came
  std::array<Aside, limits::kBurst> aside_of_;
  std::unique_ptr<std::uint8_t[]> bytes_;  // snap for each packet of a burst
  std::array<CaptureCounters, limits::kMaxPorts> counters_;
  CaptureRing ring_;
};

}  // namespace hawser::pipeline
