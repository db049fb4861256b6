// Hostile wires, by a seed or by the bytes of an input.
#include "wire.h"

#include <algorithm>
#include <map>

namespace hawser::simulation {
namespace {

constexpr adversary::Nanoseconds kMillisecond = 1'000'000;

class HostileWire : public Wire {
 public:
  HostileWire(const adversary::Faults& faults, std::uint64_t seed, std::size_t mtu,
              adversary::Announced& announced, Milliseconds heals_at)
      : hostile_(faults, seed, mtu, announced),
        healed_(calm(faults), seed, mtu, announced),
        heals_at_(heals_at) {}

  void put(const Frame& frame, Milliseconds now) override {
    adversary::Direction& direction = now < heals_at_ ? hostile_ : healed_;
    direction.put(frame, now * kMillisecond, passed_);
  }
  void take(Milliseconds now, std::vector<Frame>& out) override {
    hostile_.tick(now * kMillisecond, passed_);
    healed_.tick(now * kMillisecond, passed_);
    std::move(passed_.begin(), passed_.end(), std::back_inserter(out));
    passed_.clear();
  }
  [[nodiscard]] std::optional<Milliseconds> deadline() const override {
    if (!passed_.empty()) return 0;
    std::optional<Milliseconds> first;
    for (const auto* direction : {&hostile_, &healed_}) {
      const auto due = direction->deadline();
      if (!due) continue;
      const Milliseconds at = (*due + kMillisecond - 1) / kMillisecond;
      if (!first || at < *first) first = at;
    }
    return first;
  }

 private:
  static adversary::Faults calm(const adversary::Faults& faults) {
    adversary::Faults rest;
    rest.delay_ms = faults.delay_ms;
    return rest;
  }

  adversary::Direction hostile_;
  adversary::Direction healed_;
  Milliseconds heals_at_;
  std::vector<Frame> passed_;
};

class ChosenWire : public Wire {
 public:
  ChosenWire(Choices& choices, std::size_t mtu, adversary::Announced& announced,
             Milliseconds heals_at)
      : choices_(choices), mtu_(mtu), announced_(announced), heals_at_(heals_at) {}

  void put(const Frame& frame, Milliseconds now) override {
    const auto segment = adversary::find_tcp(frame);
    if (segment && (adversary::flags_of(frame, *segment) & adversary::kSyn) != 0) {
      announced_.note(frame, *segment);
    }
    if (!segment || now >= heals_at_ || choices_.exhausted()) return later(frame, now + 1);
    const std::uint64_t fate = choices_.below(256);
    if (fate < 128) return later(frame, now + 1);
    if (fate < 152) return;
    if (fate < 176) later(frame, now + 1);
    if (fate < 208) return later(frame, now + 1 + (Milliseconds{1} << (fate % 9)));
    if (fate < 232 && adversary::is_plain_data(frame, *segment) && segment->length() > 1) {
      adversary::Random random(fate);
      for (const Frame& piece : adversary::split(frame, *segment, 2 + fate % 3, random)) {
        later(piece, now + 1 + static_cast<Milliseconds>(choices_.below(4)));
      }
      return;
    }
    join(frame, *segment, now);
  }
  void take(Milliseconds now, std::vector<Frame>& out) override {
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
      out.push_back(std::move(waiting_.begin()->second));
      waiting_.erase(waiting_.begin());
    }
  }
  [[nodiscard]] std::optional<Milliseconds> deadline() const override {
    if (waiting_.empty()) return std::nullopt;
    return waiting_.begin()->first;
  }

 private:
  void later(const Frame& frame, Milliseconds at) { waiting_.emplace(at, frame); }

  // Becomes one with a segment that waits, and that it continues.
  void join(const Frame& frame, const adversary::Segment& segment, Milliseconds now) {
    const std::size_t room = std::min(mtu_, announced_.room_for(frame, segment));
    for (auto& [due, before] : waiting_) {
      if (auto whole = adversary::merge(before, frame, room)) {
        before = *std::move(whole);
        return;
      }
    }
    later(frame, now + 2);
  }

  Choices& choices_;
  std::size_t mtu_;
  adversary::Announced& announced_;
  Milliseconds heals_at_;
  std::multimap<Milliseconds, Frame> waiting_;
};

}  // namespace

std::unique_ptr<Wire> make_hostile_wire(const adversary::Faults& faults, std::uint64_t seed,
                                        std::size_t mtu, adversary::Announced& announced,
                                        Milliseconds heals_at) {
  return std::make_unique<HostileWire>(faults, seed, mtu, announced, heals_at);
}

std::unique_ptr<Wire> make_chosen_wire(Choices& choices, std::size_t mtu,
                                       adversary::Announced& announced, Milliseconds heals_at) {
  return std::make_unique<ChosenWire>(choices, mtu, announced, heals_at);
}

}  // namespace hawser::simulation
