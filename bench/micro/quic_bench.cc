// QUIC connection IDs: cost of finding the server id of a packet, in the forms of QUIC-LB.
#include <array>
#include <vector>

#include <benchmark/benchmark.h>

#include "hawser/hash/aes.h"
#include "hawser/l4/quic.h"

namespace hawser::l4 {
namespace {

constexpr hash::Aes128::Key kKey{0x8f, 0x95, 0xf0, 0x92, 0x45, 0x76, 0x5f, 0x80,
                                 0x25, 0x69, 0x34, 0xe5, 0x0c, 0x66, 0x20, 0x7f};

// A packet with a short header, from the first byte of the payload to the hash of the server id.
// The packets differ, so that no branch learns them; 256 of them stay in L1.
void find_server_id(benchmark::State& state, const QuicLbParameters& parameters) {
  const QuicLb quic_lb(parameters);
  ServerId id{.length = parameters.server_id_length};
  std::vector<std::array<std::uint8_t, 32>> packets(256);
  for (std::size_t i = 0; i < packets.size(); ++i) {
    packets[i][0] = 0x40;
    id.bytes[0] = static_cast<std::uint8_t>(i);
    const std::vector<std::uint8_t> nonce(parameters.nonce_length, static_cast<std::uint8_t>(i));
    static_cast<void>(quic_lb.write_connection_id(std::span(packets[i]).subspan(1), id, nonce));
  }
  std::size_t next = 0;
  std::size_t wrong = 0;
  for (auto _ : state) {
    const auto found =
        destination_connection_id(packets[next % packets.size()], quic_lb.connection_id_length());
    const auto server_id = quic_lb.server_id(*found);
    benchmark::DoNotOptimize(server_id->hash());
    wrong += server_id->bytes[0] != next % packets.size() ? 1U : 0U;
    ++next;
  }
  if (wrong != 0) state.SkipWithError("a server id was not found again");
}
BENCHMARK_CAPTURE(find_server_id, plaintext,
                  QuicLbParameters{.server_id_length = 4, .nonce_length = 8});
BENCHMARK_CAPTURE(find_server_id, single_pass,
                  QuicLbParameters{.server_id_length = 4, .nonce_length = 12, .key = kKey});
// Three passes are enough when the nonce is as long as the server id.
BENCHMARK_CAPTURE(find_server_id, three_of_four_passes,
                  QuicLbParameters{.server_id_length = 4, .nonce_length = 8, .key = kKey});
BENCHMARK_CAPTURE(find_server_id, four_passes,
                  QuicLbParameters{.server_id_length = 10, .nonce_length = 5, .key = kKey});

void aes_block(benchmark::State& state, hash::Aes128::Implementation implementation) {
  if (implementation > hash::Aes128::best_implementation()) {
    state.SkipWithError("this processor has no AES instructions");
    return;
  }
  const hash::Aes128 aes(kKey, implementation);
  hash::Aes128::Block block{};
  for (auto _ : state) {
    block = aes.encrypt_block(block);
    benchmark::DoNotOptimize(block);
  }
}
BENCHMARK_CAPTURE(aes_block, instructions, hash::Aes128::Implementation::kInstructions);
BENCHMARK_CAPTURE(aes_block, portable, hash::Aes128::Implementation::kPortable);

}  // namespace
}  // namespace hawser::l4
