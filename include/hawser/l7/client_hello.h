// The first message of a TLS client: which server name and which protocols it asks for.
//
// Source: RFC 8446 sections 4.1.2 and 5.1 (records may split it anywhere), RFC 6066 section 3
// (server name), RFC 7301 (ALPN), RFC 8701 (GREASE values are passed over), RFC 9849 (an encrypted
// hello's outer part is a hello like any other). Nothing is decrypted and nothing is changed.
// Threading: pure functions. Nothing allocates.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "hawser/base/limits.h"

namespace hawser::l7 {

enum class HelloState : std::uint8_t {
  kIncomplete,
  kComplete,
  kNotTls,     // the first bytes are no TLS handshake record
  kMalformed,  // a length that does not fit, an unexpected message
  kTooLarge,   // above limits::kMaxClientHello
};

struct ClientHello {
  std::size_t length = 0;  // bytes up to the end of the record that ends it
  // Lower case, without a final dot; empty: none sent, or an address, which is no host name.
  std::array<char, limits::kMaxServerName> name_bytes;
  std::uint16_t name_length = 0;
  std::array<std::uint8_t, limits::kMaxAlpnBytes> alpn_bytes;  // length-prefixed, as sent
  std::uint16_t alpn_length = 0;
  bool encrypted = false;  // the outer part of an encrypted hello: so is the name

  [[nodiscard]] std::string_view server_name() const noexcept {
    return {name_bytes.data(), name_length};
  }
  // Calls `visit(protocol)` for each protocol asked for, in order of preference.
  template <typename Visit>
  void for_each_protocol(Visit&& visit) const {
    std::size_t at = 0;
    while (at < alpn_length) {
      const std::size_t size = alpn_bytes[at];
      if (at + 1 + size > alpn_length) return;
      visit(std::string_view(reinterpret_cast<const char*>(&alpn_bytes[at] + 1), size));
      at += 1 + size;
    }
  }
};

// Reads the hello at the start of `bytes`, over any number of records; bytes behind the record that
// ends it are not looked at. `out` is complete with kComplete only. What is not kIncomplete stays
// as it is, whatever comes behind. Cost: grows with the bytes, so a caller that has one segment
// after the other reads all of them again each time.
[[nodiscard]] HelloState parse_client_hello(std::span<const std::uint8_t> bytes,
                                            ClientHello& out) noexcept;

[[nodiscard]] std::string_view to_string(HelloState state) noexcept;

}  // namespace hawser::l7
