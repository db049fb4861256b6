// AES-128 on single blocks (FIPS 197): what QUIC-LB connection IDs are encrypted with.
//
// The key schedule is made once; both directions only read it. With the processor's AES
// instructions a block takes a few tens of cycles. The portable twin serves processors without them
// and tests; its table look-ups let the time depend on the data, the instructions' time does not.
// Threading: immutable after construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace hawser::hash {

class Aes128 {
 public:
  using Key = std::array<std::uint8_t, 16>;
  using Block = std::array<std::uint8_t, 16>;
  // A block in a vector register: the first eight bytes in word 0, little-endian. Chains of blocks
  // stay in registers; by way of memory each link would cost another 20 ns.
  using Vector = std::uint64_t __attribute__((vector_size(16)));

  enum class Implementation : std::uint8_t { kPortable, kInstructions };

  // Takes the instructions where the processor has them.
  explicit Aes128(const Key& key) noexcept;
  // For tests and benchmarks; kInstructions only where best_implementation() says so.
  Aes128(const Key& key, Implementation implementation) noexcept;

  // The best that this processor can do.
  [[nodiscard]] static Implementation best_implementation() noexcept;

  [[nodiscard]] Block encrypt_block(const Block& block) const noexcept;
  [[nodiscard]] Block decrypt_block(const Block& block) const noexcept;
  [[nodiscard]] Vector encrypt_block(Vector block) const noexcept;
  [[nodiscard]] Vector decrypt_block(Vector block) const noexcept;

 private:
  static constexpr std::size_t kRounds = 10;
  using RoundKeys = std::array<Block, kRounds + 1>;

  [[nodiscard]] Block encrypt_portably(Block block) const noexcept;
  [[nodiscard]] Block decrypt_portably(Block block) const noexcept;
  [[nodiscard]] Vector encrypt_by_instructions(Vector block) const noexcept;
  [[nodiscard]] Vector decrypt_by_instructions(Vector block) const noexcept;

  alignas(16) RoundKeys encryption_{};
  // In the order of use and transformed for the equivalent inverse cipher (section 5.3.5), which is
  // what the instructions compute.
  alignas(16) RoundKeys decryption_{};
  Implementation implementation_;
};

}  // namespace hawser::hash
