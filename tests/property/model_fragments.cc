// Fragments by their datagram, and the model's first stage.
#include "model_fragments.h"

#include <algorithm>

#include "model_packets.h"

namespace hawser::property {

using enum pipeline::Verdict;

namespace {

// Datagrams share sets of two, by the upper half of their keyed hash; the older gives way.
constexpr std::uint64_t kSets = limits::kFragmentEntries / 2;
constexpr std::size_t kPerSet = 2;
constexpr std::uint32_t kMark = 0x100;

std::uint64_t set_of(std::uint64_t key) {
  return (key >> 32U) % kSets;
}

}  // namespace

std::uint64_t ModelFragments::key_of(const Segment& piece) const {
  const std::uint32_t id = piece.piece->identification;
  const std::uint32_t protocol = kMark | piece.protocol;
  if (piece.source.is_ipv4()) {
    return 1U | (*hash_)(hash::Ipv4Tuple{piece.source.v4(), piece.destination.v4(),
                                         net::Big16(static_cast<std::uint16_t>(id)), net::Big16(),
                                         protocol});
  }
  return 1U | (*hash_)(hash::Ipv6Tuple{piece.source.v6(), piece.destination.v6(),
                                       net::Big16(static_cast<std::uint16_t>(id >> 16U)),
                                       net::Big16(static_cast<std::uint16_t>(id)), protocol});
}

const KnownDatagram* ModelFragments::find(const Segment& piece, Milliseconds now) const {
  const std::uint64_t key = key_of(piece);
  const auto set = sets_.find(set_of(key));
  if (set == sets_.end()) return nullptr;
  for (const KnownDatagram& known : set->second) {
    if (known.key == key && now - known.seen <= limits::kFragmentMilliseconds) return &known;
  }
  return nullptr;
}

void ModelFragments::put(const Segment& piece, std::uint32_t identification, Milliseconds now) {
  const std::uint64_t key = key_of(piece);
  std::vector<KnownDatagram>& set = sets_[set_of(key)];
  auto place = std::find_if(set.begin(), set.end(),
                            [&](const KnownDatagram& known) { return known.key == key; });
  if (place == set.end() && set.size() < kPerSet) place = set.insert(set.end(), KnownDatagram{});
  if (place == set.end()) {
    place = std::min_element(set.begin(), set.end(),
                             [](const auto& a, const auto& b) { return a.seen < b.seen; });
  }
  *place = {.key = key,
            .source_port = piece.source_port,
            .destination_port = piece.destination_port,
            .identification = identification,
            .seen = now};
}

void ModelFragments::release(std::uint64_t key) {
  for (const Held& held : held_) {
    if (held.key == key) released_.push_back(held.piece);
  }
  std::erase_if(held_, [key](const Held& held) { return held.key == key; });
}

bool ModelFragments::hold(const Segment& piece, Milliseconds now) {
  if (held_.size() == limits::kHeldFragments) return false;
  held_.push_back({.key = key_of(piece), .since = now, .piece = piece});
  return true;
}

std::size_t ModelFragments::give_up(Milliseconds now) {
  return std::erase_if(
      held_, [now](const Held& held) { return now - held.since > limits::kHoldMilliseconds; });
}

// --- the stage -----------------------------------------------------------------------------------

// Gives later fragments the ports of the first. What is not for flows keeps none.
void ModelBurst::join_all() {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    Segment& segment = segments_[i];
    if (!segment.piece) continue;
    const Segment& piece = originals_[i];
    if (segment.is_later_piece())
      segment.source_port = segment.destination_port = segment.flags = 0;
    if (frame_fault(piece) != kUndecided || fault_of(piece) != kUndecided) continue;
    if (!is_for_flows(piece.destination)) continue;
    if (!segment.is_later_piece()) {
      worker_.fragments.remember(piece, now_ms_, [&] { return worker_.next_identification(); });
    } else if (const KnownDatagram* known = worker_.fragments.find(piece, now_ms_)) {
      segment.source_port = known->source_port;
      segment.destination_port = known->destination_port;
    } else {
      const bool held = worker_.fragments.hold(piece, now_ms_);
      expected_[i].verdict = held ? kHoldFragment : kFragmentTableFull;
    }
  }
}

bool ModelBurst::is_for_flows(const net::IpAddress& address) const {
  const std::vector<net::IpAddress>& nat = worker_.network.nat_addresses;
  return worker_.config.is_service_address(address) ||
         std::find(nat.begin(), nat.end(), address) != nat.end();
}

// RFC 1858 section 3, RFC 3128: the first must tell all that later ones must not change.
ModelBurst::Verdict ModelBurst::piece_fault(const Segment& segment) {
  const Piece& piece = *segment.piece;
  if (piece.offset == 0) {
    return piece.length < (segment.is_tcp() ? 20 : 8) ? kFragmentTiny : kUndecided;
  }
  const bool overlaps = segment.is_tcp() && piece.offset * 8 < 20;
  return overlaps || piece.length == 0 ? kFragmentTiny : kUndecided;
}

// Behind nat all fragments have one source, so their numbers must be one's too.
void ModelBurst::renumber(std::size_t number, Expected& expected) const {
  if (!originals_[number].piece) return;
  const KnownDatagram* known = worker_.fragments.find(originals_[number], now_ms_);
  if (known == nullptr) return;
  const bool ipv4 = originals_[number].source.is_ipv4();
  expected.out.piece->identification = known->identification & (ipv4 ? 0xffffU : ~0U);
}

}  // namespace hawser::property
