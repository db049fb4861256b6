// AES-128: the vectors of FIPS 197 and SP 800-38A, and both implementations against each other.
#include "hawser/hash/aes.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "hawser/base/hex.h"

namespace hawser::hash {
namespace {

using Implementation = Aes128::Implementation;

Aes128::Block block(std::string_view hex) {
  return parse_hex_exactly<16>(hex).value();
}

std::vector<Implementation> implementations() {
  std::vector<Implementation> result{Implementation::kPortable};
  if (Aes128::best_implementation() != result[0]) result.push_back(Implementation::kInstructions);
  return result;
}

struct Vector {
  const char* source;
  const char* key;
  const char* plaintext;
  const char* ciphertext;
};

constexpr std::array kVectors{
    Vector{"FIPS 197 appendix B", "2b7e151628aed2a6abf7158809cf4f3c",
           "3243f6a8885a308d313198a2e0370734", "3925841d02dc09fbdc118597196a0b32"},
    Vector{"FIPS 197 appendix C.1", "000102030405060708090a0b0c0d0e0f",
           "00112233445566778899aabbccddeeff", "69c4e0d86a7b0430d8cdb78070b4c55a"},
    Vector{"SP 800-38A appendix F.1.1, block 1", "2b7e151628aed2a6abf7158809cf4f3c",
           "6bc1bee22e409f96e93d7e117393172a", "3ad77bb40d7a3660a89ecaf32466ef97"},
    Vector{"SP 800-38A appendix F.1.1, block 2", "2b7e151628aed2a6abf7158809cf4f3c",
           "ae2d8a571e03ac9c9eb76fac45af8e51", "f5d3d58503b9699de785895a96fdbaaf"},
    Vector{"SP 800-38A appendix F.1.1, block 3", "2b7e151628aed2a6abf7158809cf4f3c",
           "30c81c46a35ce411e5fbc1191a0a52ef", "43b1cd7f598ece23881b00e3ed030688"},
    Vector{"SP 800-38A appendix F.1.1, block 4", "2b7e151628aed2a6abf7158809cf4f3c",
           "f69f2445df4f9b17ad2b417be66c3710", "7b0c785e27e8ad3f8223207104725dd4"},
};

TEST(Aes128, MatchesThePublishedVectorsBothWays) {
  for (const Implementation implementation : implementations()) {
    for (const Vector& vector : kVectors) {
      const Aes128 aes(block(vector.key), implementation);
      EXPECT_EQ(to_hex(aes.encrypt_block(block(vector.plaintext))), vector.ciphertext)
          << vector.source << ", implementation " << static_cast<int>(implementation);
      EXPECT_EQ(to_hex(aes.decrypt_block(block(vector.ciphertext))), vector.plaintext)
          << vector.source << ", implementation " << static_cast<int>(implementation);
    }
  }
}

Aes128::Block random_block(std::mt19937_64& random) {
  Aes128::Block result{};
  for (std::uint8_t& byte : result) byte = static_cast<std::uint8_t>(random());
  return result;
}

TEST(Aes128, TheInstructionsAgreeWithThePortableTwin) {
  if (Aes128::best_implementation() == Implementation::kPortable) {
    GTEST_SKIP() << "this processor has no AES instructions";
  }
  std::mt19937_64 random(1);
  for (int round = 0; round < 20'000; ++round) {
    const Aes128::Key key = random_block(random);
    const Aes128 portable(key, Implementation::kPortable);
    const Aes128 instructions(key, Implementation::kInstructions);
    const Aes128::Block input = random_block(random);
    ASSERT_EQ(portable.encrypt_block(input), instructions.encrypt_block(input)) << to_hex(key);
    ASSERT_EQ(portable.decrypt_block(input), instructions.decrypt_block(input)) << to_hex(key);
  }
}

TEST(Aes128, DecryptionUndoesEncryption) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 1000; ++round) {
    const Aes128 aes(random_block(random));
    const Aes128::Block input = random_block(random);
    const Aes128::Block output = aes.encrypt_block(input);
    ASSERT_NE(output, input);
    ASSERT_EQ(aes.decrypt_block(output), input);
  }
}

TEST(Hex, BytesSurviveTheRoundTrip) {
  std::array<std::uint8_t, 4> out{};
  EXPECT_EQ(parse_hex("00fFa9", out).value(), 3U);
  EXPECT_EQ(to_hex(std::span(out).first(3)), "00ffa9");
  EXPECT_EQ(out[3], 0);
  EXPECT_EQ(to_hex(parse_hex_exactly<4>("DEADBEEF").value()), "deadbeef");
}

TEST(Hex, RefusesWhatIsNoneAndKeepsTheTextToItself) {
  std::array<std::uint8_t, 4> out{1, 2, 3, 4};
  for (const char* text : {"", "1", "123", "0x12", "12 34", "1g", "12:34", "0011223344", " 12"}) {
    const Result<std::size_t> result = parse_hex(text, out);
    ASSERT_FALSE(result.has_value()) << text;
  }
  EXPECT_EQ(out, (std::array<std::uint8_t, 4>{1, 2, 3, 4}));
  const std::string message = parse_hex("5ec2e7zz", out).error().message;
  EXPECT_EQ(message.find("5ec2e7"), std::string::npos) << message;
  EXPECT_NE(parse_hex("12g4", out).error().message.find("character 3"), std::string::npos);
  EXPECT_NE(parse_hex_exactly<4>("001122").error().message.find("8 hexadecimal digits"),
            std::string::npos);
}

}  // namespace
}  // namespace hawser::hash
