// ClientHello: hellos of real clients, every way to split one, names and protocols.
#include "hawser/l7/client_hello.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "../support/allocations.h"
#include "client_hello_build.h"
#include "client_hello_vectors.h"

namespace hawser::l7 {
namespace {

using enum HelloState;

std::string protocols_of(const ClientHello& hello) {
  std::string result;
  hello.for_each_protocol([&](std::string_view protocol) {
    if (!result.empty()) result += ' ';
    result += protocol;
  });
  return result;
}

// --- real clients --------------------------------------------------------------------------------

TEST(ClientHello, ReadsThoseOfRealClients) {
  for (const tests::HelloVector& vector : tests::kHelloVectors) {
    const Bytes bytes = from_hex(vector.hex);
    ClientHello hello;
    ASSERT_EQ(parse(bytes, hello), kComplete) << vector.title;
    EXPECT_EQ(hello.server_name(), vector.name) << vector.title;
    EXPECT_EQ(protocols_of(hello), vector.protocols) << vector.title;
    EXPECT_EQ(hello.encrypted, vector.encrypted) << vector.title;
    EXPECT_EQ(hello.length, bytes.size()) << vector.title;
  }
}

TEST(ClientHello, IsIncompleteUntilItsLastByte) {
  for (const tests::HelloVector& vector : tests::kHelloVectors) {
    const Bytes bytes = from_hex(vector.hex);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      ASSERT_EQ(state_of(prefix(bytes, length)), kIncomplete) << vector.title << " of " << length;
    }
  }
}

TEST(ClientHello, MayBeSplitIntoRecordsAnywhere) {
  for (const tests::HelloVector& vector : tests::kHelloVectors) {
    const Bytes bytes = from_hex(vector.hex);
    const Bytes whole(bytes.begin() + 5, bytes.end());
    for (std::size_t each = 1; each <= whole.size(); ++each) {
      const Bytes split = records(whole, each);
      ClientHello hello;
      ASSERT_EQ(parse(split, hello), kComplete) << vector.title << " by " << each;
      ASSERT_EQ(hello.server_name(), vector.name);
      ASSERT_EQ(protocols_of(hello), vector.protocols);
      ASSERT_EQ(hello.encrypted, vector.encrypted);
      ASSERT_EQ(hello.length, split.size());
      ASSERT_EQ(state_of(prefix(split, split.size() - 1)), kIncomplete);
    }
  }
}

TEST(ClientHello, InRecordsOfUnequalSizesIsIncompleteUntilItsLastByte) {
  const Bytes whole = hello_message(server_name("a.example") + alpn({"h2"}));
  for (std::size_t first = 1; first < whole.size(); ++first) {
    const Bytes split = record(prefix(whole, first)) +
                        record({whole.begin() + static_cast<std::ptrdiff_t>(first), whole.end()});
    for (std::size_t length = 0; length < split.size(); ++length) {
      ASSERT_EQ(state_of(prefix(split, length)), kIncomplete) << first << " of " << length;
    }
    ASSERT_EQ(state_of(split), kComplete) << first;
  }
}

TEST(ClientHello, LeavesAloneWhatFollows) {
  const Bytes hello_bytes = record(hello_message(server_name("a.example")));
  for (const Bytes& more : {Bytes{0}, Bytes{20, 3, 3, 0, 1, 1}, Bytes(20000, 0xff)}) {
    ClientHello hello;
    EXPECT_EQ(parse(hello_bytes + more, hello), kComplete);
    EXPECT_EQ(hello.length, hello_bytes.size());
  }
}

TEST(ClientHello, ReadingDoesNotAllocate) {
  const Bytes whole = from_hex(tests::kHelloVectors.back().hex);
  const Bytes split = records(Bytes(whole.begin() + 5, whole.end()), 100);
  ClientHello hello;
  const std::uint64_t before = tests::allocations();
  const HelloState one = parse_client_hello(whole, hello);
  const HelloState many = parse_client_hello(split, hello);
  EXPECT_EQ(tests::allocations(), before);
  EXPECT_EQ(one, kComplete);
  EXPECT_EQ(many, kComplete);
}

// --- names ---------------------------------------------------------------------------------------

struct NameRow {
  const char* title;
  std::string sent;
  HelloState state;
  std::string name = {};
};

TEST(ClientHello, NamesAreHostNamesOrRefused) {
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + label;  // 255
  const std::vector<NameRow> rows{
      {"a usual name", "shop.example", kComplete, "shop.example"},
      {"upper case", "SHOP.Example", kComplete, "shop.example"},
      {"a final dot", "shop.example.", kComplete, "shop.example"},
      {"one label", "localhost", kComplete, "localhost"},
      {"a number among labels", "10.0.0.1.example", kComplete, "10.0.0.1.example"},
      {"an IDNA name", "xn--bcher-kva.example", kComplete, "xn--bcher-kva.example"},
      {"hyphens at the ends", "-a-.example", kComplete, "-a-.example"},
      {"an underscore", "my_shop.example", kComplete, "my_shop.example"},
      {"the longest", longest, kComplete, longest},
      {"the longest with a dot", longest + ".", kComplete, longest},
      {"an IPv4 address", "192.0.2.1", kComplete, ""},
      {"an IPv6 address", "2001:DB8::1", kComplete, ""},
      {"an IPv4-mapped address", "::ffff:192.0.2.1", kComplete, ""},
      {"an address in brackets", "[2001:db8::1]", kMalformed},
      {"an address with a zone", "fe80::1%eth0", kMalformed},
      {"a name with a port", "shop.example:443", kMalformed},
      {"one byte too long", longest + "a", kMalformed},
      {"a label too long", "a" + label + ".example", kMalformed},
      {"no name", "", kMalformed},
      {"a dot alone", ".", kMalformed},
      {"two final dots", "shop.example..", kMalformed},
      {"a dot at the start", ".example", kMalformed},
      {"an empty label", "shop..example", kMalformed},
      {"an empty label among numbers", "1..2", kMalformed},
      {"a blank", "shop example", kMalformed},
      {"a wildcard", "*.example", kMalformed},
      {"a slash", "shop/example", kMalformed},
      {"a line end", "shop.example\r\n", kMalformed},
      {"UTF-8",
       "b\xc3\xbc"
       "cher.example",
       kMalformed},
      {"a zero byte", std::string("shop\0.example", 13), kMalformed},
      {"a character before the letters", "a@b", kMalformed},
      {"a character behind the letters", "a{b", kMalformed},
  };
  for (const NameRow& row : rows) {
    ClientHello hello;
    ASSERT_EQ(parse(record(hello_message(server_name(row.sent))), hello), row.state) << row.title;
    if (row.state == kComplete) {
      EXPECT_EQ(hello.server_name(), row.name) << row.title;
    }
  }
}

TEST(ClientHello, EveryCharacterOfANameIsOneOfAHostOrRefused) {
  const std::string good = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  for (int c = 0; c < 256; ++c) {
    const std::string name = std::string("x") + static_cast<char>(c) + "y";
    const bool allowed = good.find(static_cast<char>(c)) != std::string::npos;
    EXPECT_EQ(state_of(record(hello_message(server_name(name)))), allowed ? kComplete : kMalformed)
        << c;
  }
}

TEST(ClientHello, OneHostNameAtMost) {
  const auto state_with = [](const Bytes& list) {
    return state_of(record(hello_message(extension(0, list))));
  };
  EXPECT_EQ(state_with(vector_of(2, named("a") + named("b"))), kMalformed);
  EXPECT_EQ(state_with(vector_of(2, named("a") + named("a"))), kMalformed);
  EXPECT_EQ(state_with(vector_of(2, {})), kMalformed);
  EXPECT_EQ(state_with({}), kMalformed);
  EXPECT_EQ(state_with(vector_of(2, named("a")) + Bytes{0}), kMalformed);
  EXPECT_EQ(state_with(vector_of(2, named("a") + Bytes{7})), kMalformed);
  EXPECT_EQ(state_with(vector_of(2, named("a") + Bytes{7, 0, 1})), kMalformed);
  EXPECT_EQ(state_of(record(hello_message(server_name("a") + server_name("a")))), kMalformed);
}

TEST(ClientHello, OtherKindsOfNameArePassedOver) {
  for (const Bytes& list : {named("#!", 7) + named("a"), named("a") + named("#!", 7),
                            named("", 255) + named("a") + named("", 255)}) {
    ClientHello hello;
    ASSERT_EQ(parse(record(hello_message(extension(0, vector_of(2, list)))), hello), kComplete);
    EXPECT_EQ(hello.server_name(), "a");
  }
  ClientHello hello;
  ASSERT_EQ(parse(record(hello_message(extension(0, vector_of(2, named("a", 1))))), hello),
            kComplete);
  EXPECT_EQ(hello.server_name(), "");
}

// --- other extensions ----------------------------------------------------------------------------

TEST(ClientHello, ProtocolsComeInOrderOfPreference) {
  ClientHello hello;
  // An unknown protocol of RFC 8701 is one like any other.
  ASSERT_EQ(parse(record(hello_message(alpn({"\x0a\x0a", "h2", "http/1.1"}))), hello), kComplete);
  EXPECT_EQ(protocols_of(hello), "\x0a\x0a h2 http/1.1");
}

TEST(ClientHello, AsManyWholeProtocolsAreKeptAsFit) {
  struct Row {
    std::vector<std::string> sent;
    std::size_t kept;
  };
  const std::string most(255, 'a');
  const std::string half(127, 'b');
  const std::vector<Row> rows{
      {{most}, 1},
      {{most, "h2"}, 1},
      {{half, half}, 2},
      {{half, half, "h"}, 2},
      {{half, half + "b", "h"}, 1},
      {{"h2", most, "h3"}, 1},
  };
  for (const Row& row : rows) {
    ClientHello hello;
    ASSERT_EQ(parse(record(hello_message(alpn(row.sent))), hello), kComplete);
    std::vector<std::string> kept;
    hello.for_each_protocol([&](std::string_view protocol) { kept.emplace_back(protocol); });
    EXPECT_EQ(kept,
              std::vector<std::string>(row.sent.begin(),
                                       row.sent.begin() + static_cast<std::ptrdiff_t>(row.kept)));
  }
}

TEST(ClientHello, ListsOfProtocolsAreCheckedToTheirEnd) {
  const auto state_with = [](const Bytes& value) {
    return state_of(record(hello_message(extension(16, value))));
  };
  EXPECT_EQ(state_with({}), kMalformed);
  EXPECT_EQ(state_with({0, 0}), kMalformed);
  EXPECT_EQ(state_with({0, 1, 0}), kMalformed);
  EXPECT_EQ(state_with({0, 2, 2, 'h'}), kMalformed);
  EXPECT_EQ(state_with({0, 3, 2, 'h'}), kMalformed);
  EXPECT_EQ(state_with({0, 2, 1, 'h', 0}), kMalformed);
  EXPECT_EQ(state_with({0, 2, 1, 'h'}), kComplete);
  const Bytes far = vector_of(1, Bytes(255, 'a')) + vector_of(1, Bytes(255, 'a'));
  EXPECT_EQ(state_with(vector_of(2, far + Bytes{0})), kMalformed);
  EXPECT_EQ(state_of(record(hello_message(alpn({"h2"}) + alpn({"h2"})))), kMalformed);
}

TEST(ClientHello, AnEncryptedHelloIsNotedByItsOuterPart) {
  const auto encrypted_with = [](const Bytes& value) {
    ClientHello hello;
    EXPECT_EQ(parse(record(hello_message(extension(0xfe0d, value))), hello), kComplete);
    return hello.encrypted;
  };
  EXPECT_TRUE(encrypted_with({0, 0, 1, 0, 1, 42, 0, 0, 0, 0}));
  EXPECT_FALSE(encrypted_with({1}));
  EXPECT_EQ(state_of(record(hello_message(extension(0xfe0d, {})))), kMalformed);
  const Bytes twice = extension(0xfe0d, {0}) + extension(0xfe0d, {0});
  EXPECT_EQ(state_of(record(hello_message(twice))), kMalformed);
}

TEST(ClientHello, ForgetsWhatItsMemoryHeld) {
  ClientHello hello;
  const Bytes full = server_name("a.example") + alpn({"h2"}) + extension(0xfe0d, {0});
  ASSERT_EQ(parse(record(hello_message(full)), hello), kComplete);
  ASSERT_EQ(parse(record(hello_message({})), hello), kComplete);
  EXPECT_EQ(hello.server_name(), "");
  EXPECT_EQ(hello.alpn_length, 0U);
  EXPECT_FALSE(hello.encrypted);
}

}  // namespace
}  // namespace hawser::l7
