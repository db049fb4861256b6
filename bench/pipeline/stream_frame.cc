// Lays out segments.
#include "stream_frame.h"

#include <algorithm>

#include "hawser/base/contract.h"
#include "hawser/l4/tcp_options.h"

namespace hawser::bench {
namespace {

// Where the times are in options of that kind; 0: they have none.
std::size_t times_in(std::span<const std::uint8_t> options) {
  const auto kind = std::find(options.begin(), options.end(), l4::kTcpOptionTimestamps);
  return kind == options.end() ? 0 : static_cast<std::size_t>(kind - options.begin()) + 2;
}

net::IpAddress without_end(net::IpAddress address) {
  for (std::size_t i = 0; i < 4; ++i) address.bytes[address.size() - 1 - i] = 0;
  return address;
}

}  // namespace

StreamOptions stream_options(net::Family family, bool timestamps) {
  const std::uint16_t mss = family == net::Family::kIpv4 ? 1460 : 1440;
  const auto high = static_cast<std::uint8_t>(mss >> 8U);
  const auto low = static_cast<std::uint8_t>(mss & 0xffU);
  // MSS, SACK permitted, timestamps, window scale 7.
  if (timestamps) {
    return {.syn = {2, 4, high, low, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7},
            .data = {1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0},
            .room = mss - std::size_t{12}};
  }
  return {.syn = {2, 4, high, low, 1, 1, 4, 2, 1, 3, 3, 7}, .data = {}, .room = mss};
}

StreamFrame::StreamFrame(const tests::FrameSpec& wanted, std::span<const std::uint8_t> options,
                         std::string_view payload, std::size_t cookie_at)
    : payload_(static_cast<std::uint32_t>(payload.size())) {
  tests::FrameSpec spec = wanted;
  spec.source = without_end(spec.source);
  spec.destination = without_end(spec.destination);
  spec.source_port = spec.destination_port = 0;
  spec.payload = options.size() + payload.size();
  bytes_ = tests::frame(spec);
  const bool ipv4 = spec.source.is_ipv4();
  const std::size_t ip = sizeof(net::EthernetHeader);
  tcp_at_ = ip + (ipv4 ? sizeof(net::Ipv4Header) : sizeof(net::Ipv6Header));
  destination_at_ = tcp_at_ - 4;
  source_at_ = destination_at_ - spec.source.size();
  ip_checksum_at_ = ipv4 ? ip + offsetof(net::Ipv4Header, checksum) : 0;
  const std::size_t header = sizeof(net::TcpHeader) + options.size();
  std::uint8_t* const tcp = bytes_.data() + tcp_at_;
  tcp[offsetof(net::TcpHeader, data_offset_reserved)] = static_cast<std::uint8_t>(header / 4 << 4U);
  std::copy(options.begin(), options.end(), tcp + sizeof(net::TcpHeader));
  std::copy(payload.begin(), payload.end(), tcp + header);
  if (const std::size_t at = times_in(options); at != 0) times_at_ = sizeof(net::TcpHeader) + at;
  if (cookie_at != kNoCookie) {
    HAWSER_REQUIRE(cookie_at % 2 == 0 && cookie_at + affinity::kCookieText <= payload.size());
    cookie_at_ = tcp_at_ + header + cookie_at;
    std::fill_n(bytes_.data() + cookie_at_, affinity::kCookieText, std::uint8_t{0});
  }
  // What is written into each segment does not count here.
  store(tcp + offsetof(net::TcpHeader, sequence), net::Big32());
  store(tcp + offsetof(net::TcpHeader, acknowledgement), net::Big32());
  store(tcp + offsetof(net::TcpHeader, checksum), std::uint16_t{0});
  const std::span<const std::uint8_t> segment{tcp, bytes_.size() - tcp_at_};
  sum_ = net::fold(
      net::sum_bytes(segment, net::pseudo_header_sum(spec.source, spec.destination, spec.protocol,
                                                     static_cast<std::uint32_t>(segment.size()))));
  if (ipv4) {
    store(bytes_.data() + ip_checksum_at_, std::uint16_t{0});
    ip_sum_ = net::fold(net::sum_bytes({bytes_.data() + ip, sizeof(net::Ipv4Header)}));
  }
  constexpr std::size_t kShortest = 60;  // of Ethernet, without FCS
  bytes_.resize(std::max(bytes_.size(), kShortest));
}

}  // namespace hawser::bench
