// The response to a check: what is read of it, whole, in pieces, and when it has no end.
#include "http_answer.h"

#include <gtest/gtest.h>

#include "hawser/base/limits.h"

namespace hawser::control {
namespace {

using State = HttpAnswer::State;

// In pieces of `each` bytes.
HttpAnswer read(std::string_view bytes, std::size_t each, bool bodyless = false) {
  HttpAnswer answer(bodyless);
  for (std::size_t at = 0; at < bytes.size(); at += each) answer.take(bytes.substr(at, each));
  return answer;
}

struct Row {
  const char* name;
  std::string bytes;
  State state;
  std::uint32_t status;
  std::string body;
  std::string fault;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all{
      {"a body by its length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello!", State::kDone,
       200, "hello", ""},
      {"a body until the end", "HTTP/1.0 200 OK\r\n\r\nhello", State::kBody, 200, "hello", ""},
      {"line feeds alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", State::kDone, 200, "hi", ""},
      {"no reason", "HTTP/1.1 204\r\n\r\n", State::kDone, 204, "", ""},
      {"chunks",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nA: "
       "b\r\n\r\n",
       State::kDone, 200, "hello", ""},
      {"interim answers first",
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 "
       "OK\r\nContent-Length: 0\r\n\r\n",
       State::kDone, 200, "", ""},
      {"no body with 304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", State::kDone,
       304, "", ""},
      {"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", State::kBroken, 0, "", "the answer is no HTTP/1"},
      {"HTTP/2", "HTTP/2 200\r\n\r\n", State::kBroken, 0, "", "the answer is no HTTP/1"},
      {"a status of letters", "HTTP/1.1 2xx OK\r\n\r\n", State::kBroken, 0, "",
       "the answer is no HTTP/1"},
      {"a length of letters", "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n", State::kBroken,
       200, "", "the answer's Content-Length is no number"},
      {"lengths that differ", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
       State::kBroken, 200, "", "the answer's Content-Length is no number"},
      {"chunks without size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
       State::kBroken, 200, "", "the answer's chunks are no HTTP/1"},
      {"a chunk longer than it says",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n", State::kBroken, 200,
       "he", "the answer's chunks are no HTTP/1"},
      {"half a head", "HTTP/1.1 200 OK\r\nContent-", State::kHead, 0, "", ""},
  };
  return all;
}

TEST(HttpAnswer, ReadsEachAnswerWholeAndInPieces) {
  for (const Row& row : rows()) {
    for (const std::size_t each : {row.bytes.size(), std::size_t{7}, std::size_t{1}}) {
      const HttpAnswer answer = read(row.bytes, each);
      EXPECT_EQ(answer.state(), row.state) << row.name << " by " << each;
      EXPECT_EQ(answer.body(), row.body) << row.name << " by " << each;
      EXPECT_EQ(answer.fault(), row.fault) << row.name << " by " << each;
      if (row.state != State::kHead) {
        EXPECT_EQ(answer.status(), row.status) << row.name << " by " << each;
      }
    }
  }
}

TEST(HttpAnswer, NoBodyAfterAHead) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 9, true).state(), State::kDone);
}

TEST(HttpAnswer, FindsHeadersByAnyCase) {
  const HttpAnswer answer = read(
      "HTTP/1.1 200 OK\r\nX-Ready:  yes \r\nx-ready: no\r\nX-Empty:\r\nX-Folded: a\r\n b\r\n\r\n",
      100);
  EXPECT_EQ(answer.header("x-READY"), "yes, no");
  EXPECT_EQ(answer.header("X-Empty"), "");
  EXPECT_EQ(answer.header("X-Folded"), "a b");
  EXPECT_EQ(answer.header("X-Missing"), std::nullopt);
}

TEST(HttpAnswer, AClosedConnectionEndsWhatHasNoLength) {
  HttpAnswer endless = read("HTTP/1.1 200 OK\r\n\r\nhello", 100);
  EXPECT_EQ(endless.end(), State::kDone);
  HttpAnswer half = read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", 100);
  EXPECT_EQ(half.end(), State::kBroken);
  EXPECT_EQ(half.fault(), "closed in the middle of the answer");
  HttpAnswer nothing = read("", 1);
  nothing.end();
  EXPECT_EQ(nothing.fault(), "closed without an answer");
}

TEST(HttpAnswer, EndlessHeadsAreGivenUp) {
  std::string bytes = "HTTP/1.1 200 OK\r\n";
  while (bytes.size() <= limits::kMaxCheckHead) bytes += "X-More: and more\r\n";
  EXPECT_EQ(read(bytes, 1000).fault(), "the answer's head is longer than 32 KiB");
  std::string interim;
  while (interim.size() <= limits::kMaxCheckHead) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(read(interim, 1000).fault(), "the answer's head is longer than 32 KiB");
}

TEST(HttpAnswer, OfEndlessBodiesSoMuchIsRead) {
  HttpAnswer answer(false);
  answer.take("HTTP/1.1 200 OK\r\n\r\n");
  const std::string piece(10'000, 'x');
  for (int i = 0; i < 100; ++i) answer.take(piece);
  EXPECT_EQ(answer.state(), State::kDone);
  EXPECT_EQ(answer.body().size(), limits::kMaxCheckBody);
}

TEST(HttpAnswer, EndlessTrailersAreGivenUp) {
  std::string bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  while (bytes.size() <= 2 * limits::kMaxCheckHead) bytes += "X-More: and more\r\n";
  EXPECT_EQ(read(bytes, 1000).fault(), "the answer's chunks are no HTTP/1");
}

}  // namespace
}  // namespace hawser::control
