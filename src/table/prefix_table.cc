// Building the prefix table: rules to ranges, ranges to an index.
#include "hawser/table/prefix_table.h"

#include <bit>
#include <utility>

#include "hawser/base/contract.h"
#include "hawser/base/limits.h"

namespace hawser::table {
namespace {

__extension__ using Uint128 = unsigned __int128;

// The addresses of one prefix, both ends included.
template <typename Key>
struct Range {
  Key first{};
  Key last{};
  Access access = Access::kUnlisted;
};

template <typename Key>
Key key_of(const net::IpAddress& address) {
  Key key = 0;
  for (std::size_t i = 0; i < sizeof(Key); ++i) key = (key << 8) | address.bytes[i];
  return key;
}

template <typename Key>
std::vector<Range<Key>> ranges_of(std::span<const PrefixRule> rules, net::Family family) {
  constexpr unsigned kBits = sizeof(Key) * 8;
  std::vector<Range<Key>> ranges;
  for (const auto& [prefix, access] : rules) {
    if (prefix.address.family != family) continue;
    HAWSER_REQUIRE(prefix.length <= kBits);
    // A shift by all bits is not defined.
    const Key host = prefix.length == kBits ? Key{0} : ~Key{0} >> prefix.length;
    const Key first = key_of<Key>(prefix.address) & ~host;
    ranges.push_back({first, first | host, access});
  }
  // Outer prefixes before inner ones; of the same twice, the one that wins comes last.
  std::sort(ranges.begin(), ranges.end(), [](const Range<Key>& a, const Range<Key>& b) {
    if (a.first != b.first) return a.first < b.first;
    if (a.last != b.last) return a.last > b.last;
    return a.access < b.access;
  });
  return ranges;
}

// Adds a boundary, in place of one at the same key; none where the answer stays. Each kInside is an
// answer of its own.
template <typename Key>
void add(std::vector<Boundary<Key>>& boundaries, Key from, std::uint8_t value) {
  if (!boundaries.empty() && boundaries.back().from == from) boundaries.pop_back();
  const std::uint8_t before = boundaries.empty() ? 0 : boundaries.back().value;
  if (value == before && value != BoundaryIndex<std::uint64_t>::kInside) return;
  boundaries.push_back({from, value});
}

// The boundaries of nested ranges: each begins where its range does, and where it ends, the range
// around it goes on.
template <typename Key>
std::vector<Boundary<Key>> flatten(const std::vector<Range<Key>>& ranges) {
  std::vector<Boundary<Key>> boundaries;
  std::vector<Range<Key>> open;
  const auto close_before = [&](const Range<Key>* next) {
    while (!open.empty() && (next == nullptr || open.back().last < next->first)) {
      const Key end = open.back().last;
      open.pop_back();
      const Access around = open.empty() ? Access::kUnlisted : open.back().access;
      if (end != ~Key{0}) add(boundaries, Key(end + 1), static_cast<std::uint8_t>(around));
    }
  };
  for (const Range<Key>& range : ranges) {
    close_before(&range);
    add(boundaries, range.first, static_cast<std::uint8_t>(range.access));
    open.push_back(range);
  }
  close_before(nullptr);
  return boundaries;
}

}  // namespace

template <typename Key>
BoundaryIndex<Key>::BoundaryIndex(std::span<const Boundary<Key>> boundaries) : nodes_(1) {
  Before before;
  fill(0, boundaries, before);
  root_ = nodes_.front();
  buckets_.shrink_to_fit();
  nodes_.shrink_to_fit();
}

// Fills the buckets of a node. There are at least two for more boundaries than fit one, and the
// lowest and the highest lie in different ones, so a node inside a node is always smaller; its span
// is smaller by the number of buckets, so that nodes are never deeper than a key has bits.
template <typename Key>
void BoundaryIndex<Key>::fill(std::size_t node, std::span<const Boundary<Key>> boundaries,
                              Before& before) {
  const std::size_t count = boundaries.size() / kLoad + 1;
  const std::size_t first_bucket = buckets_.size();
  HAWSER_REQUIRE(first_bucket + count < kNode);
  Node filled{.first_bucket = static_cast<std::uint32_t>(first_bucket)};
  if (!boundaries.empty()) {
    filled.lowest = boundaries.front().from;
    const std::uint64_t distance = boundaries.back().from - filled.lowest;
    const auto width = static_cast<unsigned>(std::bit_width(distance));
    filled.shift = width - std::min(width, 32U);
    filled.furthest = static_cast<std::uint32_t>(distance >> filled.shift);
    filled.scale = ((std::uint64_t{count} << 32) - 1) / std::max(filled.furthest, 1U);
  }
  nodes_[node] = filled;
  buckets_.resize(first_bucket + count);
  std::size_t at = 0;
  for (std::size_t b = first_bucket; b < first_bucket + count; ++b) {
    const std::size_t begin = at;
    while (at < boundaries.size() && place(filled, boundaries[at].from) == b) ++at;
    const auto inside = boundaries.subspan(begin, at - begin);
    if (inside.size() > kKeys) {
      buckets_[b].header = kNode | static_cast<std::uint32_t>(nodes_.size());
      nodes_.emplace_back();
      fill(nodes_.size() - 1, inside, before);
    } else {
      fill(buckets_[b], inside, before);
    }
  }
}

// The largest key passes the unused ones, too: they repeat the last value.
template <typename Key>
void BoundaryIndex<Key>::fill(Bucket& bucket, std::span<const Boundary<Key>> boundaries,
                              Before& before) {
  std::uint64_t header = std::uint64_t{before.insides} << 32 | before.value;
  for (std::size_t i = 0; i < kKeys; ++i) {
    const bool used = i < boundaries.size();
    bucket.keys[i] = ordered(used ? boundaries[i].from : static_cast<Key>(~Key{0}));
    if (used) before.value = boundaries[i].value;
    if (used && before.value == kInside) ++before.insides;
    header |= std::uint64_t{before.value} << (2 * (i + 1));
  }
  bucket.header = static_cast<Key>(header);
}

template <typename Key>
std::size_t BoundaryIndex<Key>::bytes() const noexcept {
  return nodes_.size() * sizeof(Node) + buckets_.size() * sizeof(Bucket);
}

template class BoundaryIndex<std::uint32_t>;
template class BoundaryIndex<std::uint64_t>;

PrefixTable::PrefixTable(std::span<const Boundary<std::uint32_t>> ipv4, Halves ipv6)
    : ipv4_(ipv4),
      ipv6_(ipv6.upper),
      groups_(std::move(ipv6.groups)),
      lower_(std::move(ipv6.lower)) {
  groups_.shrink_to_fit();
  lower_.shrink_to_fit();
}

std::shared_ptr<const PrefixTable> PrefixTable::build(std::span<const PrefixRule> rules) {
  HAWSER_REQUIRE(rules.size() <= limits::kMaxPrefixes);
  const auto ipv4 = flatten(ranges_of<std::uint32_t>(rules, net::Family::kIpv4));
  return std::shared_ptr<const PrefixTable>(new PrefixTable(ipv4, halves(rules)));
}

// An upper half whose only boundary is at its very beginning needs no search below it.
PrefixTable::Halves PrefixTable::halves(std::span<const PrefixRule> rules) {
  const auto boundaries = flatten(ranges_of<Uint128>(rules, net::Family::kIpv6));
  const auto upper_of = [](const Boundary<Uint128>& boundary) {
    return static_cast<std::uint64_t>(boundary.from >> 64);
  };
  Halves result;
  std::uint8_t value = 0;  // where the boundaries so far leave off
  for (std::size_t at = 0; at < boundaries.size();) {
    const std::uint64_t upper = upper_of(boundaries[at]);
    std::size_t end = at + 1;
    while (end < boundaries.size() && upper_of(boundaries[end]) == upper) ++end;
    const bool at_beginning = static_cast<std::uint64_t>(boundaries[at].from) == 0;
    if (end - at == 1 && at_beginning) {
      value = boundaries[at].value;
      add(result.upper, upper, value);
      at = end;
      continue;
    }
    result.groups.push_back(static_cast<std::uint32_t>(result.lower.size()));
    if (!at_beginning) result.lower.push_back({0, value});
    for (; at < end; ++at) {
      value = boundaries[at].value;
      result.lower.push_back({static_cast<std::uint64_t>(boundaries[at].from), value});
    }
    add(result.upper, upper, kInside);
    if (upper != ~std::uint64_t{0}) add(result.upper, upper + 1, value);
  }
  result.groups.push_back(static_cast<std::uint32_t>(result.lower.size()));
  return result;
}

Access PrefixTable::find_inside(std::uint64_t upper, std::uint64_t lower) const noexcept {
  const bool is_end = upper == ~std::uint64_t{0};
  const std::size_t group = is_end ? groups_.size() - 2 : ipv6_.insides(upper) - 1;
  const Boundary<std::uint64_t>* at = &lower_[groups_[group]];
  // Halving without a branch on data; the first boundary is 0, so one is never above.
  for (std::size_t left = groups_[group + 1] - groups_[group]; left > 1;) {
    const std::size_t half = left / 2;
    at = at[half].from <= lower ? at + half : at;
    left -= half;
  }
  return static_cast<Access>(at->value);
}

std::size_t PrefixTable::bytes() const noexcept {
  return sizeof(*this) + ipv4_.bytes() + ipv6_.bytes() + groups_.size() * sizeof(groups_[0]) +
         lower_.size() * sizeof(lower_[0]);
}

}  // namespace hawser::table
