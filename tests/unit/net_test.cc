// Addresses, byte order, checksums and the bounds-checked reader.
#include <random>

#include <gtest/gtest.h>

#include "hawser/base/bytes.h"
#include "hawser/base/nearest.h"
#include "hawser/base/strong.h"
#include "hawser/base/time.h"
#include "hawser/hash/flow_hash.h"
#include "hawser/net/address.h"
#include "hawser/net/checksum.h"

namespace hawser {
namespace {

static_assert(!std::is_convertible_v<ServiceId, BackendId>);
static_assert(!std::is_convertible_v<std::uint16_t, ServiceId>);
static_assert(!std::is_convertible_v<Epoch, std::uint64_t>);

std::string round_trip(std::string_view text) {
  return net::to_string(net::parse_address(text).value());
}

TEST(Address, TextSurvivesTheRoundTrip) {
  EXPECT_EQ(round_trip("10.1.2.3"), "10.1.2.3");
  EXPECT_EQ(round_trip("fd00:0:0:0:0:0:0:1"), "fd00::1");
  EXPECT_EQ(net::to_string(net::parse_mac("02:00:5e:AB:00:01").value()), "02:00:5e:ab:00:01");
  EXPECT_EQ(net::to_string(net::parse_prefix("10.0.0.0/8").value()), "10.0.0.0/8");
  EXPECT_EQ(net::parse_prefix("fd00::1").value().length, 128);
  EXPECT_EQ(net::endpoint_to_string(net::parse_address("fd00::1").value(), 80), "[fd00::1]:80");
}

TEST(Address, RefusesWhatIsNone) {
  for (const char* text : {"", "10.1.2", "10.1.2.256", "fd00::g", "10.1.2.3/8", " 10.1.2.3"}) {
    EXPECT_FALSE(net::parse_address(text).has_value()) << text;
  }
  for (const char* text : {"10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0.0/8x", "/8"}) {
    EXPECT_FALSE(net::parse_prefix(text).has_value()) << text;
  }
  for (const char* text : {"", "02:00:5e:10:00", "02-00-5e-10-00-01", "02:00:5e:10:00:0g"}) {
    EXPECT_FALSE(net::parse_mac(text).has_value()) << text;
  }
}

TEST(Address, BytesSurviveTheRoundTrip) {
  for (const char* text : {"10.1.2.3", "fd00::1"}) {
    const net::IpAddress address = net::parse_address(text).value();
    EXPECT_EQ(net::address_from_bytes(net::address_to_bytes(address)).value(), address);
  }
  EXPECT_FALSE(net::address_from_bytes("12345").has_value());
  EXPECT_EQ(net::IpAddress(net::parse_address("10.1.2.3").value().v4()),
            net::parse_address("10.1.2.3").value());
}

TEST(Address, APrefixContainsExactlyItsAddresses) {
  const net::Prefix prefix = net::parse_prefix("10.1.2.77/20").value();
  EXPECT_TRUE(prefix.contains(net::parse_address("10.1.15.255").value()));
  EXPECT_FALSE(prefix.contains(net::parse_address("10.1.16.0").value()));
  EXPECT_FALSE(prefix.contains(net::parse_address("::a01:24d").value()));
  EXPECT_EQ(net::masked(net::parse_address("fd00:1:2:3:4::5").value(), 64),
            net::parse_address("fd00:1:2:3::").value());
  EXPECT_EQ(net::masked(net::parse_address("10.1.2.3").value(), 0),
            net::parse_address("0.0.0.0").value());
}

TEST(Address, NobodyIsReachedAtASpecialAddress) {
  for (const char* text :
       {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "ff02::1"}) {
    EXPECT_TRUE(net::parse_address(text).value().is_special()) << text;
  }
  EXPECT_FALSE(net::parse_address("10.0.0.1").value().is_special());
  EXPECT_FALSE(net::parse_address("fe80::1").value().is_special());
}

TEST(Address, MulticastFormsFollowTheRfcs) {
  const net::Ipv6Address address = net::parse_address("fd00::1:2233:4455").value().v6();
  EXPECT_EQ(net::to_string(net::IpAddress(address.solicited_node())), "ff02::1:ff33:4455");
  EXPECT_EQ(net::to_string(address.solicited_node().multicast_mac()), "33:33:ff:33:44:55");
}

TEST(Checksum, MatchesTheExampleOfRfc1071) {
  // Section 3: the words 0001 f203 f4f5 f6f7 sum to ddf2.
  const std::array<std::uint8_t, 8> bytes{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(net::checksum(bytes).host(), 0xffff ^ 0xddf2);
}

std::uint16_t naive_checksum(std::span<const std::uint8_t> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const unsigned low = i + 1 < bytes.size() ? bytes[i + 1] : 0U;
    sum += (static_cast<std::uint32_t>(bytes[i]) << 8U) + low;
    sum = (sum & 0xffffU) + (sum >> 16U);
  }
  return static_cast<std::uint16_t>(~sum);
}

TEST(Checksum, AgreesWithTheNaiveSumAtEveryLength) {
  std::mt19937 random(1);
  for (std::size_t length = 0; length < 300; ++length) {
    std::vector<std::uint8_t> bytes(length);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    ASSERT_EQ(net::checksum(bytes).host(), naive_checksum(bytes)) << length;
  }
}

TEST(Checksum, AnUpdateEqualsTheSumDoneAgain) {
  std::mt19937 random(2);
  for (int round = 0; round < 100'000; ++round) {
    std::array<std::uint8_t, 24> bytes{};
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    const net::Big16 before = net::checksum(bytes);
    net::ChecksumDelta delta;
    const auto old_word = load<net::Big32>(bytes.data() + 4);
    const auto old_half = load<net::Big16>(bytes.data() + 10);
    const net::Big32 new_word(round % 5 == 0 ? 0 : static_cast<std::uint32_t>(random()));
    const net::Big16 new_half(round % 7 == 0 ? 0xffff : static_cast<std::uint16_t>(random()));
    delta.change(old_word, new_word);
    delta.change(old_half, new_half);
    store(bytes.data() + 4, new_word);
    store(bytes.data() + 10, new_half);
    ASSERT_EQ(delta.apply(before).host(), net::checksum(bytes).host());
  }
}

TEST(Reader, NeverReadsPastTheEnd) {
  const std::array<std::uint8_t, 5> bytes{1, 2, 3, 4, 5};
  Reader reader(bytes);
  std::uint32_t word = 0;
  ASSERT_TRUE(reader.read(word));
  EXPECT_EQ(word, 0x04030201U);
  EXPECT_FALSE(reader.read(word));
  EXPECT_EQ(reader.remaining(), 1U);
  EXPECT_FALSE(reader.skip(2));
  std::uint8_t byte = 0;
  ASSERT_TRUE(reader.peek(byte));
  ASSERT_TRUE(reader.read(byte));
  EXPECT_EQ(byte, 5);
  EXPECT_FALSE(reader.read(byte));
}

TEST(CoarseTime, AgesAreRightAcrossTheWrap) {
  EXPECT_EQ(CoarseTime{5}.since(CoarseTime{65530}), 11);
}

TEST(Nearest, FindsTheMisspeltWordAndRefusesTheDistant) {
  const std::vector<std::string> known{"weight", "address", "name", "port"};
  EXPECT_EQ(nearest("wieght", known), "weight");
  EXPECT_EQ(nearest("adress", known), "address");
  EXPECT_EQ(nearest("zzzzzz", known), std::nullopt);
  EXPECT_EQ(suggestion("prot", known), " (did you mean \"port\"?)");
  EXPECT_EQ(edit_distance("ca", "abc"), 3U);  // optimal string alignment, not full Damerau
}

hash::FlowHash::Key key_of(std::uint8_t first) {
  hash::FlowHash::Key key{};
  key[0] = first;
  return key;
}

TEST(FlowHash, DependsOnEveryFieldAndOnTheKey) {
  const hash::FlowHash hash(key_of(1));
  const hash::Ipv4Tuple tuple{.source = {net::Big32(1)},
                              .destination = {net::Big32(2)},
                              .source_port = net::Big16(3),
                              .destination_port = net::Big16(4),
                              .protocol = 6};
  hash::Ipv4Tuple other = tuple;
  other.source_port = net::Big16(5);
  EXPECT_EQ(hash(tuple), hash::FlowHash(key_of(1))(tuple));
  EXPECT_NE(hash(tuple), hash(other));
  EXPECT_NE(hash(tuple), hash::FlowHash(key_of(2))(tuple));
  hash::Ipv6Tuple six{.protocol = 6};
  const std::uint64_t before = hash(six);
  six.destination.bytes[15] = 1;
  EXPECT_NE(hash(six), before);
}

TEST(FlowHash, IsXxh3) {
  std::uint64_t random = 1;
  for (std::uint8_t first = 0; first < 200; ++first) {
    const hash::FlowHash hash(key_of(first));
    for (int i = 0; i < 50; ++i) {
      const std::uint64_t bits = random = hash::mix(random + 1);
      const hash::Ipv4Tuple tuple{
          .source = {net::Big32(static_cast<std::uint32_t>(bits))},
          .destination = {net::Big32(static_cast<std::uint32_t>(~bits))},
          .source_port = net::Big16(static_cast<std::uint16_t>(bits >> 32)),
          .destination_port = net::Big16(static_cast<std::uint16_t>(bits >> 48)),
          .protocol = static_cast<std::uint32_t>(bits >> 40) & 0xffU};
      ASSERT_EQ(hash(tuple), hash.by_library(tuple));
      hash::Ipv6Tuple wide{.source_port = tuple.source_port,
                           .destination_port = tuple.destination_port,
                           .protocol = tuple.protocol};
      store(wide.source.bytes.data(), bits);
      store(wide.source.bytes.data() + 8, hash::mix(bits));
      store(wide.destination.bytes.data(), ~bits);
      store(wide.destination.bytes.data() + 8, hash::mix(~bits));
      ASSERT_EQ(hash(wide), hash.by_library(wide));
    }
  }
}

TEST(FlowHash, SpreadsNeighbouringPortsEvenlyOverSlots) {
  const hash::FlowHash hash(key_of(9));
  std::array<std::uint32_t, 10> counts{};
  hash::Ipv4Tuple tuple{.source = {net::Big32(0x0a000001)}, .protocol = 6};
  for (std::uint32_t port = 0; port < 60'000; ++port) {
    tuple.source_port = net::Big16(static_cast<std::uint16_t>(port));
    ++counts[hash::reduce(hash(tuple), 10)];
  }
  for (const std::uint32_t count : counts) EXPECT_NEAR(count, 6000, 400);
}

}  // namespace
}  // namespace hawser
