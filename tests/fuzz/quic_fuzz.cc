// Fuzz target: datagrams as QUIC packets, under whatever QUIC-LB parameters the input asks for.
//
// Input: config id, server id length, nonce length, one byte with a bit for the key and the length
// of short headers' connection IDs, then the datagram.
#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "hawser/base/bytes.h"
#include "hawser/base/contract.h"
#include "hawser/base/hex.h"
#include "hawser/l4/quic.h"
#include "target.h"

namespace hawser::tests {
namespace {

struct Head {
  std::uint8_t config_id;
  std::uint8_t server_id_length;
  std::uint8_t nonce_length;
  std::uint8_t key_and_short_length;
};

l4::QuicLbParameters parameters_of(const Head& head) {
  l4::QuicLbParameters parameters{.config_id = head.config_id,
                                  .server_id_length = head.server_id_length,
                                  .nonce_length = head.nonce_length};
  if ((head.key_and_short_length & 1U) != 0) parameters.key = hash::Aes128::Key{1, 2, 3};
  return parameters;
}

// What stands in the datagram, taken for a server id and a nonce, survives the way there and back.
void require_round_trip(const l4::QuicLb& quic_lb, const l4::QuicLbParameters& parameters,
                        std::span<const std::uint8_t> datagram) {
  const std::size_t length = parameters.server_id_length;
  if (datagram.size() < length + parameters.nonce_length) return;
  const auto id = l4::server_id_from(datagram.first(length));
  HAWSER_REQUIRE(id.has_value());
  std::vector<std::uint8_t> written(quic_lb.connection_id_length());
  const std::size_t size =
      quic_lb.write_connection_id(written, *id, datagram.subspan(length, parameters.nonce_length));
  HAWSER_REQUIRE(size == written.size());
  HAWSER_REQUIRE(quic_lb.server_id(written) == id);
}

void require_hex_round_trip(std::span<const std::uint8_t> datagram) {
  const std::string text(datagram.begin(), datagram.end());
  const Result<l4::ServerId> id = l4::parse_server_id(text);
  if (!id) return;
  const std::string again = l4::to_string(*id);
  HAWSER_REQUIRE(
      std::equal(again.begin(), again.end(), text.begin(), text.end(),
                 [](char a, char b) { return a == (b >= 'A' && b <= 'F' ? b + 32 : b); }));
  HAWSER_REQUIRE(l4::parse_server_id(again).value() == *id);
}

}  // namespace
}  // namespace hawser::tests

void fuzz_one(std::span<const std::uint8_t> input) {
  using namespace hawser;
  using namespace hawser::tests;
  Reader reader(input);
  Head head{};
  if (!reader.read(head)) return;
  // A copy of its own, so that ASan sees what is read past the end.
  const std::vector<std::uint8_t> datagram(reader.rest().begin(), reader.rest().end());
  require_hex_round_trip(datagram);
  const auto id = l4::destination_connection_id(datagram, head.key_and_short_length >> 1U);
  if (id) {
    HAWSER_REQUIRE(id->size() < datagram.size());
    HAWSER_REQUIRE(id->empty() || (id->data() > datagram.data() &&
                                   id->data() + id->size() <= datagram.data() + datagram.size()));
  }
  const l4::QuicLbParameters parameters = parameters_of(head);
  if (!check(parameters)) return;
  const l4::QuicLb quic_lb(parameters);
  require_round_trip(quic_lb, parameters, datagram);
  if (!id) return;
  const auto server_id = quic_lb.server_id(*id);
  HAWSER_REQUIRE(server_id.has_value() == (id->size() >= quic_lb.connection_id_length() &&
                                           (*id)[0] >> 5U == parameters.config_id));
  if (server_id) {
    const auto used = server_id->used();
    HAWSER_REQUIRE(l4::server_id_from(used) == server_id);  // nothing beyond its length
  }
}
