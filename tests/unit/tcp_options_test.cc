// TCP options: golden segments, malformed ones, and changes with their checksums.
#include "hawser/l4/tcp_options.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "hawser/net/tcp.h"

namespace hawser::l4 {
namespace {

using Bytes = std::vector<std::uint8_t>;

// A header with these options, its checksum field zero; no payload and no pseudo-header.
Bytes header_with(const Bytes& options) {
  constexpr std::array<std::uint8_t, sizeof(net::TcpHeader)> kSyn{
      0xd4, 0x31, 0x00, 0x50, 0x12, 0x34, 0x56, 0x78, 0x00, 0x00,
      0x00, 0x00, 0x50, 0x02, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00};
  Bytes header(kSyn.size() + options.size());
  std::copy(kSyn.begin(), kSyn.end(), header.begin());
  std::copy(options.begin(), options.end(), header.begin() + kSyn.size());
  header[12] = static_cast<std::uint8_t>(header.size() / 4 << 4U);
  return header;
}

Bytes options_of(const Bytes& header) {
  return {header.begin() + sizeof(net::TcpHeader), header.end()};
}

// Applies `change` to a header with `options`; the options afterwards. Its result must say whether
// they changed and the delta must lead to the checksum that summing anew has.
template <typename Change>
Bytes changed(const Bytes& options, Change change) {
  Bytes header = header_with(options);
  const net::Big16 before = net::checksum(header);
  net::ChecksumDelta delta;
  const bool said = change(std::span<std::uint8_t>(header), delta);
  EXPECT_EQ(said, options_of(header) != options);
  EXPECT_EQ(delta.apply(before).host(), net::checksum(header).host());
  return options_of(header);
}

Bytes clamped(const Bytes& options, std::uint16_t most) {
  return changed(options, [&](auto header, auto& delta) { return clamp_mss(header, most, delta); });
}

Bytes blanked(const Bytes& options) {
  return changed(options, [](auto header, auto& delta) { return blank_sack(header, delta); });
}

Bytes opened(const Bytes& options) {
  return changed(options, [](auto header, auto& delta) { return open_option_end(header, delta); });
}

// SYN of a connection over the loopback of Linux 6.18, captured with a packet socket.
TEST(TcpOptions, ReadsTheSynOfLinux) {
  const Bytes options{0x02, 0x04, 0xff, 0xd7, 0x04, 0x02, 0x08, 0x0a, 0x6b, 0xb4,
                      0xad, 0x3c, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x0a};
  const auto read = read_tcp_options(options);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->mss, 65495);  // the longest IPv4 packet less two headers of 20 bytes
  EXPECT_EQ(read->window_scale, 10);
  EXPECT_TRUE(read->sack_permitted);
  EXPECT_EQ(read->sack_blocks, 0);
  EXPECT_EQ(read->timestamps, (TcpTimestamps{.value = 0x6bb4ad3c, .echo = 0}));
}

// The segment after it, from the same capture.
TEST(TcpOptions, ReadsTheTimestampsOfAnAck) {
  const Bytes options{0x01, 0x01, 0x08, 0x0a, 0x6b, 0xb4, 0xad, 0x3c, 0xe7, 0x75, 0xad, 0xac};
  TcpOptions expected;
  expected.timestamps = TcpTimestamps{.value = 0x6bb4ad3c, .echo = 0xe775adac};
  EXPECT_EQ(read_tcp_options(options), expected);
}

TEST(TcpOptions, NoOptionsAreWellFormed) {
  EXPECT_EQ(read_tcp_options({}), TcpOptions{});
  EXPECT_EQ(read_tcp_options(Bytes{1, 1, 1, 1}), TcpOptions{});
  EXPECT_EQ(read_tcp_options(Bytes{0, 2, 200, 9}), TcpOptions{}) << "behind the end is padding";
}

TEST(TcpOptions, PassesOverWhatItDoesNotKnow) {
  const auto read = read_tcp_options(Bytes{34, 2, 253, 6, 1, 2, 3, 4, 2, 4, 5, 0xb4});
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->mss, 1460);
}

TEST(TcpOptions, CountsTheBlocksOfASack) {
  Bytes options{1, 1, 5, 26};
  options.resize(28);
  EXPECT_EQ(read_tcp_options(options)->sack_blocks, 3);
}

TEST(TcpOptions, TheLastOfARepeatedOptionCounts) {
  EXPECT_EQ(read_tcp_options(Bytes{2, 4, 1, 0, 2, 4, 2, 0})->mss, 512);
}

TEST(TcpOptions, TakesAGreaterWindowScaleForFourteen) {
  EXPECT_EQ(read_tcp_options(Bytes{3, 3, 14, 1})->window_scale, 14);
  EXPECT_EQ(read_tcp_options(Bytes{3, 3, 15, 1})->window_scale, 14);
  EXPECT_EQ(read_tcp_options(Bytes{3, 3, 255, 1})->window_scale, 14);
}

TEST(TcpOptions, RefusesMalformedOnes) {
  for (const Bytes& options : std::initializer_list<Bytes>{
           {2},                                       // no room for a length
           {1, 1, 1, 8},                              // the same behind NOPs
           {99, 0, 1, 1},                             // a length below two
           {99, 1, 1, 1},                             // the same
           {99, 5, 1, 1},                             // beyond the end
           {2, 3, 5, 1},                              // MSS of one byte
           {2, 5, 5, 1, 1},                           // MSS of three
           {3, 2, 1, 1},                              // window scale of none
           {4, 3, 0, 1},                              // SACK-permitted with a value
           {5, 2, 1, 1},                              // SACK without blocks
           {5, 9, 0, 0, 0, 0, 0, 0, 0},               // SACK of part of a block
           {8, 8, 0, 0, 0, 0, 0, 0},                  // timestamps too short
           {8, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},  // and too long
       }) {
    EXPECT_EQ(read_tcp_options(options), std::nullopt) << testing::PrintToString(options);
  }
}

TEST(ClampMss, LowersWhatIsAboveAndNothingElse) {
  EXPECT_EQ(clamped({2, 4, 0x05, 0xb4, 3, 3, 7, 1}, 1400), (Bytes{2, 4, 0x05, 0x78, 3, 3, 7, 1}));
  EXPECT_EQ(clamped({2, 4, 0x05, 0xb4}, 1460), (Bytes{2, 4, 0x05, 0xb4}));
  EXPECT_EQ(clamped({2, 4, 0x05, 0xb4}, 9000), (Bytes{2, 4, 0x05, 0xb4}));
  EXPECT_EQ(clamped({}, 500), Bytes{});
  EXPECT_EQ(clamped({1, 1, 4, 2}, 500), (Bytes{1, 1, 4, 2}));
}

TEST(ClampMss, KeepsTheChecksumAtAnOddByteToo) {
  EXPECT_EQ(clamped({1, 2, 4, 0xff, 0xff, 1, 1, 1}, 0x1234), (Bytes{1, 2, 4, 0x12, 0x34, 1, 1, 1}));
}

TEST(ClampMss, LowersEachOfARepeatedOption) {
  EXPECT_EQ(clamped({2, 4, 9, 9, 2, 4, 8, 8}, 0x0102), (Bytes{2, 4, 1, 2, 2, 4, 1, 2}));
}

TEST(ClampMss, LeavesAloneWhatIsNoMss) {
  EXPECT_EQ(clamped({2, 3, 0xff, 1}, 500), (Bytes{2, 3, 0xff, 1})) << "wrong length";
  EXPECT_EQ(clamped({0, 2, 4, 0xff, 0xff, 0, 0, 0}, 500), (Bytes{0, 2, 4, 0xff, 0xff, 0, 0, 0}))
      << "behind the end";
  EXPECT_EQ(clamped({9, 0, 2, 4, 0xff, 0xff, 1, 1}, 500), (Bytes{9, 0, 2, 4, 0xff, 0xff, 1, 1}))
      << "behind a malformed option";
}

TEST(BlankSack, BecomesNops) {
  EXPECT_EQ(blanked({1, 1, 5, 10, 9, 9, 9, 9, 8, 8, 8, 8}), Bytes(12, 1));
  EXPECT_EQ(blanked({1, 5, 10, 9, 9, 9, 9, 8, 8, 8, 8, 1}), Bytes(12, 1)) << "at an odd byte";
  EXPECT_EQ(blanked({4, 2, 1, 1}), (Bytes{4, 2, 1, 1})) << "SACK-permitted stays";
}

TEST(BlankSack, FillsAllOfAFullHeader) {
  Bytes options(40, 0x77);
  std::fill_n(options.begin(), 6, std::uint8_t{1});
  options[6] = 5;
  options[7] = 34;
  EXPECT_EQ(blanked(options), Bytes(40, 1));
}

TEST(OpenOptionEnd, MakesRoomForOneMore) {
  EXPECT_EQ(opened({4, 2, 0, 0}), (Bytes{4, 2, 1, 1}));
  EXPECT_EQ(opened({2, 4, 5, 0xb4, 3, 3, 6, 0}), (Bytes{2, 4, 5, 0xb4, 3, 3, 6, 1}));
  EXPECT_EQ(opened({2, 4, 5, 0xb4}), (Bytes{2, 4, 5, 0xb4})) << "nothing to open";
  EXPECT_EQ(opened({9, 0, 0, 0}), (Bytes{9, 0, 0, 0})) << "malformed";
  EXPECT_EQ(opened({}), Bytes{});
}

TEST(OptionFits, UpToFifteenWords) {
  static_assert(option_fits(20, 40) && option_fits(52, 8) && option_fits(40, 20));
  static_assert(!option_fits(20, 44) && !option_fits(56, 8) && !option_fits(44, 20));
  static_assert(!option_fits(20, 10), "not whole words");
  SUCCEED();
}

// --- random options, made from what they are to mean ---------------------------------------------

struct Made {
  Bytes options;
  TcpOptions meaning;
  std::size_t mss_at = 0;  // of its value, bytes from the start of the options
};

Made random_options(std::mt19937& random) {
  Made made;
  const auto byte = [&] { return static_cast<std::uint8_t>(random()); };
  const auto put = [&](std::initializer_list<std::uint8_t> bytes) {
    made.options.insert(made.options.end(), bytes);
  };
  std::array<int, 5> order{0, 1, 2, 3, 4};
  std::shuffle(order.begin(), order.end(), random);
  for (const int which : order) {
    for (auto nops = random() % 3; nops > 0; --nops) put({kTcpOptionNop});
    if (random() % 3 == 0 || made.options.size() > 24) continue;
    if (which == 0) {
      const std::uint8_t high = byte();
      const std::uint8_t low = byte();
      put({2, 4, high, low});
      made.mss_at = made.options.size() - 2;
      made.meaning.mss = static_cast<std::uint16_t>(high * 256 + low);
    } else if (which == 1) {
      const auto shift = static_cast<std::uint8_t>(random() % 15);
      put({3, 3, shift});
      made.meaning.window_scale = shift;
    } else if (which == 2) {
      put({4, 2});
      made.meaning.sack_permitted = true;
    } else if (which == 3) {
      put({5, 10, byte(), byte(), byte(), byte(), byte(), byte(), byte(), byte()});
      made.meaning.sack_blocks = 1;
    } else {
      const std::uint8_t value = byte();
      put({8, 10, 0, 0, 0, value, 0, 1, 0, 0});
      made.meaning.timestamps = TcpTimestamps{.value = value, .echo = 0x10000};
    }
  }
  while (made.options.size() % 4 != 0) put({kTcpOptionNop});
  return made;
}

TEST(TcpOptions, RandomOnesAreReadAndChangedAsTheyWereMeant) {
  std::mt19937 random(4);
  int odd = 0;
  for (int round = 0; round < 50'000; ++round) {
    const Made made = random_options(random);
    ASSERT_LE(made.options.size(), 40U);
    ASSERT_EQ(read_tcp_options(made.options), made.meaning);

    const auto most = static_cast<std::uint16_t>(random());
    Bytes expected = made.options;
    if (made.meaning.mss && *made.meaning.mss > most) {
      expected[made.mss_at] = static_cast<std::uint8_t>(most >> 8U);
      expected[made.mss_at + 1] = static_cast<std::uint8_t>(most);
      odd += static_cast<int>(made.mss_at % 2);
    }
    ASSERT_EQ(clamped(made.options, most), expected);

    TcpOptions without = made.meaning;
    without.sack_blocks = 0;
    ASSERT_EQ(read_tcp_options(blanked(made.options)), without);
  }
  EXPECT_GT(odd, 1000) << "odd places were tried";
}

}  // namespace
}  // namespace hawser::l4
