// Tests of the hostile network: cut and joined segments are right, and a seed decides alike.
#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>

#include <gtest/gtest.h>

#include "network/direction.h"
#include "network/segment.h"
#include "random.h"

namespace hawser::adversary {
namespace {

constexpr std::uint8_t kAck = 0x10;

struct Shape {
  bool ipv6 = false;
  std::uint32_t sequence = 1000;
  std::uint32_t acknowledgement = 5000;
  std::uint8_t flags = kAck;
  bool timestamps = true;
  std::uint32_t timestamp = 77;
  std::uint16_t port = 40000;
  std::uint16_t mss = 0;  // 0: says nothing of it
  bool answers = false;   // from the server to the client
};

void append(Frame& frame, std::uint64_t value, unsigned bytes) {
  for (unsigned i = bytes; i > 0; --i) {
    frame.push_back(static_cast<std::uint8_t>(value >> (8 * (i - 1))));
  }
}

// RFC 1071 as its text has it, byte by byte: the oracle of the code's own checksum.
std::uint16_t plain_checksum(const Frame& bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? std::uint64_t{bytes[i]} << 8 : bytes[i];
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

Frame part(const Frame& frame, std::size_t from, std::size_t to) {
  return {frame.begin() + static_cast<std::ptrdiff_t>(from),
          frame.begin() + static_cast<std::ptrdiff_t>(to)};
}

// Lengths and checksums as a sender would write them; zero in `frame` before.
void seal(Frame& frame, bool ipv6) {
  const std::size_t tcp = 14 + (ipv6 ? 40 : 20);
  Frame pseudo = part(frame, ipv6 ? 22 : 26, tcp);
  append(pseudo, 6, 4);
  append(pseudo, frame.size() - tcp, 4);
  const Frame rest = part(frame, tcp, frame.size());
  pseudo.insert(pseudo.end(), rest.begin(), rest.end());
  const std::uint16_t sum = plain_checksum(pseudo);
  frame[tcp + 16] = static_cast<std::uint8_t>(sum >> 8);
  frame[tcp + 17] = static_cast<std::uint8_t>(sum);
  if (ipv6) return;
  const std::uint16_t header = plain_checksum(part(frame, 14, 34));
  frame[24] = static_cast<std::uint8_t>(header >> 8);
  frame[25] = static_cast<std::uint8_t>(header);
}

Frame segment(const Shape& shape, const std::string& payload) {
  Frame frame(12, 2);
  const std::size_t options = (shape.timestamps ? 12U : 0U) + (shape.mss != 0 ? 4U : 0U);
  const std::size_t tcp_length = 20 + options + payload.size();
  if (shape.ipv6) {
    append(frame, 0x86dd, 2);
    append(frame, 0x60000000, 4);
    append(frame, tcp_length, 2);
    append(frame, 0x0640, 2);
    for (unsigned i = 0; i < 32; ++i) frame.push_back(static_cast<std::uint8_t>(i));
  } else {
    append(frame, 0x0800, 2);
    append(frame, 0x45000000 + 20 + tcp_length, 4);
    append(frame, 0x12344000, 4);
    append(frame, 0x40060000, 4);
    append(frame, shape.answers ? 0x0a4d0064 : 0x0a4d0002, 4);
    append(frame, shape.answers ? 0x0a4d0002 : 0x0a4d0064, 4);
  }
  append(frame, shape.answers ? 80 : shape.port, 2);
  append(frame, shape.answers ? shape.port : 80, 2);
  append(frame, shape.sequence, 4);
  append(frame, shape.acknowledgement, 4);
  append(frame, (5 + options / 4) << 4, 1);
  append(frame, shape.flags, 1);
  append(frame, 0xf000, 2);
  append(frame, 0, 4);
  if (shape.timestamps) {
    append(frame, 0x0101080a, 4);
    append(frame, shape.timestamp, 4);
    append(frame, 9, 4);
  }
  if (shape.mss != 0) append(frame, 0x02040000U + shape.mss, 4);
  frame.insert(frame.end(), payload.begin(), payload.end());
  seal(frame, shape.ipv6);
  return frame;
}

std::string payload_of(const Frame& frame) {
  const Segment at = *find_tcp(frame);
  return {frame.begin() + static_cast<std::ptrdiff_t>(at.payload),
          frame.begin() + static_cast<std::ptrdiff_t>(at.end)};
}

std::uint32_t sequence_of(const Frame& frame) {
  const Segment at = *find_tcp(frame);
  return static_cast<std::uint32_t>(frame[at.tcp + 4]) << 24 |
         static_cast<std::uint32_t>(frame[at.tcp + 5]) << 16 |
         static_cast<std::uint32_t>(frame[at.tcp + 6]) << 8 | frame[at.tcp + 7];
}

std::string some_text(std::size_t length) {
  std::string text(length, ' ');
  for (std::size_t i = 0; i < length; ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

TEST(Segments, AreFoundAndTheirChecksumsJudged) {
  for (const bool ipv6 : {false, true}) {
    for (std::size_t length = 0; length < 40; ++length) {
      Frame frame = segment({.ipv6 = ipv6}, some_text(length));
      const auto found = find_tcp(frame);
      ASSERT_TRUE(found);
      EXPECT_EQ(found->length(), length);
      EXPECT_TRUE(checksums_right(frame, *found));
      for (std::size_t at = found->tcp; at < frame.size(); ++at) {
        frame[at] ^= 0x10;
        EXPECT_FALSE(checksums_right(frame, *found)) << at;
        frame[at] ^= 0x10;
      }
      frame.pop_back();
      EXPECT_FALSE(find_tcp(frame)) << "a frame cut short";
    }
  }
}

TEST(Segments, PiecesAreTheWholeAgain) {
  Random random(1);
  for (const bool ipv6 : {false, true}) {
    for (unsigned round = 0; round < 500; ++round) {
      const std::string text = some_text(2 + random.below(1400));
      const Frame whole =
          segment({.ipv6 = ipv6, .sequence = 0xffffff00, .flags = kAck | kPush | kFin}, text);
      const auto pieces = split(whole, *find_tcp(whole), 6, random);
      ASSERT_GE(pieces.size(), 2U);
      ASSERT_LE(pieces.size(), 6U);
      std::string joined;
      for (const Frame& piece : pieces) {
        const Segment at = *find_tcp(piece);
        EXPECT_TRUE(checksums_right(piece, at));
        EXPECT_EQ(sequence_of(piece), 0xffffff00 + static_cast<std::uint32_t>(joined.size()));
        const bool last = &piece == &pieces.back();
        EXPECT_EQ(flags_of(piece, at), last ? kAck | kPush | kFin : kAck);
        EXPECT_EQ(at.payload - at.tcp, 32U) << "the options stay";
        joined += payload_of(piece);
      }
      EXPECT_EQ(joined, text);
    }
  }
}

TEST(Segments, SuccessorsJoin) {
  for (const bool ipv6 : {false, true}) {
    const Frame first = segment({.ipv6 = ipv6, .timestamp = 77}, "mooring ");
    const Shape next = {.ipv6 = ipv6,
                        .sequence = 1008,
                        .acknowledgement = 5001,
                        .flags = kAck | kPush | kFin,
                        .timestamp = 78};
    const auto whole = merge(first, segment(next, "line"), 1500);
    ASSERT_TRUE(whole);
    const Shape wanted = {.ipv6 = ipv6,
                          .sequence = 1000,
                          .acknowledgement = 5001,
                          .flags = kAck | kPush | kFin,
                          .timestamp = 78};
    EXPECT_EQ(*whole, segment(wanted, "mooring line"));
  }
}

TEST(Segments, OthersDoNotJoin) {
  const Frame first = segment({}, "mooring ");
  const auto joins = [&first](const Shape& shape, std::size_t mtu = 1500) {
    return merge(first, segment(shape, "line"), mtu).has_value();
  };
  EXPECT_TRUE(joins({.sequence = 1008}, 64));
  EXPECT_FALSE(joins({.sequence = 1008}, 63)) << "longer than the MTU";
  EXPECT_FALSE(joins({.sequence = 1009})) << "a gap";
  EXPECT_FALSE(joins({.sequence = 1007})) << "an overlap";
  EXPECT_FALSE(joins({.sequence = 1008, .acknowledgement = 4999})) << "an older acknowledgement";
  EXPECT_FALSE(joins({.sequence = 1008, .flags = kAck | kReset})) << "a reset";
  EXPECT_FALSE(joins({.sequence = 1008, .timestamps = false})) << "other options";
  EXPECT_FALSE(joins({.sequence = 1008, .port = 40001})) << "another flow";
  const Frame last = segment({.flags = kAck | kFin}, "mooring ");
  EXPECT_FALSE(merge(last, segment({.sequence = 1009}, "line"), 1500)) << "behind a FIN";
}

constexpr Nanoseconds kMillisecond = 1'000'000;

Faults all_faults() {
  Faults faults;
  EXPECT_EQ(read_faults("loss=0.05,duplicate=0.1,reorder=0.1,jitter=0.1,split=0.3,merge=0.3,"
                        "corrupt=0.02",
                        faults),
            "");
  return faults;
}

// A thousand segments of four flows, one each 0.1 ms; then whatever comes out late.
std::vector<Frame> run(const Faults& faults, std::uint64_t seed, Counts& counts) {
  Announced announced;
  Direction direction(faults, seed, 1500, announced);
  std::vector<Frame> out;
  Nanoseconds now = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const Shape shape = {.sequence = 100 * (i / 4), .port = static_cast<std::uint16_t>(i % 4)};
    direction.put(segment(shape, some_text(100)), now, out);
    now += kMillisecond / 10;
  }
  while (direction.deadline()) {
    now = std::max(now, *direction.deadline());
    direction.tick(now, out);
  }
  counts = direction.counts();
  return out;
}

TEST(Directions, TheSameSeedDecidesAlike) {
  Counts first;
  Counts second;
  Counts third;
  const auto frames = run(all_faults(), 7, first);
  EXPECT_EQ(run(all_faults(), 7, second), frames);
  EXPECT_EQ(first.json(), second.json());
  EXPECT_NE(run(all_faults(), 8, third), frames);
}

TEST(Directions, EveryFaultHappensAboutAsOftenAsAsked) {
  Counts counts;
  const auto frames = run(all_faults(), 7, counts);
  EXPECT_EQ(counts.segments, 1000U);
  EXPECT_EQ(counts.sent, frames.size());
  EXPECT_GT(counts.merged, 200U);
  const double whole = static_cast<double>(counts.segments - counts.merged);
  EXPECT_NEAR(static_cast<double>(counts.split), 0.3 * whole, 60);
  const double pieces = whole + static_cast<double>(counts.pieces - counts.split);
  EXPECT_NEAR(static_cast<double>(counts.lost), 0.05 * pieces, 40);
  EXPECT_NEAR(static_cast<double>(counts.duplicated), 0.1 * pieces, 60);
  EXPECT_NEAR(static_cast<double>(counts.reordered), 0.1 * pieces, 60);
  EXPECT_NEAR(static_cast<double>(counts.corrupted), 0.02 * pieces, 25);
  EXPECT_EQ(static_cast<double>(counts.sent),
            pieces - static_cast<double>(counts.lost) + static_cast<double>(counts.duplicated));
}

TEST(Directions, CutAndJoinedBytesAreThoseThatCame) {
  Faults faults;
  ASSERT_EQ(read_faults("reorder=0.2,jitter=0.2,split=0.5,merge=0.5,duplicate=0.2", faults), "");
  Counts counts;
  std::map<std::string, std::map<std::uint32_t, char>> streams;
  for (const Frame& frame : run(faults, 3, counts)) {
    const Segment at = *find_tcp(frame);
    ASSERT_TRUE(checksums_right(frame, at));
    std::uint32_t sequence = sequence_of(frame);
    for (const char byte : payload_of(frame)) streams[flow_of(frame, at)][sequence++] = byte;
  }
  EXPECT_EQ(streams.size(), 4U);
  for (const auto& [flow, bytes] : streams) {
    ASSERT_EQ(bytes.size(), 25000U);
    for (const auto& [sequence, byte] : bytes) {
      ASSERT_EQ(byte, static_cast<char>('a' + sequence % 100 % 23)) << sequence;
    }
  }
}

TEST(Directions, JoinedSegmentsFitTheReceiver) {
  Faults faults;
  ASSERT_EQ(read_faults("merge=1", faults), "");
  Announced announced;
  Direction there(faults, 1, 1500, announced);
  Direction back(faults, 2, 1500, announced);
  std::vector<Frame> out;
  there.put(segment({.flags = kSyn, .mss = 150}, ""), 0, out);
  out.clear();
  for (std::uint32_t i = 0; i < 10; ++i) {
    const Shape shape = {.sequence = 50 * i, .answers = true};
    back.put(segment(shape, some_text(50)), 0, out);
  }
  back.tick(10 * kMillisecond, out);
  // The MSS of 150 holds 12 bytes of options, and then two segments of 50.
  ASSERT_EQ(out.size(), 5U);
  for (const Frame& frame : out) EXPECT_EQ(payload_of(frame).size(), 100U);
}

TEST(Directions, OtherFramesPassAtOnce) {
  Faults faults;
  ASSERT_EQ(read_faults("loss=1,delay_ms=10", faults), "");
  Announced announced;
  Direction direction(faults, 1, 1500, announced);
  Frame request(60, 1);
  request[12] = 8;
  request[13] = 6;
  std::vector<Frame> out;
  direction.put(request, 0, out);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out.front(), request);
  direction.put(segment({}, "lost"), 0, out);
  EXPECT_EQ(out.size(), 1U);
  EXPECT_FALSE(direction.deadline());
}

TEST(Faults, AreRefusedWithTheReason) {
  Faults faults;
  EXPECT_NE(read_faults("loss=2", faults).find("0 to 1"), std::string::npos);
  EXPECT_NE(read_faults("lost=0.1", faults).find("reorder_span"), std::string::npos);
  EXPECT_NE(read_faults("loss", faults).find("loss=NUMBER"), std::string::npos);
  EXPECT_EQ(faults, Faults{});
}

}  // namespace
}  // namespace hawser::adversary
