// Fuzz target: the first message of a TLS client, whole, in part, and split into other records.
//
// Input: the bytes of a connection.
#include <algorithm>
#include <string>
#include <vector>

#include "../spec/guarded_frame.h"
#include "hawser/base/contract.h"
#include "hawser/l7/client_hello.h"
#include "target.h"

namespace hawser::l7 {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kRecordHeader = 5;

HelloState state_of(Bytes bytes) {
  ClientHello hello;
  return parse_client_hello(bytes, hello);
}

bool same(const ClientHello& a, const ClientHello& b) {
  const auto protocols = [](const ClientHello& hello) {
    return Bytes(hello.alpn_bytes.data(), hello.alpn_length);
  };
  return a.server_name() == b.server_name() && a.encrypted == b.encrypted &&
         std::equal(protocols(a).begin(), protocols(a).end(), protocols(b).begin(),
                    protocols(b).end());
}

void require_sound(const ClientHello& hello, Bytes bytes) {
  HAWSER_REQUIRE(hello.length <= std::min(bytes.size(), limits::kMaxClientHello));
  const std::string_view name = hello.server_name();
  HAWSER_REQUIRE(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == name.npos);
  HAWSER_REQUIRE(name.empty() || (name.front() != '.' && name.back() != '.'));
  HAWSER_REQUIRE(name.find("..") == name.npos);
  std::size_t protocols = 0;
  hello.for_each_protocol([&](std::string_view protocol) {
    HAWSER_REQUIRE(!protocol.empty());
    protocols += 1 + protocol.size();
  });
  HAWSER_REQUIRE(protocols == hello.alpn_length);
}

// What is known stays as it is when more comes, and a hello is known with its last byte.
void require_steady(HelloState state, const ClientHello& hello, Bytes bytes) {
  constexpr std::size_t kPrefixes = 16;
  for (std::size_t i = 0; i < kPrefixes; ++i) {
    const HelloState before = state_of(bytes.first(bytes.size() * i / kPrefixes));
    HAWSER_REQUIRE(before == HelloState::kIncomplete || before == state);
  }
  if (state != HelloState::kComplete) return;
  HAWSER_REQUIRE(state_of(bytes.first(hello.length)) == HelloState::kComplete);
  HAWSER_REQUIRE(state_of(bytes.first(hello.length - 1)) == HelloState::kIncomplete);
}

// The same message in records of `each` bytes.
void require_same_in_other_records(const ClientHello& hello, Bytes bytes, std::size_t each) {
  std::vector<std::uint8_t> message;
  for (std::size_t at = 0; at < hello.length;) {
    const std::size_t length = std::size_t{bytes[at + 3]} << 8U | bytes[at + 4];
    const Bytes payload = bytes.subspan(at + kRecordHeader, length);
    message.insert(message.end(), payload.begin(), payload.end());
    at += kRecordHeader + length;
  }
  std::vector<std::uint8_t> split;
  for (std::size_t at = 0; at < message.size(); at += each) {
    const Bytes payload = Bytes(message).subspan(at, std::min(each, message.size() - at));
    split.insert(split.end(), {22, 3, 3, static_cast<std::uint8_t>(payload.size() >> 8U),
                               static_cast<std::uint8_t>(payload.size())});
    split.insert(split.end(), payload.begin(), payload.end());
  }
  ClientHello again;
  const HelloState state = parse_client_hello(split, again);
  if (split.size() > limits::kMaxClientHello) {
    HAWSER_REQUIRE(state == HelloState::kTooLarge);
    return;
  }
  HAWSER_REQUIRE(state == HelloState::kComplete && same(hello, again));
  HAWSER_REQUIRE(again.length == split.size());
}

}  // namespace
}  // namespace hawser::l7

void fuzz_one(std::span<const std::uint8_t> input) {
  using namespace hawser;
  using namespace hawser::l7;
  static spec::GuardedFrame guarded;
  const auto bytes = input.first(std::min(input.size(), limits::kMaxFrame));
  const std::span<const std::uint8_t> placed(guarded.place(bytes, bytes.size()), bytes.size());
  ClientHello hello;
  const HelloState state = parse_client_hello(placed, hello);
  require_steady(state, hello, placed);
  if (state != HelloState::kComplete) return;
  require_sound(hello, placed);
  // The hello's last byte is as good as a random number.
  require_same_in_other_records(hello, placed, 1 + placed[hello.length - 1]);
}
