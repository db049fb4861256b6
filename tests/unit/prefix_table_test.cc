// The prefix table, beside a linear search for the longest prefix.
#include "hawser/table/prefix_table.h"

#include <string_view>

#include <gtest/gtest.h>

#include "hawser/hash/flow_hash.h"

namespace hawser::table {
namespace {

// A sequence of numbers that is the same on every machine.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL) {}
  std::uint64_t next() { return hash::mix(++state_); }
  unsigned between(unsigned low, unsigned high) {
    return low + static_cast<unsigned>(next() % (high - low + 1));
  }

 private:
  std::uint64_t state_;
};

PrefixRule rule(std::string_view prefix, Access access) {
  return {.prefix = *net::parse_prefix(prefix), .access = access};
}

Access find(const PrefixTable& table, const net::IpAddress& address) {
  return address.is_ipv4() ? table.find(address.v4()) : table.find(address.v6());
}

Access find(const PrefixTable& table, std::string_view address) {
  return find(table, *net::parse_address(address));
}

// What the table has to say, by its definition.
Access expected(std::span<const PrefixRule> rules, const net::IpAddress& address) {
  int longest = -1;
  Access result = Access::kUnlisted;
  for (const PrefixRule& r : rules) {
    if (!r.prefix.contains(address) || r.prefix.length < longest) continue;
    result = r.prefix.length > longest ? r.access : std::max(result, r.access);
    longest = r.prefix.length;
  }
  return result;
}

// A random address whose first `fixed` bits are those of `base`.
net::IpAddress address_in(Numbers& numbers, const net::IpAddress& base, unsigned fixed) {
  net::IpAddress random = base;
  for (std::size_t i = 0; i < base.size(); ++i) {
    random.bytes[i] = static_cast<std::uint8_t>(numbers.next());
  }
  const net::IpAddress kept = net::masked(base, fixed);
  const net::IpAddress dropped = net::masked(random, fixed);
  for (std::size_t i = 0; i < base.size(); ++i) {
    random.bytes[i] =
        static_cast<std::uint8_t>((random.bytes[i] ^ dropped.bytes[i]) | kept.bytes[i]);
  }
  return random;
}

// The address before (-1) or after (+1), around the end of all addresses.
net::IpAddress neighbour(net::IpAddress address, int step) {
  for (std::size_t i = address.size(); i-- > 0;) {
    address.bytes[i] = static_cast<std::uint8_t>(address.bytes[i] + step);
    if (address.bytes[i] != (step > 0 ? 0 : 0xff)) break;
  }
  return address;
}

net::IpAddress last_of(const net::Prefix& prefix) {
  net::IpAddress ones = prefix.address;
  for (std::size_t i = 0; i < ones.size(); ++i) ones.bytes[i] = 0xff;
  const net::IpAddress network = net::masked(ones, prefix.length);
  const net::IpAddress first = net::masked(prefix.address, prefix.length);
  for (std::size_t i = 0; i < ones.size(); ++i) {
    ones.bytes[i] = static_cast<std::uint8_t>((ones.bytes[i] ^ network.bytes[i]) | first.bytes[i]);
  }
  return ones;
}

struct Shape {
  std::string_view title;
  std::string_view around;  // every rule lies in this network
  unsigned shortest;
  unsigned longest;
  std::size_t rules;
};

constexpr std::array<Shape, 9> kShapes = {{
    {"all of IPv4", "0.0.0.0/0", 0, 32, 500},
    {"a dense IPv4 network, next to nothing else", "10.20.0.0/16", 16, 32, 500},
    {"an IPv4 network of single addresses", "192.0.2.0/24", 30, 32, 200},
    {"the highest IPv4 addresses", "255.255.255.0/24", 24, 32, 100},
    {"all of IPv6", "::/0", 0, 128, 500},
    {"IPv6 networks as they are given out", "2000::/3", 20, 64, 500},
    {"a dense IPv6 network", "2001:db8::/32", 32, 64, 500},
    {"prefixes inside a few /64", "2001:db8::/62", 58, 128, 400},
    {"the highest IPv6 addresses", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:0/112", 40, 128, 200},
}};

TEST(PrefixTable, AgreesWithALinearSearchInEveryShapeOfList) {
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(shape.title);
    Numbers numbers(shape.rules + shape.longest);
    const net::Prefix around = *net::parse_prefix(shape.around);
    std::vector<PrefixRule> rules;
    for (std::size_t i = 0; i < shape.rules; ++i) {
      const auto length = static_cast<std::uint8_t>(numbers.between(shape.shortest, shape.longest));
      // Inside an earlier one now and then, so that prefixes nest.
      const net::Prefix in =
          rules.empty() || i % 3 != 0 ? around : rules[numbers.next() % rules.size()].prefix;
      const net::IpAddress address = address_in(numbers, in.address, in.length);
      rules.push_back(
          {.prefix = {address, length}, .access = static_cast<Access>(numbers.between(0, 2))});
    }
    const auto table = PrefixTable::build(rules);
    std::array<std::size_t, 3> seen{};
    const auto check = [&](const net::IpAddress& address) {
      const Access access = find(*table, address);
      ASSERT_EQ(access, expected(rules, address)) << net::to_string(address);
      ++seen[static_cast<std::size_t>(access)];
    };
    for (const PrefixRule& r : rules) {
      const net::IpAddress first = net::masked(r.prefix.address, r.prefix.length);
      const net::IpAddress last = last_of(r.prefix);
      for (const auto& address :
           {first, last, neighbour(first, -1), neighbour(last, 1),
            address_in(numbers, first, r.prefix.length), address_in(numbers, first, around.length),
            address_in(numbers, first, 0)}) {
        check(address);
        if (HasFatalFailure()) return;
      }
    }
    for (const std::size_t count : seen) EXPECT_GT(count, 10U) << "the list must be a mixed one";
  }
}

TEST(PrefixTable, WithoutRulesNobodyIsListed) {
  const auto table = PrefixTable::build({});
  for (const std::string_view address :
       {"0.0.0.0", "10.0.0.1", "255.255.255.255", "::", "2001:db8::1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    EXPECT_EQ(find(*table, address), Access::kUnlisted) << address;
  }
}

TEST(PrefixTable, DeniedWinsOverAllowedForTheSamePrefixInAnyOrder) {
  using enum Access;
  const auto table = PrefixTable::build(
      std::vector<PrefixRule>{rule("10.0.0.0/8", kAllowed), rule("10.255.255.255/8", kDenied),
                              rule("2001:db8::/32", kDenied), rule("2001:db8::/32", kAllowed),
                              rule("2001:db8::1", kAllowed), rule("2001:db8::1", kDenied)});
  EXPECT_EQ(find(*table, "10.1.1.1"), kDenied);
  EXPECT_EQ(find(*table, "2001:db8::2"), kDenied);
  EXPECT_EQ(find(*table, "2001:db8::1"), kDenied);
}

TEST(PrefixTable, TheLongestPrefixWinsWhateverTheOthersSay) {
  using enum Access;
  const auto table = PrefixTable::build(std::vector<PrefixRule>{
      rule("0.0.0.0/0", kDenied), rule("192.0.2.0/24", kAllowed), rule("192.0.2.128/25", kDenied),
      rule("192.0.2.200", kAllowed), rule("192.0.2.64/26", kUnlisted), rule("::/0", kAllowed),
      rule("2001:db8::/48", kDenied), rule("2001:db8::/64", kAllowed),
      rule("2001:db8::ff00/120", kDenied), rule("2001:db8::ff01", kUnlisted)});
  EXPECT_EQ(find(*table, "8.8.8.8"), kDenied);
  EXPECT_EQ(find(*table, "192.0.2.1"), kAllowed);
  EXPECT_EQ(find(*table, "192.0.2.64"), kUnlisted);
  EXPECT_EQ(find(*table, "192.0.2.128"), kDenied);
  EXPECT_EQ(find(*table, "192.0.2.200"), kAllowed);
  EXPECT_EQ(find(*table, "192.0.2.201"), kDenied);
  EXPECT_EQ(find(*table, "255.255.255.255"), kDenied);
  EXPECT_EQ(find(*table, "fe80::1"), kAllowed);
  EXPECT_EQ(find(*table, "2001:db8:0:1::"), kDenied);
  EXPECT_EQ(find(*table, "2001:db8::1"), kAllowed);
  EXPECT_EQ(find(*table, "2001:db8::ff00"), kDenied);
  EXPECT_EQ(find(*table, "2001:db8::ff01"), kUnlisted);
  EXPECT_EQ(find(*table, "2001:db8::1:0"), kAllowed);
}

TEST(PrefixTable, OneFamilySaysNothingAboutTheOther) {
  const auto table =
      PrefixTable::build(std::vector<PrefixRule>{rule("0.0.0.0/0", Access::kDenied)});
  EXPECT_EQ(find(*table, "0.0.0.0"), Access::kDenied);
  EXPECT_EQ(find(*table, "::"), Access::kUnlisted);
  EXPECT_EQ(find(*table, "::ffff:10.0.0.1"), Access::kUnlisted);
}

// Distances that double are the worst for equal slots: each node splits off a few only.
TEST(PrefixTable, FindsPrefixesThatLieCloserAndCloser) {
  std::vector<PrefixRule> rules;
  for (unsigned length = 8; length <= 128; ++length) {
    net::IpAddress address = *net::parse_address("2001:db8::");
    if (length > 32) {
      address.bytes[(length - 1) / 8] |= static_cast<std::uint8_t>(0x80U >> ((length - 1) % 8));
    }
    rules.push_back({.prefix = {address, static_cast<std::uint8_t>(length)},
                     .access = length % 2 == 0 ? Access::kAllowed : Access::kDenied});
  }
  const auto table = PrefixTable::build(rules);
  for (const PrefixRule& r : rules) {
    for (const auto& address : {net::masked(r.prefix.address, r.prefix.length), last_of(r.prefix),
                                neighbour(r.prefix.address, -1)}) {
      ASSERT_EQ(find(*table, address), expected(rules, address)) << net::to_string(address);
    }
  }
}

TEST(PrefixTable, HoldsAHundredThousandOfEachFamilyInAFewMegabytes) {
  Numbers numbers(7);
  std::vector<PrefixRule> rules;
  const net::Prefix ipv4 = *net::parse_prefix("0.0.0.0/0");
  const net::Prefix ipv6 = *net::parse_prefix("2000::/3");
  for (unsigned i = 0; i < 100'000; ++i) {
    const auto length4 = static_cast<std::uint8_t>(numbers.between(8, 32));
    const auto length6 = static_cast<std::uint8_t>(i % 10 == 0 ? 128 : numbers.between(20, 64));
    const auto access = static_cast<Access>(numbers.between(1, 2));
    rules.push_back({.prefix = {address_in(numbers, ipv4.address, 0), length4}, .access = access});
    rules.push_back({.prefix = {address_in(numbers, ipv6.address, 3), length6}, .access = access});
  }
  const auto table = PrefixTable::build(rules);
  EXPECT_LT(table->bytes(), std::size_t{12} << 20);
  for (std::size_t i = 0; i < 100; ++i) {
    const net::Prefix& prefix = rules[numbers.next() % rules.size()].prefix;
    const net::IpAddress address = address_in(numbers, prefix.address, prefix.length);
    ASSERT_EQ(find(*table, address), expected(rules, address)) << net::to_string(address);
  }
}

}  // namespace
}  // namespace hawser::table
