// AES-128 by the processor's instructions, and its portable twin (FIPS 197).
#include "hawser/hash/aes.h"

#include <bit>

#include <immintrin.h>

#include "hawser/base/contract.h"

namespace hawser::hash {
namespace {

using Block = Aes128::Block;
using Bytes256 = std::array<std::uint8_t, 256>;

// Multiplication by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (section 4.2.1).
constexpr std::uint8_t times_two(unsigned a) {
  return static_cast<std::uint8_t>((a << 1U) ^ ((a >> 7U) * 0x1bU));
}

constexpr std::uint8_t times(std::uint8_t a, unsigned factor) {
  std::uint8_t sum = 0;
  for (; factor != 0; factor >>= 1U, a = times_two(a)) {
    if ((factor & 1U) != 0) sum = static_cast<std::uint8_t>(sum ^ a);
  }
  return sum;
}

// The S-box (section 5.1.1): the inverse in the field, then an affine map. 3 generates the field's
// multiplicative group and 0xf6 is its inverse, so that the powers of both meet every pair of
// inverses.
constexpr Bytes256 make_substitution() {
  Bytes256 box{};
  std::uint8_t element = 1;
  std::uint8_t inverse = 1;
  do {
    element = times(element, 0x03);
    inverse = times(inverse, 0xf6);
    const unsigned rotations = inverse ^ std::rotl(inverse, 1) ^ std::rotl(inverse, 2) ^
                               std::rotl(inverse, 3) ^ std::rotl(inverse, 4);
    box[element] = static_cast<std::uint8_t>(rotations ^ 0x63U);
  } while (element != 1);
  box[0] = 0x63;  // zero has no inverse and stands for its own
  return box;
}

constexpr Bytes256 inverse_of(const Bytes256& box) {
  Bytes256 result{};
  for (unsigned i = 0; i < box.size(); ++i) result[box[i]] = static_cast<std::uint8_t>(i);
  return result;
}

constexpr Bytes256 kSubstitution = make_substitution();
constexpr Bytes256 kInverseSubstitution = inverse_of(kSubstitution);
// The example of section 5.1.1.
static_assert(kSubstitution[0x53] == 0xed && kInverseSubstitution[0xed] == 0x53);

constexpr void add(Block& state, const Block& key) {
  for (std::size_t i = 0; i < state.size(); ++i) {
    state[i] = static_cast<std::uint8_t>(state[i] ^ key[i]);
  }
}

// The state is filled column by column: the byte in row r and column c is at 4c + r (section 3.4).
// Row r shifts by r columns, to the left when encrypting.
constexpr Block substitute_and_shift(const Block& state) {
  Block result{};
  for (std::size_t i = 0; i < state.size(); ++i) {
    result[i] = kSubstitution[state[(i + 4 * (i % 4)) % 16]];
  }
  return result;
}

constexpr Block shift_back_and_substitute(const Block& state) {
  Block result{};
  for (std::size_t i = 0; i < state.size(); ++i) {
    result[(i + 4 * (i % 4)) % 16] = kInverseSubstitution[state[i]];
  }
  return result;
}

// A column times the matrix of section 5.1.3, whose rows are 2 3 1 1 rotated: every byte becomes
// 2a + 3b + c + d of itself and those below it, which is a + (a + b + c + d) + 2(a + b).
constexpr Block mix_columns(const Block& state) {
  Block result{};
  for (std::size_t c = 0; c < state.size(); c += 4) {
    const unsigned sum = state[c] ^ state[c + 1] ^ state[c + 2] ^ state[c + 3];
    for (std::size_t r = 0; r < 4; ++r) {
      const unsigned own = state[c + r];
      const unsigned below = state[c + (r + 1) % 4];
      result[c + r] = static_cast<std::uint8_t>(own ^ sum ^ times_two(own ^ below));
    }
  }
  return result;
}

// The inverse (section 5.3.3): the matrix 14 11 13 9 is 2 3 1 1 times 5 0 4 0, so a column is first
// given 4(a + c) at every byte.
constexpr Block unmix_columns(const Block& state) {
  Block result{};
  for (std::size_t i = 0; i < state.size(); ++i) {
    const unsigned opposite = state[i ^ 2U];
    result[i] = static_cast<std::uint8_t>(state[i] ^ times_two(times_two(state[i] ^ opposite)));
  }
  return mix_columns(result);
}

// The next round key from the one before (section 5.2).
constexpr Block next_round_key(const Block& before, std::uint8_t round_constant) {
  Block key = before;
  for (std::size_t i = 0; i < 4; ++i) {
    key[i] = static_cast<std::uint8_t>(key[i] ^ kSubstitution[before[12 + (i + 1) % 4]]);
  }
  key[0] = static_cast<std::uint8_t>(key[0] ^ round_constant);
  for (std::size_t i = 4; i < key.size(); ++i) {
    key[i] = static_cast<std::uint8_t>(before[i] ^ key[i - 4]);
  }
  return key;
}

// The build's baseline lacks the AES instructions, so these functions alone are built for them.
#define HAWSER_TARGET_AES __attribute__((target("aes")))

inline const __m128i* vector_at(const Block& key) noexcept {
  return static_cast<const __m128i*>(static_cast<const void*>(key.data()));
}

}  // namespace

Aes128::Aes128(const Key& key) noexcept : Aes128(key, best_implementation()) {}

Aes128::Aes128(const Key& key, Implementation implementation) noexcept
    : implementation_(implementation) {
  HAWSER_REQUIRE(implementation == Implementation::kPortable ||
                 best_implementation() == Implementation::kInstructions);
  encryption_[0] = key;
  std::uint8_t round_constant = 1;
  for (std::size_t i = 1; i <= kRounds; ++i) {
    encryption_[i] = next_round_key(encryption_[i - 1], round_constant);
    round_constant = times_two(round_constant);
  }
  for (std::size_t i = 0; i <= kRounds; ++i) {
    const Block& used = encryption_[kRounds - i];
    decryption_[i] = i == 0 || i == kRounds ? used : unmix_columns(used);
  }
}

Aes128::Implementation Aes128::best_implementation() noexcept {
  __builtin_cpu_init();
  return __builtin_cpu_supports("aes") ? Implementation::kInstructions : Implementation::kPortable;
}

Aes128::Vector Aes128::encrypt_block(Vector block) const noexcept {
  if (implementation_ == Implementation::kInstructions) return encrypt_by_instructions(block);
  return std::bit_cast<Vector>(encrypt_portably(std::bit_cast<Block>(block)));
}

Aes128::Vector Aes128::decrypt_block(Vector block) const noexcept {
  if (implementation_ == Implementation::kInstructions) return decrypt_by_instructions(block);
  return std::bit_cast<Vector>(decrypt_portably(std::bit_cast<Block>(block)));
}

Block Aes128::encrypt_block(const Block& block) const noexcept {
  return std::bit_cast<Block>(encrypt_block(std::bit_cast<Vector>(block)));
}

Block Aes128::decrypt_block(const Block& block) const noexcept {
  return std::bit_cast<Block>(decrypt_block(std::bit_cast<Vector>(block)));
}

// Section 5.1, figure 5.
Block Aes128::encrypt_portably(Block block) const noexcept {
  add(block, encryption_[0]);
  for (std::size_t round = 1; round < kRounds; ++round) {
    block = mix_columns(substitute_and_shift(block));
    add(block, encryption_[round]);
  }
  block = substitute_and_shift(block);
  add(block, encryption_[kRounds]);
  return block;
}

// Section 5.3.5, figure 15.
Block Aes128::decrypt_portably(Block block) const noexcept {
  add(block, decryption_[0]);
  for (std::size_t round = 1; round < kRounds; ++round) {
    block = unmix_columns(shift_back_and_substitute(block));
    add(block, decryption_[round]);
  }
  block = shift_back_and_substitute(block);
  add(block, decryption_[kRounds]);
  return block;
}

HAWSER_TARGET_AES Aes128::Vector Aes128::encrypt_by_instructions(Vector block) const noexcept {
  __m128i state = std::bit_cast<__m128i>(block);
  state = _mm_xor_si128(state, _mm_load_si128(vector_at(encryption_[0])));
  for (std::size_t round = 1; round < kRounds; ++round) {
    state = _mm_aesenc_si128(state, _mm_load_si128(vector_at(encryption_[round])));
  }
  state = _mm_aesenclast_si128(state, _mm_load_si128(vector_at(encryption_[kRounds])));
  return std::bit_cast<Vector>(state);
}

HAWSER_TARGET_AES Aes128::Vector Aes128::decrypt_by_instructions(Vector block) const noexcept {
  __m128i state = std::bit_cast<__m128i>(block);
  state = _mm_xor_si128(state, _mm_load_si128(vector_at(decryption_[0])));
  for (std::size_t round = 1; round < kRounds; ++round) {
    state = _mm_aesdec_si128(state, _mm_load_si128(vector_at(decryption_[round])));
  }
  state = _mm_aesdeclast_si128(state, _mm_load_si128(vector_at(decryption_[kRounds])));
  return std::bit_cast<Vector>(state);
}

}  // namespace hawser::hash
