// Where a QUIC packet belongs: its destination connection ID, and the server id inside it.
//
// A client that changes its address keeps its connection, so the five-tuple does not say whose a
// packet is; the connection ID does, where the servers write their id into it:
//
//    0          1                  1 + server_id_length
//   +----------+------------------+------------------+----------------+
//   | CCCLLLLL | server id        | nonce            | the server's   |
//   +----------+------------------+------------------+----------------+
//     C: config id; L: length of what follows, or random bits
//
// With a key, server id and nonce are encrypted together: as one AES block when they have 16 bytes,
// else by a Feistel network of four passes.
// Sources: RFC 8999 (what all versions of QUIC share), RFC 9000 section 17, and QUIC-LB:
// draft-ietf-quic-load-balancers-21, sections 3 (first octet), 4.1 (unroutable connection IDs) and
// 5 (server id encoding). Revisions before -19 encrypted in another way.
// Threading: values and an immutable class. Nothing here allocates but texts for people.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hawser/base/limits.h"
#include "hawser/base/result.h"
#include "hawser/hash/aes.h"

namespace hawser::l4 {

// The destination connection ID of the first QUIC packet in a datagram. A long header, of whatever
// version, says the length itself (RFC 8999 section 5.1); of a short header it is `short_length`
// bytes (section 5.2). Empty when the header says so; nullopt when the ID does not fit into the
// payload. What follows it is not looked at.
[[nodiscard]] std::optional<std::span<const std::uint8_t>> destination_connection_id(
    std::span<const std::uint8_t> udp_payload, std::size_t short_length) noexcept;

// One QUIC-LB configuration (section 5.3). Server id and nonce together have at most
// limits::kMaxQuicPlaintext bytes.
struct QuicLbParameters {
  std::uint8_t config_id = 0;         // 0..6
  std::uint8_t server_id_length = 1;  // bytes, 1..15
  std::uint8_t nonce_length = 4;      // bytes, 4..18
  std::optional<hash::Aes128::Key> key{};

  friend bool operator==(const QuicLbParameters&, const QuicLbParameters&) = default;
};

// Whether the parameters keep to the draft. The error says which does not and what it may be.
[[nodiscard]] Result<void> check(const QuicLbParameters& parameters);

// A server id: opaque bytes. Those beyond `length` are 0, so that equal ids have equal bytes.
struct ServerId {
  std::array<std::uint8_t, limits::kMaxQuicServerId> bytes{};
  std::uint8_t length = 0;

  [[nodiscard]] std::span<const std::uint8_t> used() const noexcept {
    return std::span(bytes).first(length);
  }
  // Unkeyed, for table::OpenTable: which ids are in the table is the operator's choice.
  [[nodiscard]] std::uint64_t hash() const noexcept;
  friend bool operator==(const ServerId&, const ServerId&) = default;
};
static_assert(sizeof(ServerId) == 16);

// A server id of 1 to 15 bytes; nullopt when there are none or more.
[[nodiscard]] std::optional<ServerId> server_id_from(std::span<const std::uint8_t> bytes) noexcept;

// A server id of 1 to 15 bytes from hexadecimal digits, and back.
[[nodiscard]] Result<ServerId> parse_server_id(std::string_view text);
[[nodiscard]] std::string to_string(const ServerId& id);

// Reads and writes connection IDs of one configuration.
class QuicLb {
 public:
  // `parameters` have passed check().
  explicit QuicLb(const QuicLbParameters& parameters) noexcept;

  // Bytes of a connection ID without what a server appends for itself.
  [[nodiscard]] std::size_t connection_id_length() const noexcept { return 1 + plaintext_length_; }
  [[nodiscard]] std::uint8_t config_id() const noexcept { return config_id_; }

  // The server id in a connection ID. nullopt when the ID names another configuration or is too
  // short (section 4.1). A client's own random ID may well decode, to a server id nobody has.
  [[nodiscard]] std::optional<ServerId> server_id(
      std::span<const std::uint8_t> connection_id) const noexcept;

  // The inverse, what a server does: writes connection_id_length() bytes to the front of `out` and
  // returns how many. The first octet's lower five bits are `random_bits`, or the length of what
  // follows when there are none (section 3.3). Returns 0, with nothing written, when `out` is too
  // short or server id or nonce have other lengths than the configuration's.
  [[nodiscard]] std::size_t write_connection_id(
      std::span<std::uint8_t> out, const ServerId& id, std::span<const std::uint8_t> nonce,
      std::optional<std::uint8_t> random_bits = std::nullopt) const noexcept;

 private:
  // A half of the Feistel network as expand() of section 5.4.2.2 lays it out: bytes beyond the half
  // are 0.
  using Half = hash::Aes128::Vector;
  struct Halves {
    Half left;
    Half right;
  };
  using Plaintext = std::array<std::uint8_t, 32>;  // room for 16-byte accesses to either half

  [[nodiscard]] Half pass(std::uint64_t number, Half from, Half onto, Half mask) const noexcept;
  [[nodiscard]] Halves split(const Plaintext& whole) const noexcept;
  [[nodiscard]] Plaintext join(const Halves& halves) const noexcept;
  void encrypt(Plaintext& plaintext) const noexcept;
  [[nodiscard]] hash::Aes128::Vector decrypt_front(const std::uint8_t* ciphertext) const noexcept;

  std::optional<hash::Aes128> aes_;
  std::uint8_t config_id_;
  std::uint8_t server_id_length_;
  std::uint8_t nonce_length_;
  std::uint8_t plaintext_length_;
  std::uint8_t half_length_;  // bytes of a half; an odd length shares the middle byte
  Half left_mask_{};
  Half right_mask_{};
  hash::Aes128::Vector server_id_mask_{};
};

}  // namespace hawser::l4
