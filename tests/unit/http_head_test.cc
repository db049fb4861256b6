// HTTP/1 heads: each row of the tables whole, cut at every byte, and before an unreadable page.
#include "hawser/l7/http_head.h"

#include <algorithm>
#include <array>
#include <set>

#include <gtest/gtest.h>

#include "../support/allocations.h"
#include "../support/guarded_bytes.h"
#include "http_line_rows.h"
#include "http_meaning_rows.h"
#include "http_response_rows.h"

namespace hawser::l7 {
namespace {

using rows::After;
using rows::RequestRow;
using rows::ResponseRow;

using Bytes = std::span<const std::uint8_t>;

Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

const std::array kRequestTables{&rows::kFirstLines, &rows::kHeaderLines, &rows::kHosts,
                                &rows::kLengths,    &rows::kEncodings,   &rows::kConnections};
const std::array kResponseTables{&rows::kStatusLines, &rows::kResponses};

template <typename Tables, typename Visit>
void for_each_row(const Tables& tables, Visit visit) {
  for (const auto* table : tables) {
    for (const auto& row : *table) {
      SCOPED_TRACE(row.title);
      visit(row);
    }
  }
}

// What both kinds of head have, as `Wanted` says it.
template <typename Wanted>
void expect_common(const MessageHead& head, Bytes bytes, const Wanted& wanted) {
  EXPECT_EQ(head.minor, wanted.minor);
  EXPECT_EQ(head.framing, wanted.framing);
  EXPECT_EQ(head.content_length, wanted.length);
  EXPECT_EQ(head.keep_alive, wanted.keep_alive);
  EXPECT_EQ(head.upgrade, wanted.upgrade);
  EXPECT_EQ(head.all().size(), wanted.headers);
  // The head ends with an empty line, and the first line with the first CRLF that is not empty.
  ASSERT_LE(head.length, bytes.size());
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), head.length);
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
  EXPECT_EQ(head.line_end, text.find("\r\n", text.starts_with("\r\n") ? 2 : 0) + 2);
}

// Each header again where it is said to be, line by line.
void expect_headers(const MessageHead& head, Bytes bytes) {
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), head.length);
  rest.remove_prefix(head.line_end);
  for (const Header& header : head.all()) {
    std::string_view line = rest.substr(0, rest.find("\r\n"));
    ASSERT_EQ(header.name.data(), line.data());
    ASSERT_EQ(header.name, line.substr(0, line.find(':')));
    line.remove_prefix(header.name.size() + 1);
    const std::size_t first = std::min(line.find_first_not_of(" \t"), line.size());
    const std::size_t last = line.find_last_not_of(" \t") + 1;
    ASSERT_EQ(header.value, line.substr(first, std::max(first, last) - first));
    rest.remove_prefix(rest.find("\r\n") + 2);
  }
  EXPECT_EQ(rest, "\r\n");
}

void expect_request(const RequestHead& head, Bytes bytes, const rows::Wanted& wanted) {
  expect_common(head, bytes, wanted);
  EXPECT_EQ(head.method, wanted.method);
  EXPECT_EQ(head.target, wanted.target);
  EXPECT_EQ(head.path, wanted.path);
  EXPECT_EQ(head.query, wanted.query);
  EXPECT_EQ(head.host, wanted.host);
  EXPECT_EQ(head.is_head, wanted.method == "HEAD");
  EXPECT_EQ(head.is_connect, wanted.method == "CONNECT");
  EXPECT_EQ(head.expect_continue, wanted.expect_continue);
  EXPECT_EQ(head.forwarded_for_end, wanted.forwarded_for_end);
}

void expect_verdict(HeadResult result, HeadState state, HttpFault fault) {
  EXPECT_EQ(result.state, state);
  EXPECT_EQ(result.fault, fault) << info(result.fault).name << " for " << info(fault).name;
}

// Reads `text` up to each of its bytes, before an unreadable page. Nothing is complete before
// `complete_at`; whatever is refused early is refused with the same fault to the end.
template <typename Parse>
void expect_prefixes(std::string_view text, std::size_t complete_at, HttpFault fault, Parse parse) {
  tests::GuardedBytes guarded(text.size());
  bool was_refused = false;
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const HeadResult result = parse(guarded.place(bytes_of(text).first(length)));
    ASSERT_TRUE(result.state != HeadState::kComplete || length >= complete_at) << length;
    ASSERT_TRUE(result.state == HeadState::kComplete || length < complete_at) << length;
    ASSERT_EQ(result.fault, result.state == HeadState::kRefused ? fault : HttpFault::kNone)
        << length << " bytes: " << info(result.fault).name;
    was_refused |= result.state == HeadState::kRefused;
    ASSERT_EQ(result.state == HeadState::kRefused, was_refused) << length;
  }
}

TEST(HttpRequest, EachRowHasItsVerdict) {
  RequestHead head;  // one for all: nothing of a head is left to the next
  for_each_row(kRequestTables, [&](const RequestRow& row) {
    tests::GuardedBytes guarded(row.bytes.size());
    const Bytes bytes = guarded.place(bytes_of(row.bytes));
    const HeadResult result = parse_request_head(bytes, head);
    expect_verdict(result, row.wanted.state, row.wanted.fault);
    if (result.state != HeadState::kComplete) return;
    expect_request(head, bytes, row.wanted);
    expect_headers(head, bytes);
    EXPECT_EQ(head.length, row.bytes.size() - row.wanted.behind);
  });
}

TEST(HttpRequest, NoPrefixIsCompleteOrHasAnotherFault) {
  RequestHead head;
  for_each_row(kRequestTables, [&](const RequestRow& row) {
    const bool complete = row.wanted.state == HeadState::kComplete;
    expect_prefixes(row.bytes, complete ? row.bytes.size() - row.wanted.behind : SIZE_MAX,
                    row.wanted.fault, [&](Bytes bytes) { return parse_request_head(bytes, head); });
  });
}

TEST(HttpRequest, WhatIsRefusedStaysSoWhateverFollows) {
  RequestHead head;
  for_each_row(kRequestTables, [&](const RequestRow& row) {
    if (row.wanted.state != HeadState::kRefused) return;
    for (const std::string_view more : {"\r\n\r\n", "\n", ": x\r\n\r\n", " HTTP/1.1\r\n\r\n"}) {
      const std::string longer = row.bytes + std::string(more);
      expect_verdict(parse_request_head(bytes_of(longer), head), HeadState::kRefused,
                     row.wanted.fault);
    }
  });
}

HeadResult parse(Bytes bytes, After after, ResponseHead& head) {
  return parse_response_head(bytes, after == After::kHead, after == After::kConnect, head);
}

TEST(HttpResponse, EachRowHasItsVerdict) {
  ResponseHead head;
  for_each_row(kResponseTables, [&](const ResponseRow& row) {
    tests::GuardedBytes guarded(row.bytes.size());
    const Bytes bytes = guarded.place(bytes_of(row.bytes));
    const HeadResult result = parse(bytes, row.after, head);
    expect_verdict(result, row.wanted.state, row.wanted.fault);
    if (result.state != HeadState::kComplete) return;
    expect_common(head, bytes, row.wanted);
    expect_headers(head, bytes);
    EXPECT_EQ(head.status, row.wanted.status);
    EXPECT_EQ(head.length, row.bytes.size());
  });
}

TEST(HttpResponse, NoPrefixIsCompleteOrHasAnotherFault) {
  ResponseHead head;
  for_each_row(kResponseTables, [&](const ResponseRow& row) {
    const bool complete = row.wanted.state == HeadState::kComplete;
    expect_prefixes(row.bytes, complete ? row.bytes.size() : SIZE_MAX, row.wanted.fault,
                    [&](Bytes bytes) { return parse(bytes, row.after, head); });
  });
}

TEST(HttpFaults, EachIsInARow) {
  std::set<HttpFault> seen;
  for_each_row(kRequestTables, [&](const RequestRow& row) { seen.insert(row.wanted.fault); });
  for_each_row(kResponseTables, [&](const ResponseRow& row) { seen.insert(row.wanted.fault); });
  for (const HttpFaultInfo& each : kHttpFaultTable) {
    using enum HttpFault;
    const bool of_chunks =
        each.fault == kBadChunkSize || each.fault == kBadChunkEnd || each.fault == kBadTrailer;
    EXPECT_EQ(seen.contains(each.fault), !of_chunks) << each.name;
  }
}

TEST(HttpFaults, HaveNamesOfTheirOwnAndTheStatusOfTheAnswer) {
  std::set<std::string_view> names;
  for (const HttpFaultInfo& each : kHttpFaultTable) {
    EXPECT_EQ(&info(each.fault), &each);
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    EXPECT_FALSE(each.help.empty()) << each.name;
    EXPECT_EQ(each.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"),
              std::string_view::npos);
  }
  EXPECT_EQ(info(HttpFault::kNone).status, 0);
  EXPECT_EQ(info(HttpFault::kBareLf).status, 400);
  EXPECT_EQ(info(HttpFault::kBadEncoding).status, 400);
  EXPECT_EQ(info(HttpFault::kHeadTooLarge).status, 431);
  EXPECT_EQ(info(HttpFault::kTooManyHeaders).status, 431);
  EXPECT_EQ(info(HttpFault::kBadVersion).status, 505);
  EXPECT_EQ(info(HttpFault::kHttp2).status, 505);
}

TEST(HttpHead, FindsTheFirstHeaderOfAName) {
  const std::string text = rows::get("Cookie: a=1\r\nAccept: */*\r\ncookie: b=2\r\nEmpty:\r\n");
  RequestHead head;
  ASSERT_EQ(parse_request_head(bytes_of(text), head).state, HeadState::kComplete);
  ASSERT_NE(head.find("COOKIE"), nullptr);
  EXPECT_EQ(head.find("COOKIE")->value, "a=1");
  EXPECT_EQ(head.find("empty")->value, "");
  EXPECT_EQ(head.find("Cooki"), nullptr);
  EXPECT_EQ(head.find("Cookie2"), nullptr);
  EXPECT_EQ(head.find(""), nullptr);
}

TEST(HttpHead, ComparesWithoutCaseInAsciiOnly) {
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      const std::array left{static_cast<char>(a), 'x'};
      const std::array right{static_cast<char>(b), 'X'};
      const auto folded = [](unsigned c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
      ASSERT_EQ(equals_ignoring_case({left.data(), 2}, {right.data(), 2}), folded(a) == folded(b))
          << a << " and " << b;
    }
  }
  EXPECT_TRUE(equals_ignoring_case("", ""));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
}

TEST(HttpHead, VisitsCookiesLeniently) {
  std::string seen;
  const auto visit = [&](std::string_view name, std::string_view value) {
    seen += "[" + std::string(name) + "|" + std::string(value) + "]";
  };
  for_each_cookie("a=1; b=\"2\" ;\tc=; d ;;e=f=g; =h", visit);
  EXPECT_EQ(seen, "[a|1][b|\"2\"][c|][e|f=g][|h]");
}

TEST(HttpHead, ReadingAllocatesNothing) {
  const std::string request =
      rows::get("Connection: close\r\nTransfer-Encoding: gzip, chunked\r\n");
  const std::string response = rows::status("200 OK", "Content-Length: 5\r\n");
  RequestHead request_head;
  ResponseHead response_head;
  const std::uint64_t before = tests::allocations();
  const HeadResult first = parse_request_head(bytes_of(request), request_head);
  const HeadResult second = parse(bytes_of(response), After::kGet, response_head);
  EXPECT_EQ(tests::allocations(), before);
  EXPECT_EQ(first.state, HeadState::kComplete);
  EXPECT_EQ(second.state, HeadState::kComplete);
}

}  // namespace
}  // namespace hawser::l7
