// Destination connection IDs of QUIC packets, and QUIC-LB's server ids inside them.
#include "hawser/l4/quic.h"

#include <bit>
#include <cstring>

#include "hawser/base/bytes.h"
#include "hawser/base/contract.h"
#include "hawser/base/hex.h"
#include "hawser/hash/flow_hash.h"

namespace hawser::l4 {
namespace {

using Vector = hash::Aes128::Vector;

// RFC 8999 section 5: the first bit tells the headers apart.
constexpr std::uint8_t kLongHeader = 0x80;
// Section 3.4: the config id is above the length.
constexpr unsigned kConfigShift = 5;
constexpr std::uint8_t kLengthBits = 0x1f;
// Section 5.4.1: server id and nonce of this length are one AES block.
constexpr std::size_t kSinglePass = sizeof(Vector);

static_assert(std::endian::native == std::endian::little, "a Vector is two little-endian words");

Result<void> within(const char* name, unsigned value, unsigned least, unsigned most) {
  if (value >= least && value <= most) return {};
  return fail(std::string(name) + " is " + std::to_string(value) + "; it must be " +
              std::to_string(least) + " to " + std::to_string(most));
}

// The first bytes of a plaintext of `length` bytes, 5 at least, the rest 0. Two loads that overlap:
// a copy of varying length would have to reach memory before a load of 16 bytes can see it.
Vector load_front(const std::uint8_t* at, std::size_t length) noexcept {
  if (length >= sizeof(Vector)) return load<Vector>(at);
  if (length > 8) {
    return Vector{load<std::uint64_t>(at),
                  load<std::uint64_t>(at + length - 8) >> 8 * (sizeof(Vector) - length)};
  }
  const std::uint64_t high = load<std::uint32_t>(at + length - 4) >> 8 * (8 - length);
  return Vector{load<std::uint32_t>(at) | high << 32U, 0};
}

}  // namespace

std::optional<std::span<const std::uint8_t>> destination_connection_id(
    std::span<const std::uint8_t> udp_payload, std::size_t short_length) noexcept {
  constexpr std::size_t kVersionBytes = 4;
  Reader reader(udp_payload);
  std::uint8_t first = 0;
  if (!reader.read(first)) return std::nullopt;
  std::size_t length = short_length;
  if ((first & kLongHeader) != 0) {
    std::uint8_t written = 0;
    if (!reader.skip(kVersionBytes) || !reader.read(written)) return std::nullopt;
    length = written;
  }
  std::span<const std::uint8_t> id;
  if (!reader.take(length, id)) return std::nullopt;
  return id;
}

Result<void> check(const QuicLbParameters& parameters) {
  using namespace limits;
  if (parameters.config_id == kMaxQuicConfigId + 1) {
    return fail("config id 7 is for servers without a configuration; choose 0 to 6");
  }
  Result<void> result = within("config id", parameters.config_id, 0, kMaxQuicConfigId);
  if (!result) return result;
  result = within("server id length", parameters.server_id_length, 1, kMaxQuicServerId);
  if (!result) return result;
  result = within("nonce length", parameters.nonce_length, kMinQuicNonce, kMaxQuicNonce);
  if (!result) return result;
  const unsigned sum = unsigned{parameters.server_id_length} + parameters.nonce_length;
  if (sum <= kMaxQuicPlaintext) return {};
  return fail("server id and nonce have " + std::to_string(sum) + " bytes together; at most " +
              std::to_string(kMaxQuicPlaintext) +
              " fit a connection ID of QUIC version 1, so shorten one of them");
}

std::uint64_t ServerId::hash() const noexcept {
  const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(*this);
  return hash::mix(words[0] ^ hash::mix(words[1]));
}

std::optional<ServerId> server_id_from(std::span<const std::uint8_t> bytes) noexcept {
  ServerId id;
  if (bytes.empty() || bytes.size() > id.bytes.size()) return std::nullopt;
  std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  id.length = static_cast<std::uint8_t>(bytes.size());
  return id;
}

Result<ServerId> parse_server_id(std::string_view text) {
  ServerId id;
  const Result<std::size_t> length = parse_hex(text, id.bytes);
  if (!length) return fail("server id: " + length.error().message);
  id.length = static_cast<std::uint8_t>(*length);
  return id;
}

std::string to_string(const ServerId& id) {
  return to_hex(id.used());
}

QuicLb::QuicLb(const QuicLbParameters& parameters) noexcept
    : config_id_(parameters.config_id),
      server_id_length_(parameters.server_id_length),
      nonce_length_(parameters.nonce_length),
      plaintext_length_(static_cast<std::uint8_t>(server_id_length_ + nonce_length_)),
      half_length_(static_cast<std::uint8_t>((plaintext_length_ + 1) / 2)) {
  HAWSER_REQUIRE(check(parameters).has_value());
  if (parameters.key) aes_.emplace(*parameters.key);
  std::array<std::uint8_t, sizeof(ServerId)> server_id{};
  for (std::size_t i = 0; i < server_id_length_; ++i) server_id[i] = 0xff;
  server_id_mask_ = std::bit_cast<Vector>(server_id);
  // Section 5.4.2.3, step 2: of a shared middle byte the left half has the upper four bits and the
  // right half the lower ones.
  std::array<std::uint8_t, sizeof(Half)> left{};
  for (std::size_t i = 0; i < half_length_; ++i) left[i] = 0xff;
  std::array<std::uint8_t, sizeof(Half)> right = left;
  if (plaintext_length_ % 2 != 0) {
    left[half_length_ - 1U] = 0xf0;
    right[0] = 0x0f;
  }
  left_mask_ = std::bit_cast<Half>(left);
  right_mask_ = std::bit_cast<Half>(right);
}

// Section 5.4.2.3: onto ^ truncate(AES(expand(length, number, from))), with the other half's bits
// of a shared byte cleared. expand() puts the length into byte 14 and the pass into byte 15, which
// a half of at most 10 bytes leaves free.
QuicLb::Half QuicLb::pass(std::uint64_t number, Half from, Half onto, Half mask) const noexcept {
  const Half tail{0, std::uint64_t{plaintext_length_} << 48U | number << 56U};
  return onto ^ (aes_->encrypt_block(from | tail) & mask);
}

QuicLb::Halves QuicLb::split(const Plaintext& whole) const noexcept {
  const std::uint8_t* right = whole.data() + (plaintext_length_ - half_length_);
  return {load<Half>(whole.data()) & left_mask_, load<Half>(right) & right_mask_};
}

QuicLb::Plaintext QuicLb::join(const Halves& halves) const noexcept {
  Plaintext whole{};
  std::uint8_t* right = whole.data() + (plaintext_length_ - half_length_);
  store(whole.data(), halves.left);
  // The halves share a byte or none, and neither has bits outside its own.
  const std::uint8_t shared = plaintext_length_ % 2 != 0 ? *right : std::uint8_t{0};
  store(right, halves.right);
  *right = static_cast<std::uint8_t>(*right | shared);
  return whole;
}

// Section 5.4, in place.
void QuicLb::encrypt(Plaintext& plaintext) const noexcept {
  if (plaintext_length_ == kSinglePass) {
    store(plaintext.data(), aes_->encrypt_block(load<Vector>(plaintext.data())));
    return;
  }
  Halves halves = split(plaintext);
  halves.right = pass(1, halves.left, halves.right, right_mask_);
  halves.left = pass(2, halves.right, halves.left, left_mask_);
  halves.right = pass(3, halves.left, halves.right, right_mask_);
  halves.left = pass(4, halves.right, halves.left, left_mask_);
  plaintext = join(halves);
}

// Section 5.5: the first 16 bytes of the plaintext, of which those of the server id are right.
// `ciphertext` has plaintext_length_ bytes. When the server id is within the
// left half, the last pass is left out.
Vector QuicLb::decrypt_front(const std::uint8_t* ciphertext) const noexcept {
  if (plaintext_length_ == kSinglePass) return aes_->decrypt_block(load<Vector>(ciphertext));
  Plaintext whole{};
  std::memcpy(whole.data(), ciphertext, plaintext_length_);
  Halves halves = split(whole);
  halves.left = pass(4, halves.right, halves.left, left_mask_);
  halves.right = pass(3, halves.left, halves.right, right_mask_);
  halves.left = pass(2, halves.right, halves.left, left_mask_);
  if (server_id_length_ <= nonce_length_) return halves.left;
  halves.right = pass(1, halves.left, halves.right, right_mask_);
  return load<Vector>(join(halves).data());
}

std::optional<ServerId> QuicLb::server_id(
    std::span<const std::uint8_t> connection_id) const noexcept {
  if (connection_id.size() < connection_id_length()) return std::nullopt;
  if (connection_id[0] >> kConfigShift != config_id_) return std::nullopt;
  const std::uint8_t* block = connection_id.data() + 1;
  const Vector front = aes_ ? decrypt_front(block) : load_front(block, plaintext_length_);
  auto id = std::bit_cast<ServerId>(front & server_id_mask_);
  id.length = server_id_length_;
  return id;
}

std::size_t QuicLb::write_connection_id(std::span<std::uint8_t> out, const ServerId& id,
                                        std::span<const std::uint8_t> nonce,
                                        std::optional<std::uint8_t> random_bits) const noexcept {
  if (out.size() < connection_id_length() || id.length != server_id_length_ ||
      nonce.size() != nonce_length_) {
    return 0;
  }
  Plaintext plaintext{};
  std::memcpy(plaintext.data(), id.bytes.data(), server_id_length_);
  std::memcpy(plaintext.data() + server_id_length_, nonce.data(), nonce_length_);
  if (aes_) encrypt(plaintext);
  const unsigned low_bits = random_bits.value_or(plaintext_length_) & kLengthBits;
  out[0] = static_cast<std::uint8_t>(unsigned{config_id_} << kConfigShift | low_bits);
  std::memcpy(out.data() + 1, plaintext.data(), plaintext_length_);
  return connection_id_length();
}

}  // namespace hawser::l4
