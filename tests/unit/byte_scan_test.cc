// The search for bytes outside a set: 32 at a time against one at a time.
#include "hawser/l7/byte_scan.h"

#include <random>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "../support/guarded_bytes.h"

namespace hawser::l7 {
namespace {

// The sets once more, as the RFCs write them down.
bool expected(ByteSet set, unsigned byte) {
  const bool visible = byte >= 0x21 && byte <= 0x7e;
  switch (set) {
    case ByteSet::kToken:
      return visible && std::string_view("\"(),/:;<=>?@[\\]{}").find(static_cast<char>(byte)) ==
                            std::string_view::npos;
    case ByteSet::kTarget:
      return visible && byte != '#';
    case ByteSet::kValue:
      return visible || byte == ' ' || byte == '\t' || byte >= 0x80;
  }
  return false;
}

template <ByteSet kSet>
void expect_same(std::span<const std::uint8_t> bytes, std::size_t from) {
  const std::uint8_t* end = bytes.data() + bytes.size();
  const std::uint8_t* at = bytes.data() + from;
  ASSERT_EQ(find_outside<kSet>(bytes.data(), at, end) - at,
            find_outside_bytewise<kSet>(at, end) - at)
      << bytes.size() << " bytes from " << from;
}

// Each byte at each place of each short length, before an unreadable page.
template <ByteSet kSet>
void expect_each_byte_found() {
  constexpr std::size_t kMost = 70;
  tests::GuardedBytes guarded(kMost);
  for (unsigned byte = 0; byte < 256; ++byte) {
    ASSERT_EQ(is_in(kSet, static_cast<std::uint8_t>(byte)), expected(kSet, byte)) << byte;
    ASSERT_EQ(kByteTable<kSet>[byte], expected(kSet, byte)) << byte;
    for (std::size_t length = 1; length <= kMost; ++length) {
      for (std::size_t place = 0; place < length; ++place) {
        std::vector<std::uint8_t> bytes(length, 'a');
        bytes[place] = static_cast<std::uint8_t>(byte);
        const auto placed = guarded.place(bytes);
        const std::uint8_t* end = placed.data() + length;
        const std::size_t wanted = expected(kSet, byte) ? length : place;
        ASSERT_EQ(find_outside<kSet>(placed.data(), placed.data(), end), placed.data() + wanted)
            << byte << " at " << place << " of " << length;
      }
    }
  }
}

TEST(ByteScan, FindsEachByteWhereItIs) {
  expect_each_byte_found<ByteSet::kToken>();
  expect_each_byte_found<ByteSet::kTarget>();
  expect_each_byte_found<ByteSet::kValue>();
}

TEST(ByteScan, FindsWhatTheOtherFindsInRandomBytes) {
  std::mt19937 random(7);
  tests::GuardedBytes guarded(300);
  for (int i = 0; i < 20000; ++i) {
    std::vector<std::uint8_t> bytes(random() % 300);
    // Few bytes are outside, so that long runs happen.
    const auto odds = 1 + random() % 100;
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(random() % odds == 0 ? random() : 'a' + random() % 26);
    }
    const auto placed = guarded.place(bytes);
    const std::size_t from = bytes.empty() ? 0 : random() % bytes.size();
    expect_same<ByteSet::kToken>(placed, from);
    expect_same<ByteSet::kTarget>(placed, from);
    expect_same<ByteSet::kValue>(placed, from);
  }
}

}  // namespace
}  // namespace hawser::l7
