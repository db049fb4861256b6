// Writes and reads TCP segments with the options of RFC 9293, 7323 and 2018.
#include "model_segment.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace hawser::simulation {
namespace {

constexpr std::size_t kEthernet = 14;  // bytes of the header
constexpr std::uint8_t kOptionEnd = 0;
constexpr std::uint8_t kOptionNop = 1;
constexpr std::uint8_t kOptionMss = 2;
constexpr std::uint8_t kOptionScale = 3;
constexpr std::uint8_t kOptionSackPermitted = 4;
constexpr std::uint8_t kOptionSack = 5;
constexpr std::uint8_t kOptionTimestamps = 8;

void put(Frame& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = bytes; i > 0; --i) {
    out.push_back(static_cast<std::uint8_t>(value >> (8 * (i - 1))));
  }
}

std::uint32_t number(const Frame& frame, std::size_t at, unsigned bytes) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) value = value << 8 | frame[at + i];
  return value;
}

// RFC 1071, byte by byte.
class Sum {
 public:
  void add(const Frame& bytes, std::size_t from) {
    for (std::size_t i = from; i < bytes.size(); ++i) add(bytes[i]);
  }
  void add(std::uint8_t byte) {
    sum_ += odd_ ? std::uint64_t{byte} : std::uint64_t{byte} << 8;
    odd_ = !odd_;
  }
  void add(std::uint32_t number) {
    for (unsigned i = 0; i < 4; ++i) add(static_cast<std::uint8_t>(number >> (8 * (3 - i))));
  }
  [[nodiscard]] std::uint16_t checksum() const {
    std::uint64_t sum = sum_;
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
  }

 private:
  std::uint64_t sum_ = 0;
  bool odd_ = false;
};

std::size_t address_bytes(const net::IpAddress& address) {
  return address.is_ipv4() ? 4 : 16;
}

void put_address(Frame& out, const net::IpAddress& address) {
  out.insert(out.end(), address.bytes.begin(),
             address.bytes.begin() + static_cast<std::ptrdiff_t>(address_bytes(address)));
}

Frame options_of(const TcpSegment& segment) {
  Frame out;
  if (segment.mss) {
    put(out, kOptionMss, 1);
    put(out, 4, 1);
    put(out, *segment.mss, 2);
  }
  if (segment.sack_permitted) {
    put(out, kOptionSackPermitted, 1);
    put(out, 2, 1);
  }
  if (segment.timestamps) {
    while (out.size() % 4 != 2) put(out, kOptionNop, 1);
    put(out, kOptionTimestamps, 1);
    put(out, 10, 1);
    put(out, segment.timestamps->value, 4);
    put(out, segment.timestamps->echo, 4);
  }
  if (segment.window_scale) {
    put(out, kOptionNop, 1);
    put(out, kOptionScale, 1);
    put(out, 3, 1);
    put(out, *segment.window_scale, 1);
  }
  if (!segment.sack.empty()) {
    while (out.size() % 4 != 2) put(out, kOptionNop, 1);
    put(out, kOptionSack, 1);
    put(out, 2 + 8 * segment.sack.size(), 1);
    for (const auto& [from, to] : segment.sack) {
      put(out, from, 4);
      put(out, to, 4);
    }
  }
  while (out.size() % 4 != 0) put(out, kOptionEnd, 1);
  return out;
}

bool read_option(const Frame& frame, std::size_t at, std::size_t length, TcpSegment& segment) {
  switch (frame[at]) {
    case kOptionMss:
      if (length != 4) return false;
      segment.mss = static_cast<std::uint16_t>(number(frame, at + 2, 2));
      return true;
    case kOptionScale:
      if (length != 3) return false;
      segment.window_scale = frame[at + 2];
      return true;
    case kOptionSackPermitted:
      segment.sack_permitted = true;
      return length == 2;
    case kOptionTimestamps:
      if (length != 10) return false;
      segment.timestamps = {number(frame, at + 2, 4), number(frame, at + 6, 4)};
      return true;
    case kOptionSack:
      if (length % 8 != 2 || length < 10) return false;
      for (std::size_t edge = at + 2; edge < at + length; edge += 8) {
        segment.sack.emplace_back(number(frame, edge, 4), number(frame, edge + 4, 4));
      }
      return true;
    default:
      return false;  // nobody here sends any other
  }
}

bool read_options(const Frame& frame, std::size_t at, std::size_t end, TcpSegment& segment) {
  while (at < end) {
    if (frame[at] == kOptionEnd) return true;
    if (frame[at] == kOptionNop) {
      ++at;
      continue;
    }
    if (at + 1 >= end) return false;
    const std::size_t length = frame[at + 1];
    if (length < 2 || at + length > end || !read_option(frame, at, length, segment)) return false;
    at += length;
  }
  return true;
}

net::IpAddress address_at(const Frame& frame, std::size_t at, bool ipv4) {
  net::IpAddress address;
  address.family = ipv4 ? net::Family::kIpv4 : net::Family::kIpv6;
  std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(at), address_bytes(address),
              address.bytes.begin());
  return address;
}

void put_ip(Frame& frame, const TcpSegment& segment, std::size_t tcp_bytes) {
  const bool ipv4 = segment.source.ip.is_ipv4();
  if (!ipv4) {
    put(frame, 0x60000000, 4);
    put(frame, tcp_bytes, 2);
    put(frame, 0x0640, 2);  // TCP, hop limit 64
  } else {
    put(frame, 0x45000000 + 20 + tcp_bytes, 4);
    put(frame, 0x4000, 4);      // no identification, DF
    put(frame, 0x40060000, 4);  // time to live 64, TCP
  }
  put_address(frame, segment.source.ip);
  put_address(frame, segment.destination.ip);
  if (!ipv4) return;
  Sum sum;
  sum.add(frame, kEthernet);
  frame[kEthernet + 10] = static_cast<std::uint8_t>(sum.checksum() >> 8);
  frame[kEthernet + 11] = static_cast<std::uint8_t>(sum.checksum());
}

}  // namespace

std::string Address::text() const {
  std::array<char, 46> buffer{};
  const std::size_t size = net::format_to(buffer, ip);
  return std::string(buffer.data(), size) + " " + std::to_string(port);
}

std::uint32_t TcpSegment::length() const noexcept {
  return static_cast<std::uint32_t>(payload.size()) + (has(kSyn) ? 1U : 0U) + (has(kFin) ? 1U : 0U);
}

std::string TcpSegment::text() const {
  std::string line = source.text() + " > " + destination.text() + " ";
  for (const auto& [flag, letter] :
       {std::pair(kSyn, 'S'), {kFin, 'F'}, {kReset, 'R'}, {kPush, 'P'}, {kAck, '.'}}) {
    if (has(flag)) line += letter;
  }
  line += " seq " + std::to_string(sequence) + " len " + std::to_string(payload.size());
  if (has(kAck)) line += " ack " + std::to_string(acknowledgement);
  line += " win " + std::to_string(window);
  if (mss) line += " mss " + std::to_string(*mss);
  if (window_scale) line += " scale " + std::to_string(*window_scale);
  if (timestamps) {
    line += " ts " + std::to_string(timestamps->value) + " " + std::to_string(timestamps->echo);
  }
  for (const auto& [from, to] : sack) {
    line += " sack " + std::to_string(from) + "-" + std::to_string(to);
  }
  return line;
}

std::size_t option_bytes(const TcpSegment& segment) noexcept {
  return options_of(segment).size();
}

Frame frame_of(const TcpSegment& segment, const net::MacAddress& from, const net::MacAddress& to) {
  Frame frame;
  frame.reserve(kEthernet + 100 + segment.payload.size());
  frame.insert(frame.end(), to.bytes.begin(), to.bytes.end());
  frame.insert(frame.end(), from.bytes.begin(), from.bytes.end());
  put(frame, segment.source.ip.is_ipv4() ? 0x0800 : 0x86dd, 2);
  const Frame options = options_of(segment);
  const std::size_t tcp_bytes = 20 + options.size() + segment.payload.size();
  put_ip(frame, segment, tcp_bytes);
  const std::size_t tcp = frame.size();
  put(frame, segment.source.port, 2);
  put(frame, segment.destination.port, 2);
  put(frame, segment.sequence, 4);
  put(frame, segment.acknowledgement, 4);
  put(frame, (5 + options.size() / 4) << 4, 1);
  put(frame, segment.flags, 1);
  put(frame, segment.window, 2);
  put(frame, 0, 4);  // checksum, urgent pointer
  frame.insert(frame.end(), options.begin(), options.end());
  frame.insert(frame.end(), segment.payload.begin(), segment.payload.end());
  Sum sum;
  sum.add(std::uint32_t{6});
  sum.add(static_cast<std::uint32_t>(tcp_bytes));
  sum.add(frame, tcp - 2 * address_bytes(segment.source.ip));
  frame[tcp + 16] = static_cast<std::uint8_t>(sum.checksum() >> 8);
  frame[tcp + 17] = static_cast<std::uint8_t>(sum.checksum());
  return frame;
}

std::optional<TcpSegment> read_frame(const Frame& frame, std::string& wrong) {
  const auto no = [&wrong](const char* why) {
    wrong = why;
    return std::nullopt;
  };
  if (frame.size() < kEthernet + 40) return no("a frame too short for TCP");
  const std::uint32_t type = number(frame, 12, 2);
  if (type != 0x0800 && type != 0x86dd) return no("neither IPv4 nor IPv6");
  const bool ipv4 = type == 0x0800;
  const std::size_t tcp = kEthernet + (ipv4 ? 20 : 40);
  if (frame.size() < tcp + 20) return no("a frame too short for TCP");
  if (frame[kEthernet + (ipv4 ? 9 : 6)] != 6) return no("not TCP");
  const std::size_t bytes = ipv4 ? number(frame, kEthernet + 2, 2) : 40 + number(frame, 18, 2);
  if (kEthernet + bytes != frame.size()) return no("the IP header's length is not the frame's");
  TcpSegment segment;
  const std::size_t addresses = tcp - (ipv4 ? 8 : 32);
  segment.source = {address_at(frame, addresses, ipv4),
                    static_cast<std::uint16_t>(number(frame, tcp, 2))};
  segment.destination = {address_at(frame, addresses + (ipv4 ? 4 : 16), ipv4),
                         static_cast<std::uint16_t>(number(frame, tcp + 2, 2))};
  segment.sequence = number(frame, tcp + 4, 4);
  segment.acknowledgement = number(frame, tcp + 8, 4);
  const std::size_t payload = tcp + std::size_t{4} * (frame[tcp + 12] >> 4);
  segment.flags = frame[tcp + 13];
  segment.window = static_cast<std::uint16_t>(number(frame, tcp + 14, 2));
  if (payload < tcp + 20 || payload > frame.size()) return no("a wrong TCP header length");
  if (!read_options(frame, tcp + 20, payload, segment)) return no("wrong TCP options");
  segment.payload.assign(frame.begin() + static_cast<std::ptrdiff_t>(payload), frame.end());
  return segment;
}

}  // namespace hawser::simulation
