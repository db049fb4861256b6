// Hellos made to measure, and the parser run at the edge of memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "../spec/guarded_frame.h"
#include "hawser/base/hex.h"
#include "hawser/l7/client_hello.h"

namespace hawser::l7 {

using Bytes = std::vector<std::uint8_t>;

inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline Bytes text(std::string_view characters) {
  return {characters.begin(), characters.end()};
}

// `value` with its length before it, in so many bytes.
inline Bytes vector_of(std::size_t length_bytes, const Bytes& value) {
  Bytes result;
  for (std::size_t i = length_bytes; i-- > 0;) {
    result.push_back(static_cast<std::uint8_t>(value.size() >> 8 * i));
  }
  return result + value;
}

inline Bytes extension(std::uint16_t type, const Bytes& value) {
  return Bytes{static_cast<std::uint8_t>(type >> 8U), static_cast<std::uint8_t>(type)} +
         vector_of(2, value);
}

inline Bytes named(std::string_view name, std::uint8_t type = 0) {
  return Bytes{type} + vector_of(2, text(name));
}

inline Bytes server_name(std::string_view name) {
  return extension(0, vector_of(2, named(name)));
}

inline Bytes alpn(const std::vector<std::string>& protocols) {
  Bytes list;
  for (const std::string& protocol : protocols) list = list + vector_of(1, text(protocol));
  return extension(16, vector_of(2, list));
}

inline const Bytes kStart =
    Bytes{3, 3} + Bytes(32, 0x5a) + Bytes{0};         // version, random, session id
inline const Bytes kCiphers{0, 2, 0x13, 0x01, 1, 0};  // and compressions

inline Bytes message(const Bytes& body) {
  return Bytes{1} + vector_of(3, body);
}

inline Bytes hello_message(const Bytes& extensions) {
  return message(kStart + kCiphers + vector_of(2, extensions));
}

inline Bytes record(const Bytes& payload) {
  return Bytes{22, 3, 1} + vector_of(2, payload);
}

// Cut into records of so many bytes each, the last one shorter.
inline Bytes records(const Bytes& whole, std::size_t each) {
  Bytes result;
  for (std::size_t at = 0; at < whole.size(); at += each) {
    const auto begin = whole.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t size = std::min(each, whole.size() - at);
    result = result + record(Bytes(begin, begin + static_cast<std::ptrdiff_t>(size)));
  }
  return result;
}

inline Bytes from_hex(std::string_view hex) {
  Bytes bytes(hex.size() / 2);
  EXPECT_TRUE(parse_hex(hex, bytes).has_value());
  return bytes;
}

// The same from memory of exactly the right size and from before an unreadable page.
inline HelloState parse(const Bytes& bytes, ClientHello& out) {
  static spec::GuardedFrame guarded;
  const HelloState state = parse_client_hello(bytes, out);
  if (bytes.size() > limits::kMaxFrame) return state;
  ClientHello twin;
  const std::span<const std::uint8_t> placed(guarded.place(bytes, bytes.size()), bytes.size());
  EXPECT_EQ(parse_client_hello(placed, twin), state);
  return state;
}

inline HelloState state_of(const Bytes& bytes) {
  ClientHello hello;
  return parse(bytes, hello);
}

inline Bytes prefix(const Bytes& bytes, std::size_t length) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)};
}

}  // namespace hawser::l7
