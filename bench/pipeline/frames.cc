// Lays out the frame of a template.
#include "frames.h"

#include <algorithm>
#include <vector>

#include "hawser/base/contract.h"

namespace hawser::bench {
namespace {

// The address with its last four bytes zero.
net::IpAddress without_end(net::IpAddress address) {
  for (std::size_t i = 0; i < 4; ++i) address.bytes[address.size() - 1 - i] = 0;
  return address;
}

}  // namespace

FrameTemplate::FrameTemplate(const tests::FrameSpec& wanted,
                             std::span<const std::uint8_t> options) {
  tests::FrameSpec spec = wanted;
  spec.source = without_end(spec.source);
  spec.destination = without_end(spec.destination);
  spec.source_port = spec.destination_port = 0;
  spec.payload += options.size();
  std::vector<std::uint8_t> frame = tests::frame(spec);
  const bool ipv4 = spec.source.is_ipv4();
  const std::size_t ip = sizeof(net::EthernetHeader);
  ports_at_ = ip + (ipv4 ? sizeof(net::Ipv4Header) : sizeof(net::Ipv6Header));
  destination_at_ = ports_at_ - 4;
  source_at_ = destination_at_ - spec.source.size();
  ip_checksum_at_ = ipv4 ? ip + offsetof(net::Ipv4Header, checksum) : 0;
  transport_checksum_at_ = ports_at_ + offsetof(net::TcpHeader, checksum);

  const std::size_t words = (sizeof(net::TcpHeader) + options.size()) / 4;
  frame[ports_at_ + offsetof(net::TcpHeader, data_offset_reserved)] =
      static_cast<std::uint8_t>(words << 4U);
  std::copy(options.begin(), options.end(), frame.data() + ports_at_ + sizeof(net::TcpHeader));

  store(frame.data() + transport_checksum_at_, std::uint16_t{0});
  const std::span<const std::uint8_t> transport{frame.data() + ports_at_, frame.size() - ports_at_};
  transport_sum_ = net::fold(net::sum_bytes(
      transport, net::pseudo_header_sum(spec.source, spec.destination, spec.protocol,
                                        static_cast<std::uint32_t>(transport.size()))));
  if (ipv4) {
    store(frame.data() + ip_checksum_at_, std::uint16_t{0});
    ip_sum_ = net::fold(net::sum_bytes({frame.data() + ip, sizeof(net::Ipv4Header)}));
  }
  constexpr std::size_t kShortest = 60;  // of Ethernet, without FCS
  frame.resize(std::max(frame.size(), kShortest));
  HAWSER_REQUIRE(frame.size() <= bytes_.size());
  length_ = static_cast<std::uint16_t>(frame.size());
  std::copy(frame.begin(), frame.end(), bytes_.begin());
}

}  // namespace hawser::bench
