// Outbox: packets beyond those of the burst, that the pipeline makes or lets go.
//
// The adapter keeps it stocked with spares (empty buffers) and, after each run or tick, does with
// `finished` what their verdicts say, as with the packets of a burst. Released packets waited for
// something that has happened: the adapter runs them through the pipeline once more.
//
// Threading: one worker owns it. Nothing allocates after construction.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "hawser/base/contract.h"
#include "hawser/base/limits.h"
#include "hawser/pipeline/packet.h"

namespace hawser::pipeline {

class Outbox {
 public:
  // --- for the adapter ---------------------------------------------------------------------------

  [[nodiscard]] std::size_t spares_wanted() const noexcept { return spares_.size() - spare_count_; }
  // `empty` has data, handle and capacity of a buffer with limits::kHeadroom before `data`.
  void add_spare(const Packet& empty) noexcept {
    HAWSER_ASSERT(spare_count_ < spares_.size());
    spares_[spare_count_++] = empty;
  }
  // For the end: a spare to free.
  [[nodiscard]] const Packet* take_spare() noexcept {
    return spare_count_ == 0 ? nullptr : &spares_[--spare_count_];
  }
  [[nodiscard]] std::span<const Packet> finished() const noexcept {
    return {finished_.data(), finished_count_};
  }
  void clear_finished() noexcept { finished_count_ = counted_ = 0; }
  // Moves released packets into `burst` as they first came in; false when there are none.
  [[nodiscard]] bool take_released(Burst& burst) noexcept {
    burst.size = 0;
    burst.again = true;
    while (burst.size < burst.packets.size() && released_begin_ < released_count_) {
      burst.packets[burst.size++] = released_[released_begin_++];
    }
    if (released_begin_ == released_count_) released_begin_ = released_count_ = 0;
    return burst.size > 0;
  }

  // --- for the pipeline --------------------------------------------------------------------------

  // A new packet to be filled, with its verdict already set; null when there is no spare buffer.
  [[nodiscard]] Packet* make(Verdict verdict) noexcept {
    if (spare_count_ == 0 || finished_count_ == finished_.size()) return nullptr;
    Packet& packet = finished_[finished_count_++];
    packet = spares_[--spare_count_];
    packet.verdict = verdict;
    return &packet;
  }
  // A packet that was held gets its verdict; false when there is no room: try again later.
  [[nodiscard]] bool finish(const Packet& packet) noexcept {
    if (finished_count_ == finished_.size()) return false;
    finished_[finished_count_++] = packet;
    return true;
  }
  // A packet that was held shall go its way again.
  [[nodiscard]] bool release(const Packet& packet) noexcept {
    if (released_count_ == released_.size()) return false;
    released_[released_count_++] = packet;
    return true;
  }
  // Finished packets whose verdicts nobody has counted yet.
  [[nodiscard]] std::span<const Packet> uncounted() noexcept {
    const std::size_t from = counted_;
    counted_ = finished_count_;
    return finished().subspan(from);
  }

 private:
  std::array<Packet, limits::kSpares> spares_;
  std::array<Packet, limits::kOutbox> finished_;
  std::array<Packet, limits::kReleased> released_;
  std::size_t spare_count_ = 0;
  std::size_t finished_count_ = 0;
  std::size_t counted_ = 0;
  std::size_t released_begin_ = 0;
  std::size_t released_count_ = 0;
};

}  // namespace hawser::pipeline
