// The faults of one direction, in the order join, cut, lose, corrupt, duplicate, delay.
#include "network/direction.h"

#include <algorithm>
#include <utility>

namespace hawser::adversary {
namespace {

constexpr std::size_t kAnnouncedFlows = 1'000'000;  // then all are forgotten

Nanoseconds from_milliseconds(double milliseconds) {
  return static_cast<Nanoseconds>(milliseconds * 1e6);
}

void flip_a_bit(Frame& frame, Random& random) {
  const auto segment = find_tcp(frame);
  if (!segment || segment->length() == 0) return;
  const std::size_t at = random.between(segment->payload, segment->end - 1);
  frame[at] ^= static_cast<std::uint8_t>(1U << random.below(8));
}

}  // namespace

void Announced::note(const Frame& frame, const Segment& segment) {
  if (mss_.size() > kAnnouncedFlows) mss_.clear();
  mss_[flow_of(frame, segment)] = announced_mss(frame, segment);
}

std::size_t Announced::room_for(const Frame& frame, const Segment& segment) const {
  const auto found = mss_.find(other_way(flow_of(frame, segment)));
  if (found == mss_.end()) return segment.ipv6 ? 1280 : 576;
  return largest_packet(segment, found->second);
}

Direction::Direction(const Faults& faults, std::uint64_t seed, std::size_t mtu,
                     Announced& announced)
    : faults_(faults), seed_(seed), mtu_(mtu), announced_(announced) {}

void Direction::put(std::span<const std::uint8_t> bytes, Nanoseconds now, std::vector<Frame>& out) {
  tick(now, out);
  ++counts_.received;
  Random random(derived(seed_, number_++));
  Frame frame(bytes.begin(), bytes.end());
  const auto segment = find_tcp(frame);
  if (!segment) {
    ++counts_.other;
    ++counts_.sent;
    out.push_back(std::move(frame));
    return;
  }
  ++counts_.segments;
  if ((flags_of(frame, *segment) & kReset) != 0) ++counts_.resets;
  if ((flags_of(frame, *segment) & kSyn) != 0) announced_.note(frame, *segment);
  if (!checksums_right(frame, *segment)) {
    // Cutting or joining would make it right: it must stay as wrong as it is.
    ++counts_.wrong_checksum;
    suffer(std::move(frame), random, now, out);
    return;
  }
  if (!joined_or_held(frame, *segment, random, now, out)) cut(std::move(frame), random, now, out);
}

// Joins the frame to the one held of its flow; what is held and does not fit goes first. True when
// the frame is held itself.
bool Direction::joined_or_held(Frame& frame, const Segment& segment, Random& random,
                               Nanoseconds now, std::vector<Frame>& out) {
  const bool hold = random.chance(faults_.merge);
  if (!hold && held_.empty()) return false;
  const std::string flow = flow_of(frame, segment);
  if (const auto found = held_.find(flow); found != held_.end()) {
    Held before = std::move(found->second);
    held_.erase(found);
    const std::size_t room = std::min(mtu_, announced_.room_for(frame, segment));
    if (auto whole = merge(before.frame, frame, room)) {
      ++counts_.merged;
      frame = std::move(*whole);
    } else {
      cut(std::move(before.frame), before.random, now, out);
    }
  }
  const auto now_there = find_tcp(frame);
  if (!hold || !now_there || !is_plain_data(frame, *now_there) ||
      (flags_of(frame, *now_there) & kFin) != 0) {
    return false;
  }
  held_until_.push_back({now + from_milliseconds(faults_.merge_ms), flow, number_});
  held_.emplace(flow, Held{std::move(frame), random, number_});
  return true;
}

void Direction::cut(Frame frame, Random& random, Nanoseconds now, std::vector<Frame>& out) {
  const bool chosen = random.chance(faults_.split);
  const auto segment = find_tcp(frame);
  if (!chosen || !segment || !is_plain_data(frame, *segment) || segment->length() < 2) {
    suffer(std::move(frame), random, now, out);
    return;
  }
  std::vector<Frame> pieces =
      split(frame, *segment, static_cast<std::size_t>(faults_.split_most), random);
  ++counts_.split;
  counts_.pieces += pieces.size();
  for (Frame& piece : pieces) suffer(std::move(piece), random, now, out);
}

void Direction::suffer(Frame frame, Random& random, Nanoseconds now, std::vector<Frame>& out) {
  if (random.chance(faults_.loss)) {
    ++counts_.lost;
    return;
  }
  if (random.chance(faults_.corrupt)) {
    ++counts_.corrupted;
    flip_a_bit(frame, random);
  }
  if (random.chance(faults_.duplicate)) {
    ++counts_.duplicated;
    travel(frame, random, now, out);
  }
  travel(std::move(frame), random, now, out);
}

void Direction::travel(Frame frame, Random& random, Nanoseconds now, std::vector<Frame>& out) {
  Nanoseconds wait = from_milliseconds(faults_.delay_ms);
  const bool reorder = random.chance(faults_.reorder);
  const std::uint64_t behind = 1 + random.below(static_cast<std::uint64_t>(faults_.reorder_span));
  if (random.chance(faults_.jitter)) {
    ++counts_.jittered;
    wait += 1 + static_cast<Nanoseconds>(random.below(
                    static_cast<std::uint64_t>(from_milliseconds(faults_.jitter_ms)) + 1));
  }
  if (reorder) {
    ++counts_.reordered;
    late_.push_back({std::move(frame), passed_ + behind,
                     now + from_milliseconds(faults_.delay_ms + faults_.reorder_ms)});
  } else if (wait > 0) {
    delayed_.push({now + wait, ordinal_++, std::move(frame)});
  } else {
    pass(std::move(frame), out);
  }
}

void Direction::pass(Frame frame, std::vector<Frame>& out) {
  out.push_back(std::move(frame));
  ++passed_;
  ++counts_.sent;
  for (auto each = late_.begin(); each != late_.end();) {
    if (each->after > passed_) {
      ++each;
      continue;
    }
    out.push_back(std::move(each->frame));
    ++counts_.sent;
    each = late_.erase(each);
  }
}

void Direction::tick(Nanoseconds now, std::vector<Frame>& out) {
  while (!held_until_.empty() && held_until_.front().due <= now) {
    const HeldUntil due = std::move(held_until_.front());
    held_until_.pop_front();
    const auto found = held_.find(due.flow);
    if (found == held_.end() || found->second.number != due.number) continue;
    Held held = std::move(found->second);
    held_.erase(found);
    cut(std::move(held.frame), held.random, now, out);
  }
  while (!late_.empty() && late_.front().due <= now) {
    Frame frame = std::move(late_.front().frame);
    late_.pop_front();
    pass(std::move(frame), out);
  }
  while (!delayed_.empty() && delayed_.top().due <= now) {
    Frame frame = delayed_.top().frame;
    delayed_.pop();
    pass(std::move(frame), out);
  }
}

std::optional<Nanoseconds> Direction::deadline() const {
  std::optional<Nanoseconds> first;
  const auto consider = [&first](Nanoseconds due) { first = first ? std::min(*first, due) : due; };
  if (!held_until_.empty()) consider(held_until_.front().due);
  if (!late_.empty()) consider(late_.front().due);
  if (!delayed_.empty()) consider(delayed_.top().due);
  return first;
}

}  // namespace hawser::adversary
