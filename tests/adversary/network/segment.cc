// Finds, checks, cuts and joins TCP segments; RFC 791, 8200, 9293, 7323, checksum of RFC 1071.
#include "network/segment.h"

#include <algorithm>
#include <cstring>

namespace hawser::adversary {
namespace {

constexpr std::size_t kIp = kEthernetLength;
constexpr std::uint8_t kTimestamps = 8;

std::uint32_t get16(const Frame& frame, std::size_t at) {
  return static_cast<std::uint32_t>(frame[at]) << 8 | frame[at + 1];
}

std::uint32_t get32(const Frame& frame, std::size_t at) {
  return get16(frame, at) << 16 | get16(frame, at + 2);
}

void put16(Frame& frame, std::size_t at, std::size_t value) {
  frame[at] = static_cast<std::uint8_t>(value >> 8);
  frame[at + 1] = static_cast<std::uint8_t>(value);
}

void put32(Frame& frame, std::size_t at, std::uint32_t value) {
  put16(frame, at, value >> 16);
  put16(frame, at + 2, value & 0xffff);
}

// One's complement sum of the bytes as 16-bit words in memory order, unfolded.
std::uint64_t sum(const Frame& frame, std::size_t from, std::size_t to) {
  std::uint64_t total = 0;
  std::size_t at = from;
  for (; at + 4 <= to; at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, frame.data() + at, 4);
    total += word;
  }
  if (at < to) {
    std::uint8_t rest[4] = {0, 0, 0, 0};
    std::memcpy(rest, frame.data() + at, to - at);
    std::uint32_t word = 0;
    std::memcpy(&word, rest, 4);
    total += word;
  }
  return total;
}

std::uint16_t folded(std::uint64_t total) {
  while (total >> 16 != 0) total = (total & 0xffff) + (total >> 16);
  return static_cast<std::uint16_t>(total);
}

std::uint64_t tcp_sum(const Frame& frame, const Segment& segment) {
  const std::size_t first = segment.ipv6 ? kIp + 8 : kIp + 12;
  const std::size_t last = segment.ipv6 ? kIp + 40 : kIp + 20;
  const std::size_t length = segment.end - segment.tcp;
  // The pseudo-header's protocol and length, as words in memory order.
  const auto swapped = [](std::size_t word) {
    return static_cast<std::uint64_t>((word & 0xff) << 8 | (word >> 8 & 0xff));
  };
  return sum(frame, first, last) + swapped(6) + swapped(length & 0xffff) +
         sum(frame, segment.tcp, segment.end);
}

void put_raw(Frame& frame, std::size_t at, std::uint16_t raw) {
  std::memcpy(frame.data() + at, &raw, 2);
}

// Writes lengths and checksums after the segment has changed.
void finish(Frame& frame, Segment& segment) {
  segment.end = frame.size();
  if (segment.ipv6) {
    put16(frame, kIp + 4, segment.end - (kIp + 40));
  } else {
    put16(frame, kIp + 2, segment.end - kIp);
    put16(frame, kIp + 10, 0);
    put_raw(frame, kIp + 10, static_cast<std::uint16_t>(~folded(sum(frame, kIp, segment.tcp))));
  }
  put16(frame, segment.tcp + 16, 0);
  put_raw(frame, segment.tcp + 16, static_cast<std::uint16_t>(~folded(tcp_sum(frame, segment))));
}

std::uint32_t sequence_of(const Frame& frame, const Segment& segment) {
  return get32(frame, segment.tcp + 4);
}

// The options with the values of timestamps taken out: what two segments must have in common.
std::vector<std::uint8_t> shape_of_options(const Frame& frame, const Segment& segment) {
  std::vector<std::uint8_t> shape(frame.begin() + static_cast<std::ptrdiff_t>(segment.tcp + 20),
                                  frame.begin() + static_cast<std::ptrdiff_t>(segment.payload));
  for (std::size_t at = 0; at < shape.size() && shape[at] != 0;) {
    if (shape[at] == 1) {
      ++at;
      continue;
    }
    if (at + 1 >= shape.size() || shape[at + 1] < 2 || at + shape[at + 1] > shape.size()) break;
    if (shape[at] == kTimestamps) {
      std::fill_n(shape.begin() + static_cast<std::ptrdiff_t>(at + 2), shape[at + 1] - 2, 0);
    }
    at += shape[at + 1];
  }
  return shape;
}

// Everything of the IP header but lengths, identification and checksum is the same.
bool same_ip_header(const Frame& first, const Frame& second, const Segment& segment) {
  const auto same = [&](std::size_t from, std::size_t to) {
    return std::equal(first.begin() + static_cast<std::ptrdiff_t>(from),
                      first.begin() + static_cast<std::ptrdiff_t>(to),
                      second.begin() + static_cast<std::ptrdiff_t>(from));
  };
  if (segment.ipv6) return same(0, kIp + 4) && same(kIp + 6, kIp + 40);
  return same(0, kIp + 2) && same(kIp + 6, kIp + 10) && same(kIp + 12, segment.tcp);
}

}  // namespace

std::optional<Segment> find_tcp(const Frame& frame) {
  Segment segment;
  if (frame.size() < kIp + 20) return std::nullopt;
  const std::uint32_t type = get16(frame, 12);
  if (type == 0x0800) {
    segment.tcp = kIp + (frame[kIp] & 0x0fU) * std::size_t{4};
    segment.end = kIp + get16(frame, kIp + 2);
    const bool fragment = (get16(frame, kIp + 6) & 0x3fff) != 0;
    if (frame[kIp] >> 4 != 4 || fragment || frame[kIp + 9] != 6 || segment.tcp < kIp + 20) {
      return std::nullopt;
    }
  } else if (type == 0x86dd && frame.size() >= kIp + 40) {
    segment.ipv6 = true;
    segment.tcp = kIp + 40;
    segment.end = segment.tcp + get16(frame, kIp + 4);
    if (frame[kIp] >> 4 != 6 || frame[kIp + 6] != 6) return std::nullopt;
  } else {
    return std::nullopt;
  }
  if (segment.end > frame.size() || segment.tcp + 20 > segment.end) return std::nullopt;
  segment.payload = segment.tcp + (frame[segment.tcp + 12] >> 4) * std::size_t{4};
  if (segment.payload < segment.tcp + 20 || segment.payload > segment.end) return std::nullopt;
  return segment;
}

bool checksums_right(const Frame& frame, const Segment& segment) {
  if (!segment.ipv6 && folded(sum(frame, kIp, segment.tcp)) != 0xffff) return false;
  return folded(tcp_sum(frame, segment)) == 0xffff;
}

std::uint8_t flags_of(const Frame& frame, const Segment& segment) {
  return frame[segment.tcp + 13];
}

std::string flow_of(const Frame& frame, const Segment& segment) {
  const std::size_t from = segment.ipv6 ? kIp + 8 : kIp + 12;
  const std::size_t length = segment.ipv6 ? 32 : 8;
  const char* bytes = reinterpret_cast<const char*>(frame.data());
  return std::string(bytes + from, length) + std::string(bytes + segment.tcp, 4);
}

std::string other_way(const std::string& flow) {
  const std::size_t address = (flow.size() - 4) / 2;
  return flow.substr(address, address) + flow.substr(0, address) + flow.substr(2 * address + 2, 2) +
         flow.substr(2 * address, 2);
}

std::size_t announced_mss(const Frame& frame, const Segment& segment) {
  for (std::size_t at = segment.tcp + 20; at < segment.payload && frame[at] != 0;) {
    if (frame[at] == 1) {
      ++at;
      continue;
    }
    if (at + 1 >= segment.payload || frame[at + 1] < 2) break;
    if (frame[at] == 2 && frame[at + 1] == 4 && at + 4 <= segment.payload) {
      return get16(frame, at + 2);
    }
    at += frame[at + 1];
  }
  return segment.ipv6 ? 1220 : 536;
}

std::size_t largest_packet(const Segment& segment, std::size_t mss) {
  return mss + 20 + (segment.tcp - kIp);
}

bool is_plain_data(const Frame& frame, const Segment& segment) {
  return segment.length() > 0 && (flags_of(frame, segment) & (kSyn | kReset | kUrgent)) == 0;
}

std::vector<Frame> split(const Frame& frame, const Segment& segment, std::size_t most,
                         Random& random) {
  std::vector<std::size_t> cuts;
  const std::size_t wanted = random.between(1, std::max<std::size_t>(most, 2) - 1);
  for (std::size_t i = 0; i < wanted && segment.length() > 1; ++i) {
    cuts.push_back(random.between(1, segment.length() - 1));
  }
  cuts.push_back(segment.length());
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());

  std::vector<Frame> pieces;
  std::size_t from = 0;
  for (const std::size_t to : cuts) {
    Frame piece(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(segment.payload));
    const auto payload = frame.begin() + static_cast<std::ptrdiff_t>(segment.payload);
    piece.insert(piece.end(), payload + static_cast<std::ptrdiff_t>(from),
                 payload + static_cast<std::ptrdiff_t>(to));
    put32(piece, segment.tcp + 4, sequence_of(frame, segment) + static_cast<std::uint32_t>(from));
    if (to != segment.length()) {
      piece[segment.tcp + 13] &= static_cast<std::uint8_t>(~(kPush | kFin));
    }
    if (!segment.ipv6) put16(piece, kIp + 4, (get16(frame, kIp + 4) + pieces.size()) & 0xffff);
    Segment changed = segment;
    finish(piece, changed);
    pieces.push_back(std::move(piece));
    from = to;
  }
  return pieces;
}

std::optional<Frame> merge(const Frame& first, const Frame& second, std::size_t mtu) {
  const auto a = find_tcp(first);
  const auto b = find_tcp(second);
  if (!a || !b || a->ipv6 != b->ipv6 || a->tcp != b->tcp || a->payload != b->payload) {
    return std::nullopt;
  }
  if (!is_plain_data(first, *a) || !is_plain_data(second, *b)) return std::nullopt;
  if ((flags_of(first, *a) & kFin) != 0) return std::nullopt;
  const std::uint8_t different = flags_of(first, *a) ^ flags_of(second, *b);
  if ((different & ~(kPush | kFin)) != 0) return std::nullopt;
  if (flow_of(first, *a) != flow_of(second, *b) || !same_ip_header(first, second, *a)) {
    return std::nullopt;
  }
  const auto length = static_cast<std::uint32_t>(a->length());
  if (sequence_of(second, *b) != sequence_of(first, *a) + length) return std::nullopt;
  const std::uint32_t advance = get32(second, b->tcp + 8) - get32(first, a->tcp + 8);
  if (advance >= 0x80000000U) return std::nullopt;  // an older acknowledgement
  if (a->end - kIp + b->length() > mtu) return std::nullopt;
  if (shape_of_options(first, *a) != shape_of_options(second, *b)) return std::nullopt;

  Frame whole(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(a->end));
  whole.insert(whole.end(), second.begin() + static_cast<std::ptrdiff_t>(b->payload),
               second.begin() + static_cast<std::ptrdiff_t>(b->end));
  // Acknowledgement, window, flags and options of the second; sequence number of the first.
  std::copy(second.begin() + static_cast<std::ptrdiff_t>(b->tcp + 8),
            second.begin() + static_cast<std::ptrdiff_t>(b->payload),
            whole.begin() + static_cast<std::ptrdiff_t>(a->tcp + 8));
  Segment changed = *a;
  finish(whole, changed);
  return whole;
}

}  // namespace hawser::adversary
