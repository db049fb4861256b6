// Tests of the peers' own eyes: what is right passes, and each thing that is wrong is seen.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>

#include <gtest/gtest.h>

#include "peer/content.h"
#include "peer/heads.h"
#include "peer/message.h"
#include "peer/outgoing.h"
#include "peer/plan.h"
#include "peer/proxy_header.h"

namespace hawser::adversary {
namespace {

const Endpoint kClient{"10.77.0.2", 40000};
const Endpoint kTarget{"10.77.0.100", 80};

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// What is thrown, "" when nothing is.
std::string wrong(const std::function<void()>& action) {
  try {
    action();
  } catch (const Wrong& error) {
    return error.what();
  }
  return {};
}

Head parsed(const std::string& text) {
  Head head;
  MessageReader reader(
      [&head](const Head& seen) {
        head = seen;
        return Body{};
      },
      [](std::span<const std::uint8_t>) {});
  reader.take(bytes_of(text));
  if (!reader.done()) throw Wrong("the head has no end");
  return head;
}

Exchange an_exchange() {
  Exchange exchange;
  exchange.connection = 12;
  exchange.number = 3;
  exchange.kind = Kind::kPost;
  exchange.seed = 99;
  exchange.request_framing = Framing::kLength;
  exchange.request_length = 10;
  exchange.response_length = 20;
  exchange.request_padding = 3000;
  exchange.response_padding = 500;
  return exchange;
}

TEST(Content, OneFlippedBitIsSeenWithItsOffset) {
  std::vector<std::uint8_t> bytes(10000);
  fill_content(5, 0, bytes);
  std::vector<std::uint8_t> tail(77);
  fill_content(5, 9923, tail);
  EXPECT_TRUE(std::equal(tail.begin(), tail.end(), bytes.begin() + 9923));
  ContentCheck right("body", 5, 10000);
  right.take(std::span(bytes).first(4321));
  right.take(std::span(bytes).subspan(4321));
  right.end();
  EXPECT_EQ(right.hash(), content_hash(5, 10000));
  bytes[6789] ^= 1;
  ContentCheck check("body", 5, 10000);
  EXPECT_NE(wrong([&] { check.take(bytes); }).find("byte 6789 of 10000"), std::string::npos);
  ContentCheck shorter("body", 5, 10001);
  bytes[6789] ^= 1;
  shorter.take(bytes);
  EXPECT_NE(wrong([&] { shorter.end(); }).find("10000 of 10001"), std::string::npos);
  ContentCheck longer("body", 5, 9999);
  EXPECT_NE(wrong([&] { longer.take(bytes); }), "");
}

// Sends a body through a pair of sockets and reads it again.
void round_trip(std::uint64_t seed, std::uint64_t length, bool chunked) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
  Outgoing out(seed, seed % 2 == 0);
  out.add(chunked ? "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                  : "POST / HTTP/1.1\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n");
  if (chunked) {
    out.add_chunked(seed, length);
  } else {
    out.add_content(seed, length);
  }
  ContentCheck check("body", seed, length);
  MessageReader reader([](const Head& head) { return body_of(head, Framing::kNone); },
                       [&check](std::span<const std::uint8_t> bytes) { check.take(bytes); });
  std::array<std::uint8_t, 3000> buffer{};
  while (!reader.done()) {
    ASSERT_NE(out.flush(ends[0]), Outgoing::Outcome::kFailed);
    const ssize_t count = recv(ends[1], buffer.data(), buffer.size(), 0);
    if (count <= 0) continue;
    const auto whole = static_cast<std::size_t>(count);
    ASSERT_EQ(reader.take(std::span(buffer.data(), whole)), whole);
  }
  check.end();
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(check.hash(), content_hash(seed, length));
  for (const int end : ends) close(end);
}

TEST(Messages, WhatIsWrittenInPiecesIsReadWhole) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    round_trip(seed, seed * seed * 30, seed % 3 != 0);
  }
}

TEST(Messages, LooseSyntaxIsSeen) {
  for (const char* text :
       {"GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost:a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:  a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a \r\n\r\n",
        "GET / HTTP/1.1\r\nHo\x01st: a\r\n\r\n", "GET / HTTP/1.1\r\n: a\r\n\r\n"}) {
    EXPECT_NE(wrong([&] { (void)parsed(text); }), "") << text;
  }
  EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").one("host"), "a");
}

TEST(Plans, TargetsCarryExchanges) {
  std::array<std::uint64_t, static_cast<std::size_t>(Kind::kCount)> kinds{};
  for (std::uint64_t connection = 0; connection < 300; ++connection) {
    const Plan plan = plan_of(4, connection, {});
    const Plan again = plan_of(4, connection, {});
    ASSERT_EQ(plan.exchanges.size(), again.exchanges.size());
    for (std::size_t i = 0; i < plan.exchanges.size(); ++i) {
      const Exchange& exchange = plan.exchanges[i];
      ++kinds[static_cast<std::size_t>(exchange.kind)];
      EXPECT_EQ(target_of(exchange), target_of(again.exchanges[i]));
      const Exchange read = from_target(target_of(exchange));
      EXPECT_EQ(target_of(read), target_of(exchange));
      EXPECT_EQ(read.seed, exchange.seed);
      EXPECT_EQ(read.response_length, exchange.response_length);
      const Head head = request_head(exchange, kClient, kTarget, "user", "");
      EXPECT_LT(head.text().size(), 15'360U);
      EXPECT_LT(head.fields.size(), 90U);
      EXPECT_NO_THROW((void)check_request(parsed(head.text()), ClientAddress::kNone));
    }
  }
  for (const std::uint64_t count : kinds) EXPECT_GT(count, 20U);
}

TEST(Heads, EveryChangeOfARequestIsSeen) {
  const std::string text = request_head(an_exchange(), kClient, kTarget, "user", "a=1").text();
  EXPECT_NO_THROW((void)check_request(parsed(text), ClientAddress::kNone));
  // Every character but those of the method and of the version, which have checks of their own.
  const std::size_t line = text.find("\r\n");
  for (std::size_t at = 5; at < text.size() - 4; ++at) {
    if (text[at] == '\r' || text[at] == '\n' || (at > line - 10 && at < line)) continue;
    std::string changed = text;
    changed[at] = changed[at] == 'b' ? 'c' : 'b';
    EXPECT_NE(wrong([&] { (void)check_request(parsed(changed), ClientAddress::kNone); }), "")
        << at << ": " << changed.substr(at - 5, 20);
  }
}

TEST(Heads, ForwardedForIsExactlyWhatItMustBe) {
  const auto seen = [](Exchange exchange, const std::vector<std::string>& added,
                       ClientAddress told) {
    Head head = request_head(exchange, kClient, kTarget, "user", "");
    for (const std::string& value : added) {
      head.fields.insert(head.fields.begin() + 1, {"X-Forwarded-For", value});
    }
    return wrong([&] { (void)check_request(parsed(head.text()), told); });
  };
  const Exchange exchange = an_exchange();
  using enum ClientAddress;
  EXPECT_EQ(seen(exchange, {"10.77.0.2"}, kForwardedFor), "");
  EXPECT_NE(seen(exchange, {}, kForwardedFor), "");
  EXPECT_NE(seen(exchange, {"10.77.0.3"}, kForwardedFor), "");
  EXPECT_NE(seen(exchange, {"10.77.0.2", "10.77.0.2"}, kForwardedFor), "");
  EXPECT_EQ(seen(exchange, {}, kNone), "");
  EXPECT_NE(seen(exchange, {"10.77.0.2"}, kNone), "");

  Exchange forwarded = exchange;
  forwarded.forwarded = true;
  Head head = request_head(forwarded, kClient, kTarget, "user", "");
  EXPECT_NO_THROW((void)check_request(head, kNone));
  EXPECT_NE(wrong([&] { (void)check_request(head, kForwardedFor); }), "") << "not appended to";
  for (Field& field : head.fields) {
    if (same_name(field.name, "x-forwarded-for")) field.value += ", 10.77.0.2";
  }
  EXPECT_NO_THROW((void)check_request(head, kForwardedFor));
}

TEST(Heads, OnlyTheExpectedCookieMayBeInserted) {
  const Exchange exchange = an_exchange();
  const Head plain = response_head(exchange, "b2", "0:10");
  const auto seen = [&](const std::vector<Field>& inserted, const std::string& cookie) {
    Head head = plain;
    head.fields.insert(head.fields.begin(), inserted.begin(), inserted.end());
    return wrong([&] { (void)check_response(parsed(head.text()), exchange, cookie); });
  };
  const Field cookie{"Set-Cookie", "hawser=abc; Path=/"};
  const Field made_private{"Cache-Control", "private"};
  EXPECT_EQ(seen({}, ""), "");
  EXPECT_EQ(seen({cookie}, "hawser"), "");
  EXPECT_EQ(seen({cookie, made_private}, "hawser"), "");
  EXPECT_NE(seen({cookie}, ""), "");
  EXPECT_NE(seen({cookie}, "other"), "");
  EXPECT_NE(seen({cookie, cookie}, "hawser"), "");
  EXPECT_NE(seen({made_private}, "hawser"), "");
  Head head = plain;
  head.fields.push_back(cookie);
  const Response response = check_response(head, exchange, "hawser");
  EXPECT_EQ(response.server, "b2");
  EXPECT_EQ(response.inserted, "abc");
  Exchange next = exchange;
  next.number = 4;
  EXPECT_NE(wrong([&] { (void)check_response(plain, next, ""); }), "") << "another answer";
}

TEST(ProxyHeaders, AreReadOrRefused) {
  const std::string header(
      "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f\x0a\x4d\0\x02\x0a\x4d\0\x64\x9c\x40\0\x50\x04\0\0", 31);
  for (std::size_t length = 0; length < header.size(); ++length) {
    EXPECT_FALSE(read_proxy_header(header.substr(0, length)));
  }
  const auto read = read_proxy_header(header + "GET");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->client, kClient);
  EXPECT_EQ(read->target, kTarget);
  EXPECT_EQ(read->length, 31U);
  for (std::size_t at = 0; at < 14; ++at) {
    std::string changed = header;
    changed[at] ^= 0x40;
    EXPECT_NE(wrong([&] { (void)read_proxy_header(changed); }), "") << at;
  }
}

}  // namespace
}  // namespace hawser::adversary
