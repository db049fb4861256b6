// StreamFrame, Marks: segments of a TCP stream with their numbers, times and a cookie, sound sums.
//
// A frame is laid out once. Writing it copies it, puts in what differs from segment to segment and
// makes both checksums sound, without reading the payload.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "frames.h"
#include "hawser/affinity/session_cookie.h"

namespace hawser::bench {

// What differs from segment to segment. Numbers in host order.
struct Marks {
  End source;
  End destination;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint32_t time = 0;  // TSval
  std::uint32_t echo = 0;  // TSecr
};

// The value of a session cookie, and the sum of its words.
struct CookieText {
  std::array<char, affinity::kCookieText> text{};
  std::uint16_t sum = 0;

  void add_up() noexcept {
    sum = net::fold(
        net::sum_bytes({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
  }
};

// TCP options of a SYN and of what follows, as Linux sends them, with timestamps or without.
struct StreamOptions {
  std::vector<std::uint8_t> syn;
  std::vector<std::uint8_t> data;
  std::size_t room = 0;  // for payload in a segment of data, at an MTU of 1500
};
[[nodiscard]] StreamOptions stream_options(net::Family family, bool timestamps);

class StreamFrame {
 public:
  // `options` are of StreamOptions. `cookie_at`: an even offset in the payload, where a cookie's
  // value is put in; kNoCookie: nowhere.
  static constexpr std::size_t kNoCookie = SIZE_MAX;
  StreamFrame(const tests::FrameSpec& spec, std::span<const std::uint8_t> options,
              std::string_view payload = {}, std::size_t cookie_at = kNoCookie);

  // `to` has room for the frame; `cookie` is for frames with a place for one.
  void write(std::uint8_t* to, const Marks& marks, const CookieText& cookie) const noexcept {
    std::memcpy(to, bytes_.data(), bytes_.size());
    store(to + source_at_, marks.source.address);
    store(to + destination_at_, marks.destination.address);
    std::uint8_t* const tcp = to + tcp_at_;
    store(tcp, marks.source.port);
    store(tcp + 2, marks.destination.port);
    const net::Big32 sequence(marks.sequence);
    const net::Big32 acknowledgement(marks.acknowledgement);
    store(tcp + 4, sequence);
    store(tcp + 8, acknowledgement);
    const std::uint64_t addresses = std::uint64_t{marks.source.address} + marks.destination.address;
    std::uint64_t sum = sum_ + addresses + marks.source.port + marks.destination.port +
                        sequence.raw() + acknowledgement.raw();
    if (times_at_ != 0) {
      const net::Big32 time(marks.time);
      const net::Big32 echo(marks.echo);
      store(tcp + times_at_, time);
      store(tcp + times_at_ + 4, echo);
      sum += std::uint64_t{time.raw()} + echo.raw();
    }
    if (cookie_at_ != 0) {
      std::memcpy(to + cookie_at_, cookie.text.data(), cookie.text.size());
      sum += cookie.sum;
    }
    if (ip_checksum_at_ != 0) store(to + ip_checksum_at_, complement(ip_sum_ + addresses));
    store(tcp + offsetof(net::TcpHeader, checksum), complement(sum));
  }

  [[nodiscard]] std::uint16_t length() const noexcept {
    return static_cast<std::uint16_t>(bytes_.size());
  }
  [[nodiscard]] std::uint32_t payload() const noexcept { return payload_; }

 private:
  [[nodiscard]] static std::uint16_t complement(std::uint64_t sum) noexcept {
    return static_cast<std::uint16_t>(~net::fold(sum));
  }

  std::vector<std::uint8_t> bytes_;
  std::uint32_t payload_ = 0;
  std::size_t source_at_ = 0;
  std::size_t destination_at_ = 0;
  std::size_t tcp_at_ = 0;
  std::size_t times_at_ = 0;        // from the TCP header; 0: no timestamps
  std::size_t cookie_at_ = 0;       // from the frame's begin; 0: no cookie
  std::size_t ip_checksum_at_ = 0;  // 0: there is none
  std::uint64_t ip_sum_ = 0;        // of all that a segment does not replace
  std::uint64_t sum_ = 0;           // likewise, of the segment
};

}  // namespace hawser::bench
