// Fuzz target: HTTP/1 heads and chunked bodies, in pieces and against slower readers.
//
// Input: one byte that says what follows (bits 0 and 1: request, response, chunked body; bits 2 and
// 3: the request was HEAD, or CONNECT), one that says where it is cut, then the bytes.
#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "../support/guarded_bytes.h"
#include "hawser/base/bytes.h"
#include "hawser/base/contract.h"
#include "hawser/l7/chunked.h"
#include "hawser/l7/http_head.h"
#include "target.h"

namespace hawser::l7 {
namespace {

using Bytes = std::span<const std::uint8_t>;
// More than a head may have, so that its limit is reached.
constexpr std::size_t kLongest = limits::kMaxHttpHead + 512;

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool within(std::string_view part, Bytes bytes) {
  const std::string_view all = text_of(bytes);
  return part.data() >= all.data() && part.data() + part.size() <= all.data() + all.size();
}

// What every reader of a complete head finds, however it splits lines.
void require_clean(const MessageHead& head, Bytes bytes) {
  HAWSER_REQUIRE(head.length <= std::min(bytes.size(), limits::kMaxHttpHead));
  HAWSER_REQUIRE(head.line_end < head.length);
  const std::string_view text = text_of(bytes.first(head.length));
  HAWSER_REQUIRE(text.ends_with("\r\n\r\n"));
  std::size_t breaks = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    HAWSER_REQUIRE(text[i] != '\0');
    HAWSER_REQUIRE((text[i] == '\r') == (i + 1 < text.size() && text[i + 1] == '\n'));
    breaks += text[i] == '\n' ? 1U : 0U;
  }
  // First line and empty line, and perhaps an empty line before them.
  const std::size_t before = text.starts_with("\r\n") ? 1 : 0;
  HAWSER_REQUIRE(breaks == head.header_count + 2 + before);
  std::size_t at = head.line_end;
  for (const Header& header : head.all()) {
    HAWSER_REQUIRE(!header.name.empty() && within(header.value, bytes));
    HAWSER_REQUIRE(header.name.data() == text.data() + at);
    HAWSER_REQUIRE(text[at + header.name.size()] == ':');
    HAWSER_REQUIRE(header.name.find_first_of(" \t") == std::string_view::npos);
    at = text.find("\r\n", at) + 2;
  }
}

std::size_t count(const MessageHead& head, std::string_view name) {
  const auto all = head.all();
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const Header& header) {
    return equals_ignoring_case(header.name, name);
  }));
}

// Nothing in the head says anything else about where the body ends.
void require_one_framing(const MessageHead& head) {
  const std::size_t lengths = count(head, "content-length");
  const std::size_t encodings = count(head, "transfer-encoding");
  HAWSER_REQUIRE(lengths + encodings <= 1);
  HAWSER_REQUIRE(encodings == 0 || head.minor == 1);
  if (head.framing == Framing::kChunked) {
    HAWSER_REQUIRE(encodings == 1);
    const std::string_view value = head.find("transfer-encoding")->value;
    HAWSER_REQUIRE(equals_ignoring_case(value.substr(value.size() - 7), "chunked"));
  }
  if (head.framing == Framing::kLength) {
    HAWSER_REQUIRE(lengths == 1);
    const std::string_view value = head.find("content-length")->value;
    const std::size_t zeros = std::min(value.find_first_not_of('0'), value.size() - 1);
    HAWSER_REQUIRE(std::to_string(head.content_length) == value.substr(zeros));
  }
}

void require_request(const RequestHead& head, Bytes bytes) {
  require_clean(head, bytes);
  require_one_framing(head);
  HAWSER_REQUIRE(head.framing != Framing::kUntilClose);
  HAWSER_REQUIRE((head.framing == Framing::kNone) ==
                 (count(head, "content-length") + count(head, "transfer-encoding") == 0));
  HAWSER_REQUIRE(within(head.method, bytes) && within(head.target, bytes));
  HAWSER_REQUIRE(head.query.empty() || within(head.query, bytes));
  HAWSER_REQUIRE(head.path.empty() || head.path == "/" || head.path == "*" ||
                 within(head.path, bytes));
  HAWSER_REQUIRE(head.host.empty() ? head.minor == 0 : within(head.host, bytes));
  const std::size_t hosts = count(head, "host");
  HAWSER_REQUIRE(hosts == 1 || (hosts == 0 && head.minor == 0));
  if (hosts == 1) {
    const std::string_view named = head.find("host")->value.substr(0, head.host.size());
    HAWSER_REQUIRE(equals_ignoring_case(named, head.host));
  }
  HAWSER_REQUIRE((head.forwarded_for_end != 0) == (count(head, "x-forwarded-for") != 0));
  HAWSER_REQUIRE(head.forwarded_for_end < head.length);
}

void require_response(const ResponseHead& head, Bytes bytes, bool was_head, bool was_connect) {
  require_clean(head, bytes);
  HAWSER_REQUIRE(head.status >= 100 && head.status <= 599);
  const bool tunnel = head.status == 101 || (was_connect && head.status / 100 == 2);
  const bool bodiless = was_head || head.status < 200 || head.status == 204 || head.status == 304;
  HAWSER_REQUIRE((head.framing == Framing::kNone) == (tunnel || bodiless));
  HAWSER_REQUIRE(head.framing != Framing::kUntilClose || !head.keep_alive);
  if (!(was_connect && head.status / 100 == 2)) require_one_framing(head);
}

// The verdict about all is the verdict about the part, or the part is incomplete. What is complete
// is so by its own bytes and by no fewer.
template <typename Head, typename Parse, typename Check>
void read_head(Bytes bytes, std::size_t cut, Parse parse, Check check) {
  static tests::GuardedBytes whole_memory(kLongest);
  static tests::GuardedBytes part_memory(kLongest);
  static Head head;
  static Head part;
  const Bytes whole = whole_memory.place(bytes);
  const HeadResult result = parse(whole, head);
  HAWSER_REQUIRE((result.state == HeadState::kRefused) == (result.fault != HttpFault::kNone));
  if (result.state == HeadState::kComplete) check(head, whole);
  const auto at = [&](std::size_t length) {
    return parse(part_memory.place(bytes.first(length)), part);
  };
  const HeadResult before = at(cut);
  if (before.state == HeadState::kRefused) HAWSER_REQUIRE(before.fault == result.fault);
  if (before.state == HeadState::kComplete) {
    HAWSER_REQUIRE(result.state == HeadState::kComplete && head.length <= cut);
  }
  if (result.state != HeadState::kComplete) return;
  HAWSER_REQUIRE(at(head.length).state == HeadState::kComplete);
  HAWSER_REQUIRE(part.length == head.length && part.framing == head.framing);
  HAWSER_REQUIRE(at(head.length - 1).state == HeadState::kIncomplete);
}

struct Body {
  ChunkedReader::State state = ChunkedReader::State::kReading;
  HttpFault fault = HttpFault::kNone;
  std::string data;
  std::size_t used = 0;
  std::uint64_t to_skip = 0;

  friend bool operator==(const Body&, const Body&) = default;
};

void feed(ChunkedReader& reader, Bytes piece, Body& body) {
  while (!piece.empty() && body.fault == HttpFault::kNone &&
         body.state != ChunkedReader::State::kComplete) {
    if (body.to_skip != 0) {
      const std::size_t there = std::min<std::uint64_t>(body.to_skip, piece.size());
      body.data += text_of(piece.first(there));
      body.to_skip -= there;
      body.used += there;
      piece = piece.subspan(there);
      continue;
    }
    const ChunkedReader::Step step = reader.read(piece);
    HAWSER_REQUIRE(step.used <= piece.size());
    HAWSER_REQUIRE((step.skip != 0) == (step.state == ChunkedReader::State::kSkipping));
    HAWSER_REQUIRE(step.state != ChunkedReader::State::kReading || step.used == piece.size());
    body.state = step.state;
    body.fault = step.fault;
    body.to_skip = step.skip;
    body.used += step.used;
    piece = piece.subspan(step.used);
  }
}

// The data of a complete body, written anew in one chunk, is the same.
void require_same_data(const Body& body) {
  std::array<char, 20> size{};
  std::snprintf(size.data(), size.size(), "%zX", body.data.size());
  std::string again;
  if (!body.data.empty()) again = std::string(size.data()) + "\r\n" + body.data + "\r\n";
  again += "0\r\n\r\n";
  ChunkedReader reader;
  Body second;
  feed(reader, {reinterpret_cast<const std::uint8_t*>(again.data()), again.size()}, second);
  HAWSER_REQUIRE(second.state == ChunkedReader::State::kComplete);
  HAWSER_REQUIRE(second.data == body.data && second.used == again.size());
}

void read_body(Bytes bytes, std::size_t cut) {
  static tests::GuardedBytes memory(kLongest);
  const Bytes placed = memory.place(bytes);
  const auto in_pieces = [&](std::size_t first, std::size_t then) {
    ChunkedReader reader;
    Body body;
    feed(reader, placed.first(first), body);
    for (std::size_t at = first; at < placed.size(); at += then) {
      feed(reader, placed.subspan(at, std::min(then, placed.size() - at)), body);
    }
    return body;
  };
  const Body whole = in_pieces(placed.size(), 1);
  HAWSER_REQUIRE(in_pieces(cut, placed.size()) == whole);
  HAWSER_REQUIRE(in_pieces(0, 1) == whole);
  if (whole.state == ChunkedReader::State::kComplete) require_same_data(whole);
}

}  // namespace
}  // namespace hawser::l7

void fuzz_one(std::span<const std::uint8_t> input) {
  using namespace hawser;
  using namespace hawser::l7;
  Reader reader(input);
  std::uint8_t kind = 0;
  std::uint8_t place = 0;
  if (!reader.read(kind) || !reader.read(place)) return;
  const Bytes bytes = reader.rest().first(std::min(reader.remaining(), kLongest));
  const std::size_t cut = bytes.size() * place / 256;
  const bool was_head = (kind & 4U) != 0;
  const bool was_connect = (kind & 8U) != 0;
  switch (kind & 3U) {
    case 0:
      read_head<RequestHead>(bytes, cut, parse_request_head, require_request);
      break;
    case 1:
      read_head<ResponseHead>(
          bytes, cut,
          [&](Bytes part, ResponseHead& head) {
            return parse_response_head(part, was_head, was_connect, head);
          },
          [&](const ResponseHead& head, Bytes part) {
            require_response(head, part, was_head, was_connect);
          });
      break;
    default:
      read_body(bytes, cut);
  }
}
