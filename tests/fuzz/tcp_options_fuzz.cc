// Fuzz target: TCP options, read and changed, with the checksum updated against summed anew.
//
// Input: two bytes of the largest MSS allowed, then the options, cut to whole words.
#include <algorithm>
#include <array>
#include <vector>

#include "../spec/guarded_frame.h"
#include "hawser/base/contract.h"
#include "hawser/l4/tcp_options.h"
#include "hawser/net/tcp.h"
#include "target.h"

namespace hawser::l4 {
namespace {

using Header = std::span<std::uint8_t>;

// A change of a header, which must keep its checksum right and its other options as they were.
template <typename Change>
void require_sound(Header header, Change change) {
  const auto options = header.subspan(sizeof(net::TcpHeader));
  const auto before = read_tcp_options(options);
  const std::vector<std::uint8_t> bytes(header.begin(), header.end());
  const net::Big16 sum = net::checksum(header);
  net::ChecksumDelta delta;
  const bool changed = change(delta);
  HAWSER_REQUIRE(changed == !std::equal(bytes.begin(), bytes.end(), header.begin()));
  HAWSER_REQUIRE(delta.apply(sum) == net::checksum(header));
  const auto after = read_tcp_options(options);
  HAWSER_REQUIRE(!before || after.has_value());
  net::ChecksumDelta none;
  HAWSER_REQUIRE(!change(none));  // nothing is left to change
}

void clamp(Header header, std::uint16_t most) {
  const auto options = header.subspan(sizeof(net::TcpHeader));
  auto expected = read_tcp_options(options);
  require_sound(header, [&](net::ChecksumDelta& delta) { return clamp_mss(header, most, delta); });
  if (!expected) return;
  if (expected->mss) expected->mss = std::min(*expected->mss, most);
  HAWSER_REQUIRE(read_tcp_options(options) == expected);
}

void blank(Header header) {
  const auto options = header.subspan(sizeof(net::TcpHeader));
  auto expected = read_tcp_options(options);
  require_sound(header, [&](net::ChecksumDelta& delta) { return blank_sack(header, delta); });
  if (!expected) return;
  expected->sack_blocks = 0;
  HAWSER_REQUIRE(read_tcp_options(options) == expected);
}

void open_end(Header header) {
  const auto options = header.subspan(sizeof(net::TcpHeader));
  const auto expected = read_tcp_options(options);
  require_sound(header, [&](net::ChecksumDelta& delta) { return open_option_end(header, delta); });
  HAWSER_REQUIRE(read_tcp_options(options) == expected);
  if (!expected) return;
  // What is added behind is found.
  std::vector<std::uint8_t> longer(options.begin(), options.end());
  longer.insert(longer.end(), {kTcpOptionMss, 4, 0x12, 0x34});
  HAWSER_REQUIRE(read_tcp_options(longer)->mss == 0x1234);
}

}  // namespace
}  // namespace hawser::l4

void fuzz_one(std::span<const std::uint8_t> input) {
  using namespace hawser;
  static spec::GuardedFrame guarded;
  Reader reader(input);
  net::Big16 most;
  if (!reader.read(most)) return;
  const std::size_t room = limits::kMaxTcpHeader - sizeof(net::TcpHeader);
  const std::size_t length = std::min(reader.remaining(), room) / 4 * 4;
  std::array<std::uint8_t, limits::kMaxTcpHeader> bytes{};
  // The fixed part is not looked at; a byte that is not zero keeps the sum of all from being none.
  bytes[0] = 0x5a;
  std::copy_n(reader.rest().begin(), length, bytes.begin() + sizeof(net::TcpHeader));
  const std::size_t size = sizeof(net::TcpHeader) + length;
  const auto fresh = [&] {
    return std::span(guarded.place(std::span(bytes).first(size), size), size);
  };
  l4::clamp(fresh(), most.host());
  l4::blank(fresh());
  l4::open_end(fresh());
}
