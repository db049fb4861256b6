// The chunked coding: each row fed whole, byte by byte, and split at every position.
#include "hawser/l7/chunked.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "../support/guarded_bytes.h"
#include "hawser/base/limits.h"

namespace hawser::l7 {
namespace {

using namespace std::string_literals;
using enum HttpFault;
using State = ChunkedReader::State;

struct Row {
  const char* title;
  std::string bytes;
  State state;
  HttpFault fault;
  std::string data;        // of all chunks, as far as it is there
  std::size_t behind = 0;  // bytes behind the end, or from the wrong byte on
};

Row good(const char* title, std::string bytes, std::string data, std::size_t behind = 0) {
  return {title, std::move(bytes), State::kComplete, kNone, std::move(data), behind};
}
Row bad(const char* title, std::string bytes, HttpFault fault, std::size_t behind,
        std::string data = "") {
  return {title, std::move(bytes), State::kRefused, fault, std::move(data), behind};
}
Row more(const char* title, std::string bytes, State state, std::string data = "") {
  return {title, std::move(bytes), state, kNone, std::move(data), 0};
}

std::string trailers(std::size_t size) {
  return "0\r\n" + ("A: " + std::string(size - 7, 'x')) + "\r\n\r\n";
}
std::string size_line(std::size_t size) {
  return "1;" + std::string(size - 4, 'x') + "\r\n";
}

const std::vector<Row> kGood{
    good("An empty body.", "0\r\n\r\n", ""),
    good("What follows is not read.", "0\r\n\r\n5\r\n", "", 3),
    good("One chunk.", "5\r\nhello\r\n0\r\n\r\n", "hello"),
    good("Two chunks.", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"),
    good("Digits in lower case.", "a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    good("Digits in upper case.", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    good("Two digits.", "10\r\n0123456789abcdef\r\n0\r\n\r\n", "0123456789abcdef"),
    good("Data that looks like the end.", "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", "\r\n0\r\n\r\n"),
    good("Leading zeros.", "0005\r\nhello\r\n000\r\n\r\n", "hello"),
    good("Sixteen digits.", "0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", "hello"),
    good("An extension.", "5;a\r\nhello\r\n0;b\r\n\r\n", "hello"),
    good("An extension with a value.", "5;a=b;c=\"d e;\\\"\"\r\nhello\r\n0\r\n\r\n", "hello"),
    good("Blanks around an extension.", "5 \t; a = b \r\nhello\r\n0\r\n\r\n", "hello"),
    good("An empty extension.", "5;\r\nhello\r\n0\r\n\r\n", "hello"),
    good("Bytes above ASCII in an extension.", "5;\xff\r\nhello\r\n0\r\n\r\n", "hello"),
    good("An extension as long as is taken.", size_line(limits::kMaxChunkLine) + "x\r\n0\r\n\r\n",
         "x"),
    good("Lines count one by one.",
         size_line(limits::kMaxChunkLine) + "x\r\n" + size_line(limits::kMaxChunkLine) +
             "y\r\n0\r\n\r\n",
         "xy"),
    good("A trailer.", "0\r\nA: b\r\n\r\n", ""),
    good("Two trailers behind data.", "1\r\nx\r\n0\r\nA: b\r\nC:\td\xff\r\n\r\n", "x"),
    good("A trailer without value.", "0\r\nA:\r\n\r\n", ""),
    good("Trailers as long as are taken.", trailers(limits::kMaxTrailers), ""),
};

const std::vector<Row> kUnfinished{
    more("Nothing.", "", State::kReading),
    more("Part of a size.", "5", State::kReading),
    more("A size and its CR.", "5\r", State::kReading),
    more("A size.", "5\r\n", State::kSkipping),
    more("The largest size.", "7fffffffffffffff\r\nx", State::kSkipping, "x"),
    more("Part of the data.", "5\r\nhel", State::kSkipping, "hel"),
    more("The data.", "5\r\nhello", State::kReading, "hello"),
    more("The data and its CR.", "5\r\nhello\r", State::kReading, "hello"),
    more("The data and its end.", "5\r\nhello\r\n", State::kReading, "hello"),
    more("The last size.", "0\r\n", State::kReading),
    more("Half of the end.", "0\r\n\r", State::kReading),
    more("A trailer.", "0\r\nA: b\r\n", State::kReading),
};

const std::vector<Row> kBad{
    // Sizes.
    bad("No size.", "\r\nhello", kBadChunkSize, 7),
    bad("No size but an LF.", "\nhello", kBadChunkSize, 6),
    bad("An extension without size.", ";a\r\n", kBadChunkSize, 4),
    bad("No digit.", "g\r\n", kBadChunkSize, 3),
    bad("A slash, which lies before the digits.", "/\r\n", kBadChunkSize, 3),
    bad("A colon, which lies behind the digits.", ":\r\n", kBadChunkSize, 3),
    bad("An at sign, which lies before the letters.", "@\r\n", kBadChunkSize, 3),
    bad("A grave accent, which lies before the letters.", "`\r\n", kBadChunkSize, 3),
    bad("A prefix.", "0x10\r\n", kBadChunkSize, 5),
    bad("A plus.", "+5\r\n", kBadChunkSize, 4),
    bad("A minus.", "-5\r\n", kBadChunkSize, 4),
    bad("A blank before the size.", " 5\r\n", kBadChunkSize, 4),
    bad("A blank behind the size.", "5 \r\n", kBadChunkSize, 2),
    bad("A tab behind the size.", "5\t\r\n", kBadChunkSize, 2),
    bad("A blank in the size.", "1 0\r\n", kBadChunkSize, 3),
    bad("A fraction.", "5.0\r\n", kBadChunkSize, 4),
    bad("A comma.", "5,a\r\n", kBadChunkSize, 4),
    bad("A zero byte.", "5\0\r\n"s, kBadChunkSize, 3),
    bad("A byte above ASCII.", "\xb5\r\n", kBadChunkSize, 3),
    bad("Seventeen digits.", "10000000000000000\r\n", kBadChunkSize, 3),
    bad("Seventeen digits that are zeros.", "00000000000000000\r\n", kBadChunkSize, 3),
    bad("Seventeen digits, most of them zeros.", "00000000000000005\r\n", kBadChunkSize, 3),
    bad("2^63.", "8000000000000000\r\n", kBadChunkSize, 3),
    bad("2^64 - 1.", "ffffffffffffffff\r\n", kBadChunkSize, 3),
    bad("The second size is wrong.", "1\r\nx\r\nx\r\n", kBadChunkSize, 3, "x"),
    bad("The second size has too many digits.", "1\r\nx\r\n00000000000000001\r\n", kBadChunkSize, 3,
        "x"),
    bad("A control character in an extension.", "5;a\x01\r\n", kBadChunkSize, 3),
    bad("A zero byte in an extension.", "5;\0\r\n"s, kBadChunkSize, 3),
    bad("A vertical tab in an extension.", "5;\v\r\n", kBadChunkSize, 3),
    bad("An extension one byte too long.", size_line(limits::kMaxChunkLine + 1), kBadChunkSize, 1),
    // Line ends.
    bad("An LF behind the size.", "5\nhello\r\n", kBadChunkEnd, 8),
    bad("A CR behind the size.", "5\rhello\r\n", kBadChunkEnd, 7),
    bad("Two CR behind the size.", "5\r\r\nhello", kBadChunkEnd, 7),
    bad("An LF behind the last size.", "0\n\n", kBadChunkEnd, 2),
    bad("An LF behind an extension.", "5;a\nhello\r\n", kBadChunkEnd, 8),
    bad("A CR in an extension.", "5;a\rb\r\n", kBadChunkEnd, 3),
    bad("An LF in a quoted extension.", "5;a=\"\n\"\r\n", kBadChunkEnd, 4),
    bad("No line end behind the data.", "5\r\nhello0\r\n\r\n", kBadChunkEnd, 5, "hello"),
    bad("An LF behind the data.", "5\r\nhello\n0\r\n", kBadChunkEnd, 4, "hello"),
    bad("A CR behind the data.", "5\r\nhello\r0\r\n", kBadChunkEnd, 3, "hello"),
    bad("More data than was said.", "4\r\nhello\r\n", kBadChunkEnd, 3, "hell"),
    bad("Less data than was said.", "6\r\nhello\r\n0\r\n", kBadChunkEnd, 4, "hello\r"),
    // Trailers.
    bad("An LF instead of the empty line.", "0\r\n\n", kBadTrailer, 1),
    bad("A CR instead of the empty line.", "0\r\n\rx", kBadTrailer, 1),
    bad("The next request without the empty line.", "0\r\nGET / HTTP/1.1\r\n", kBadTrailer, 13),
    bad("A trailer without colon.", "0\r\nA\r\n\r\n", kBadTrailer, 4),
    bad("A trailer without name.", "0\r\n: b\r\n\r\n", kBadTrailer, 7),
    bad("A blank before the colon.", "0\r\nA : b\r\n\r\n", kBadTrailer, 8),
    bad("A folded trailer.", "0\r\nA: b\r\n c\r\n\r\n", kBadTrailer, 6),
    bad("An LF behind a trailer.", "0\r\nA: b\n\r\n", kBadTrailer, 3),
    bad("A CR in a trailer.", "0\r\nA: b\rc\r\n", kBadTrailer, 3),
    bad("A zero byte in a trailer.", "0\r\nA: \0\r\n"s, kBadTrailer, 3),
    bad("A control character in a trailer.", "0\r\nA: \x1f\r\n", kBadTrailer, 3),
    bad("A byte above ASCII in a name.", "0\r\n\xc3: b\r\n", kBadTrailer, 6),
    bad("Trailers one byte too long.", trailers(limits::kMaxTrailers + 1), kBadTrailer, 1),
};

struct Outcome {
  State state = State::kReading;
  HttpFault fault = kNone;
  std::string data;
  std::size_t end = 0;  // bytes used, chunk data among them

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// One body that comes in pieces.
class Feeder {
 public:
  void feed(std::span<const std::uint8_t> piece) {
    while (!piece.empty() || fresh_) {
      fresh_ = false;
      if (to_skip_ != 0) {
        const std::size_t there = std::min<std::uint64_t>(to_skip_, piece.size());
        outcome_.data.append(reinterpret_cast<const char*>(piece.data()), there);
        to_skip_ -= there;
        advance(piece, there);
        if (to_skip_ == 0) outcome_.state = State::kReading;
        continue;
      }
      const ChunkedReader::Step step = reader_.read(piece);
      ASSERT_LE(step.used, piece.size());
      ASSERT_EQ(step.skip != 0, step.state == State::kSkipping);
      advance(piece, step.used);
      outcome_.state = step.state;
      outcome_.fault = step.fault;
      to_skip_ = step.skip;
      if (step.state == State::kReading) {
        ASSERT_TRUE(piece.empty());
      }
      if (step.state == State::kComplete || step.state == State::kRefused) return;
    }
  }
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }

 private:
  void advance(std::span<const std::uint8_t>& piece, std::size_t count) {
    piece = piece.subspan(count);
    outcome_.end += count;
  }

  ChunkedReader reader_;
  Outcome outcome_;
  std::uint64_t to_skip_ = 0;
  bool fresh_ = true;  // even nothing is read once
};

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

class Chunked : public testing::TestWithParam<const std::vector<Row>*> {};
INSTANTIATE_TEST_SUITE_P(Good, Chunked, testing::Values(&kGood));
INSTANTIATE_TEST_SUITE_P(Unfinished, Chunked, testing::Values(&kUnfinished));
INSTANTIATE_TEST_SUITE_P(Bad, Chunked, testing::Values(&kBad));

TEST_P(Chunked, EachRowHasItsVerdictHoweverItComes) {
  for (const Row& row : *GetParam()) {
    SCOPED_TRACE(row.title);
    const Outcome wanted{row.state, row.fault, row.data, row.bytes.size() - row.behind};
    tests::GuardedBytes guarded(row.bytes.size());
    const auto whole = guarded.place(bytes_of(row.bytes));

    Feeder at_once;
    at_once.feed(whole);
    ASSERT_EQ(at_once.outcome().state, wanted.state);
    ASSERT_EQ(at_once.outcome().fault, wanted.fault);
    ASSERT_EQ(at_once.outcome().data, wanted.data);
    ASSERT_EQ(at_once.outcome().end, wanted.end);

    Feeder byte_by_byte;
    for (std::size_t i = 0; i < whole.size(); ++i) byte_by_byte.feed(whole.subspan(i, 1));
    if (!whole.empty()) {
      ASSERT_EQ(byte_by_byte.outcome(), wanted);
    }

    for (std::size_t split = 0; split <= whole.size(); ++split) {
      Feeder in_two;
      in_two.feed(whole.first(split));
      in_two.feed(whole.subspan(split));
      ASSERT_EQ(in_two.outcome(), wanted) << "split at " << split;
    }
  }
}

TEST_P(Chunked, NoPrefixIsCompleteOrHasAnotherFault) {
  for (const Row& row : *GetParam()) {
    SCOPED_TRACE(row.title);
    const std::size_t end = row.bytes.size() - row.behind;
    for (std::size_t length = 0; length <= row.bytes.size(); ++length) {
      Feeder feeder;
      feeder.feed(bytes_of(row.bytes).first(length));
      const Outcome& outcome = feeder.outcome();
      ASSERT_EQ(outcome.state == State::kComplete, row.state == State::kComplete && length >= end)
          << length;
      // The wrong byte is told as soon as it is there.
      ASSERT_EQ(outcome.fault, length > end ? row.fault : kNone) << length;
    }
  }
}

TEST(ChunkedReader, SaysTheSizeOfTheData) {
  for (const auto& [text, size] : std::vector<std::pair<std::string, std::uint64_t>>{
           {"1\r\n", 1},
           {"fF\r\n", 255},
           {"0123456789abcde\r\n", 0x123456789abcde},
           {"7FFFFFFFFFFFFFFF\r\n", INT64_MAX},
       }) {
    ChunkedReader reader;
    const auto step = reader.read(bytes_of(text));
    EXPECT_EQ(step.state, State::kSkipping) << text;
    EXPECT_EQ(step.skip, size) << text;
    EXPECT_EQ(step.used, text.size()) << text;
  }
}

TEST(ChunkedReader, StaysWhereItEnded) {
  ChunkedReader complete;
  EXPECT_EQ(complete.read(bytes_of("0\r\n\r\n")).state, State::kComplete);
  ChunkedReader refused;
  EXPECT_EQ(refused.read(bytes_of("5\n")).fault, kBadChunkEnd);
  for (const std::string& more : {""s, "5\r\n"s, "\r\n"s}) {
    const auto again = complete.read(bytes_of(more));
    EXPECT_EQ(again.state, State::kComplete);
    EXPECT_EQ(again.used, 0U);
    const auto still = refused.read(bytes_of(more));
    EXPECT_EQ(still.state, State::kRefused);
    EXPECT_EQ(still.fault, kBadChunkEnd);
    EXPECT_EQ(still.used, 0U);
  }
}

}  // namespace
}  // namespace hawser::l7
