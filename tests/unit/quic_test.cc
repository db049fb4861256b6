// QUIC's connection IDs: the headers, the draft's test vectors, every legal pair of lengths.
#include "hawser/l4/quic.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../spec/guarded_frame.h"
#include "../support/allocations.h"
#include "hawser/base/hex.h"
#include "hawser/table/service_table.h"

namespace hawser::l4 {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes bytes(std::string_view hex) {
  Bytes result(hex.size() / 2);
  if (!hex.empty()) {
    EXPECT_EQ(parse_hex(hex, result).value(), result.size());
  }
  return result;
}

ServerId id_of(std::string_view hex) {
  return parse_server_id(hex).value();
}

// --- headers -------------------------------------------------------------------------------------

struct HeaderRow {
  const char* title;
  const char* payload;
  std::size_t short_length;
  const char* id;  // null: there is none
};

constexpr std::array kHeaders{
    // RFC 9001 appendix A.2: the client's Initial of the sample packets, its header unprotected.
    HeaderRow{"version 1 Initial", "c300000001088394c8f03e5157080000449e00000002", 8,
              "8394c8f03e515708"},
    // RFC 9001 appendix A.4: a Retry; its destination is a client without a connection ID.
    HeaderRow{"an empty ID", "ff000000010008f067a5502a4262b5746f6b656e", 8, ""},
    HeaderRow{"version negotiation", "8000000000021234030a0b0c00000001", 8, "1234"},
    HeaderRow{"a version nobody knows", "80deadbeef03aabbcc00", 20, "aabbcc"},
    HeaderRow{"the ID alone", "c00000000102aabb", 8, "aabb"},
    HeaderRow{"a short header", "40a1a2a3a4ffff", 4, "a1a2a3a4"},
    HeaderRow{"a short header without the fixed bit", "00a1a2a3a4", 4, "a1a2a3a4"},
    HeaderRow{"a short header and no ID", "40", 0, ""},
    HeaderRow{"an ID one byte too long", "c00000000103aabb", 8, nullptr},
    HeaderRow{"a short header one byte too short", "40a1a2a3", 4, nullptr},
    HeaderRow{"no length", "c000000001", 0, nullptr},
    HeaderRow{"an empty datagram", "", 0, nullptr},
};

TEST(QuicHeader, LongHeadersSayTheLengthAndShortOnesHaveTheConfigured) {
  for (const HeaderRow& row : kHeaders) {
    const Bytes payload = bytes(row.payload);
    const auto id = destination_connection_id(payload, row.short_length);
    ASSERT_EQ(id.has_value(), row.id != nullptr) << row.title;
    if (id) {
      EXPECT_EQ(to_hex(*id), row.id) << row.title;
    }
  }
}

TEST(QuicHeader, AnIdOf255BytesIsWithinTheInvariants) {
  Bytes payload = bytes("c0ffffffffff");
  payload.resize(6 + 255, 0x5a);
  EXPECT_EQ(destination_connection_id(payload, 8)->size(), 255U);
  payload.pop_back();
  EXPECT_FALSE(destination_connection_id(payload, 8).has_value());
}

TEST(QuicHeader, NoLengthOfPayloadIsReadPastItsEnd) {
  spec::GuardedFrame guarded;
  for (const HeaderRow& row : kHeaders) {
    const Bytes whole = bytes(row.payload);
    for (std::size_t length = 0; length <= whole.size(); ++length) {
      const auto cut = std::span(whole).first(length);
      // One copy ends at an unreadable page, one at the end of an allocation.
      const std::span<const std::uint8_t> placed(guarded.place(cut, length), length);
      const Bytes exact(cut.begin(), cut.end());
      const auto id = destination_connection_id(placed, row.short_length);
      const auto twin = destination_connection_id(exact, row.short_length);
      ASSERT_EQ(id.has_value(), twin.has_value()) << row.title << " of " << length;
      if (id) {
        ASSERT_EQ(to_hex(*id), row.id) << row.title << " of " << length;
        ASSERT_LE(id->data() + id->size(), placed.data() + placed.size());
      }
    }
  }
}

// --- the draft's vectors -------------------------------------------------------------------------

struct Vector {
  std::uint8_t config_id;
  const char* key;  // null: none
  const char* server_id;
  const char* nonce;
  const char* connection_id;
};

// draft-ietf-quic-load-balancers-21. All encode the length in the first octet.
constexpr const char* kKey = "8f95f09245765f80256934e50c66207f";
constexpr std::array kVectors{
    // Appendix B.1. The second row is printed there as 20a350d28b4203487d970b with a nonce of nine
    // digits; it is meant to be this: the first octet is 1 << 5 | 10, the nonce lacks its leading
    // 0.
    Vector{0, nullptr, "c4605e", "4504cc4f", "07c4605e4504cc4f"},
    Vector{1, nullptr, "350d28b420", "03487d970b", "2a350d28b42003487d970b"},
    // Appendix B.2. The last row is printed with config id 3, but its connection ID begins with
    // that of config id 0 (the ciphertext does not depend on it).
    Vector{0, kKey, "ed793a", "ee080dbf", "0720b1d07b359d3c"},
    Vector{1, kKey, "ed793a51d49b8f5fab65", "ee080dbf48", "2fcc381bc74cb4fbad2823a3d1f8fed2"},
    Vector{2, kKey, "ed793a51d49b8f5f", "ee080dbf48c0d1e5", "504dd2d05a7b0de9b2b9907afb5ecf8cc3"},
    Vector{0, kKey, "ed793a51d49b8f5fab", "ee080dbf48c0d1e55d",
           "125779c9cc86beb3a3a4a3ca96fce4bfe0cdbc"},
    // Section 5.4.2.4, the worked example.
    Vector{0, "fdf726a9893ec05c0632d3956680baf0", "31441a", "9c69c275", "0767947d29be054a"},
};

QuicLbParameters parameters_of(const Vector& vector) {
  QuicLbParameters parameters{
      .config_id = vector.config_id,
      .server_id_length = static_cast<std::uint8_t>(std::string_view(vector.server_id).size() / 2),
      .nonce_length = static_cast<std::uint8_t>(std::string_view(vector.nonce).size() / 2)};
  if (vector.key != nullptr) parameters.key = parse_hex_exactly<16>(vector.key).value();
  return parameters;
}

TEST(QuicLb, DecodesTheVectorsOfTheDraft) {
  for (const Vector& vector : kVectors) {
    const QuicLb quic_lb(parameters_of(vector));
    const Bytes id = bytes(vector.connection_id);
    EXPECT_EQ(quic_lb.connection_id_length(), id.size());
    const auto server_id = quic_lb.server_id(id);
    ASSERT_TRUE(server_id.has_value()) << vector.connection_id;
    EXPECT_EQ(to_string(*server_id), vector.server_id) << vector.connection_id;
  }
}

TEST(QuicLb, WritesTheVectorsOfTheDraft) {
  for (const Vector& vector : kVectors) {
    const QuicLb quic_lb(parameters_of(vector));
    Bytes id(quic_lb.connection_id_length());
    EXPECT_EQ(quic_lb.write_connection_id(id, id_of(vector.server_id), bytes(vector.nonce)),
              id.size());
    EXPECT_EQ(to_hex(id), vector.connection_id);
  }
}

// --- all lengths ---------------------------------------------------------------------------------

// Calls `use` with every legal pair of lengths, with key and without.
template <typename Use>
int for_each_legal(Use&& use) {
  int count = 0;
  for (unsigned config_id = 0; config_id < 8; ++config_id) {
    for (unsigned server_id = 0; server_id < 20; ++server_id) {
      for (unsigned nonce = 0; nonce < 20; ++nonce) {
        QuicLbParameters parameters{.config_id = static_cast<std::uint8_t>(config_id),
                                    .server_id_length = static_cast<std::uint8_t>(server_id),
                                    .nonce_length = static_cast<std::uint8_t>(nonce)};
        if (!check(parameters)) continue;
        use(parameters);
        parameters.key = parse_hex_exactly<16>(kKey).value();
        use(parameters);
        ++count;
      }
    }
  }
  return count;
}

Bytes random_bytes(std::size_t count, std::mt19937& random) {
  Bytes result(count);
  for (std::uint8_t& byte : result) byte = static_cast<std::uint8_t>(random());
  return result;
}

TEST(QuicLb, WhatIsWrittenIsReadAtEveryLegalLength) {
  std::mt19937 random(1);
  const int legal = for_each_legal([&](const QuicLbParameters& parameters) {
    const QuicLb quic_lb(parameters);
    for (int round = 0; round < 8; ++round) {
      const ServerId id = server_id_from(random_bytes(parameters.server_id_length, random)).value();
      const Bytes nonce = random_bytes(parameters.nonce_length, random);
      Bytes written(quic_lb.connection_id_length());
      ASSERT_EQ(quic_lb.write_connection_id(written, id, nonce), written.size());
      ASSERT_EQ(written[0] >> 5, parameters.config_id);
      ASSERT_EQ((written[0] & 0x1f) + 1U, written.size());
      ASSERT_EQ(quic_lb.server_id(written), id) << to_hex(written);
      // The first octet's other bits and what a server appends change nothing.
      written[0] = static_cast<std::uint8_t>(written[0] ^ (random() & 0x1fU));
      written.resize(written.size() + 1 + random() % 4, 0xee);
      ASSERT_EQ(quic_lb.server_id(written), id) << to_hex(written);
    }
  });
  // 15 lengths of server id, each with nonces of 4 to 19 less it: 15 + 14 + ... + 1, times 7 ids.
  EXPECT_EQ(legal, 7 * 120);
}

TEST(QuicLb, AgreesWithItsTwinAtEveryLegalLength) {
  // The number is what `tests/system/quic_peer.py digest` prints: FNV-1a over one connection ID of
  // each pair of lengths, by an implementation that shares nothing with this one.
  std::uint64_t digest = 0xcbf29ce484222325U;
  for_each_legal([&](const QuicLbParameters& parameters) {
    if (parameters.config_id != 5 || !parameters.key) return;
    ServerId id{.length = parameters.server_id_length};
    for (std::uint8_t i = 0; i < id.length; ++i) id.bytes[i] = static_cast<std::uint8_t>(i + 1);
    Bytes nonce(parameters.nonce_length);
    std::iota(nonce.begin(), nonce.end(), std::uint8_t{0x80});
    const QuicLb quic_lb(parameters);
    Bytes written(quic_lb.connection_id_length());
    ASSERT_EQ(quic_lb.write_connection_id(written, id, nonce), written.size());
    for (const std::uint8_t byte : written) digest = (digest ^ byte) * 0x100000001b3U;
  });
  EXPECT_EQ(digest, 0x379f61ac1edb9442U);
}

TEST(QuicLb, EveryBitOfTheNonceReachesTheCiphertext) {
  for_each_legal([](const QuicLbParameters& parameters) {
    if (!parameters.key || parameters.config_id != 0) return;
    const QuicLb quic_lb(parameters);
    const ServerId id = server_id_from(Bytes(parameters.server_id_length, 0x42)).value();
    std::vector<std::string> seen;
    for (unsigned bit = 0; bit < parameters.nonce_length * 8U; ++bit) {
      Bytes nonce(parameters.nonce_length);
      nonce[bit / 8] = static_cast<std::uint8_t>(1U << bit % 8);
      Bytes written(quic_lb.connection_id_length());
      ASSERT_EQ(quic_lb.write_connection_id(written, id, nonce), written.size());
      ASSERT_EQ(quic_lb.server_id(written), id);
      seen.push_back(to_hex(written));
    }
    std::sort(seen.begin(), seen.end());
    ASSERT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
  });
}

TEST(QuicLb, AnIdTooShortDoesNotDecodeAndIsNotReadPastItsEnd) {
  spec::GuardedFrame guarded;
  for_each_legal([&](const QuicLbParameters& parameters) {
    const QuicLb quic_lb(parameters);
    const Bytes whole(quic_lb.connection_id_length(),
                      static_cast<std::uint8_t>(parameters.config_id << 5U));
    for (std::size_t length = 0; length <= whole.size(); ++length) {
      const auto cut = std::span(whole).first(length);
      const std::span<const std::uint8_t> placed(guarded.place(cut, length), length);
      const Bytes exact(cut.begin(), cut.end());
      ASSERT_EQ(quic_lb.server_id(placed).has_value(), length == whole.size());
      ASSERT_EQ(quic_lb.server_id(exact), quic_lb.server_id(placed));
    }
  });
}

TEST(QuicLb, AnotherConfigIdDoesNotDecode) {
  for (unsigned own = 0; own < 7; ++own) {
    const QuicLb quic_lb(QuicLbParameters{.config_id = static_cast<std::uint8_t>(own)});
    for (unsigned first = 0; first < 256; ++first) {
      Bytes id(quic_lb.connection_id_length());
      id[0] = static_cast<std::uint8_t>(first);
      EXPECT_EQ(quic_lb.server_id(id).has_value(), first >> 5U == own) << own << " " << first;
    }
  }
}

TEST(QuicLb, WritingRefusesWhatDoesNotFit) {
  const QuicLb quic_lb(QuicLbParameters{.server_id_length = 2, .nonce_length = 4});
  const Bytes nonce = bytes("01020304");
  Bytes out(7, 0xaa);
  EXPECT_EQ(quic_lb.write_connection_id(std::span(out).first(6), id_of("0102"), nonce), 0U);
  EXPECT_EQ(quic_lb.write_connection_id(out, id_of("010203"), nonce), 0U);
  EXPECT_EQ(quic_lb.write_connection_id(out, id_of("01"), nonce), 0U);
  EXPECT_EQ(quic_lb.write_connection_id(out, id_of("0102"), std::span(nonce).first(3)), 0U);
  EXPECT_EQ(out, Bytes(7, 0xaa));
  EXPECT_EQ(quic_lb.write_connection_id(out, id_of("0102"), nonce, 0xff), 7U);
  EXPECT_EQ(to_hex(out), "1f010201020304");
}

TEST(QuicLb, RoutingAPacketDoesNotAllocate) {
  const Vector& vector = kVectors[3];
  const QuicLb quic_lb(parameters_of(vector));
  const Bytes packet = bytes(std::string("40") + vector.connection_id + "0102030405060708");
  const std::uint64_t before = tests::allocations();
  const auto id = destination_connection_id(packet, quic_lb.connection_id_length());
  const auto server_id = quic_lb.server_id(*id);
  const std::uint64_t after = tests::allocations();
  EXPECT_EQ(after, before);
  EXPECT_EQ(to_string(server_id.value()), vector.server_id);
}

// --- parameters and server ids -------------------------------------------------------------------

TEST(QuicLbParameters, ErrorsSayWhatMayBe) {
  struct Row {
    QuicLbParameters parameters;
    const char* says;
  };
  const std::array rows{
      Row{{.config_id = 7}, "config id 7 is for servers without a configuration; choose 0 to 6"},
      Row{{.config_id = 8}, "config id is 8; it must be 0 to 6"},
      Row{{.server_id_length = 0}, "server id length is 0; it must be 1 to 15"},
      Row{{.server_id_length = 16}, "server id length is 16; it must be 1 to 15"},
      Row{{.nonce_length = 3}, "nonce length is 3; it must be 4 to 18"},
      Row{{.nonce_length = 19}, "nonce length is 19; it must be 4 to 18"},
      Row{{.server_id_length = 10, .nonce_length = 10},
          "server id and nonce have 20 bytes together; at most 19 fit a connection ID of QUIC "
          "version 1, so shorten one of them"},
  };
  for (const Row& row : rows) {
    const Result<void> result = check(row.parameters);
    ASSERT_FALSE(result.has_value()) << row.says;
    EXPECT_EQ(result.error().message, row.says);
  }
  EXPECT_TRUE(check(QuicLbParameters{.server_id_length = 15, .nonce_length = 4}).has_value());
  EXPECT_TRUE(check(QuicLbParameters{.server_id_length = 1, .nonce_length = 18}).has_value());
}

TEST(ServerId, TextSurvivesTheRoundTrip) {
  for (const char* text : {"00", "0a", "ed793a51d49b8f5fab6501020304ff"}) {
    EXPECT_EQ(to_string(id_of(text)), text);
  }
  for (const char* text : {"", "0", "0x01", "000102030405060708090a0b0c0d0e0f"}) {
    const Result<ServerId> id = parse_server_id(text);
    ASSERT_FALSE(id.has_value()) << text;
    EXPECT_EQ(id.error().message.substr(0, 11), "server id: ");
  }
  EXPECT_FALSE(server_id_from({}).has_value());
  EXPECT_FALSE(server_id_from(Bytes(16)).has_value());
}

TEST(ServerId, IsAKeyOfAnOpenTable) {
  std::vector<std::pair<ServerId, std::uint32_t>> entries;
  for (unsigned i = 0; i < 1000; ++i) {
    const Bytes raw{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8U)};
    entries.emplace_back(server_id_from(raw).value(), i);
  }
  // The same bytes and another length are another id.
  entries.emplace_back(id_of("00"), 1000);
  entries.emplace_back(id_of("000000"), 1001);
  const table::OpenTable<ServerId, std::uint32_t> table(entries);
  for (const auto& [id, value] : entries) {
    const std::uint32_t* found = table.find(id);
    ASSERT_NE(found, nullptr) << to_string(id);
    EXPECT_EQ(*found, value);
  }
  EXPECT_EQ(table.find(id_of("ffff")), nullptr);
  EXPECT_EQ(table.find(id_of("00000000")), nullptr);
}

TEST(ServerId, HashesSpreadOverTheLowBits) {
  // What OpenTable uses: 4096 ids that differ in one byte pair over 4096 places. Random placement
  // leaves about 1/e of them empty.
  for (std::size_t at = 0; at + 1 < 15; ++at) {
    std::vector<bool> used(4096);
    for (unsigned i = 0; i < 4096; ++i) {
      ServerId id{.length = 15};
      id.bytes[at] = static_cast<std::uint8_t>(i);
      id.bytes[at + 1] = static_cast<std::uint8_t>(i >> 8U);
      used[id.hash() % used.size()] = true;
    }
    const auto filled = std::count(used.begin(), used.end(), true);
    EXPECT_GT(filled, 4096 * 60 / 100) << at;
  }
}

}  // namespace
}  // namespace hawser::l4
