// ClientHello: what is no TLS, and records and messages that are refused.
#include "client_hello_build.h"

namespace hawser::l7 {
namespace {

using enum HelloState;

// --- no TLS --------------------------------------------------------------------------------------

TEST(NotTls, IsKnownAtTheFirstByteThatDiffers) {
  EXPECT_EQ(state_of({}), kIncomplete);
  for (unsigned byte = 0; byte < 256; ++byte) {
    const auto value = static_cast<std::uint8_t>(byte);
    EXPECT_EQ(state_of({value}), value == 22 ? kIncomplete : kNotTls) << byte;
    EXPECT_EQ(state_of({22, value}), value == 3 ? kIncomplete : kNotTls) << byte;
    EXPECT_EQ(state_of({22, 3, value}), kIncomplete) << byte;
  }
}

TEST(NotTls, OtherProtocols) {
  EXPECT_EQ(state_of(text("GET / HTTP/1.1\r\nHost: a\r\n\r\n")), kNotTls);
  EXPECT_EQ(state_of(text("SSH-2.0-OpenSSH_9.2\r\n")), kNotTls);
  EXPECT_EQ(state_of(text("PROXY TCP4 192.0.2.1 192.0.2.2 1 443\r\n")), kNotTls);
  // The CLIENT-HELLO of SSL 2.0 (RFC 5246 appendix E.2).
  EXPECT_EQ(state_of({0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10}), kNotTls);
  // An alert, and DTLS 1.2.
  EXPECT_EQ(state_of({21, 3, 3, 0, 2, 1, 0}), kNotTls);
  EXPECT_EQ(state_of({22, 0xfe, 0xfd, 0, 0}), kNotTls);
}

// --- records -------------------------------------------------------------------------------------

const Bytes kHello = hello_message(server_name("a.example"));

TEST(HelloRecords, AnyMinorVersionIsTaken) {
  for (unsigned minor = 0; minor < 256; ++minor) {
    Bytes bytes = record(kHello);
    bytes[2] = static_cast<std::uint8_t>(minor);
    EXPECT_EQ(state_of(bytes), kComplete) << minor;
  }
}

TEST(HelloRecords, NoneIsEmpty) {
  const Bytes empty{22, 3, 1, 0, 0};
  EXPECT_EQ(state_of(empty), kMalformed);
  EXPECT_EQ(state_of(record(prefix(kHello, 2)) + empty), kMalformed);
  EXPECT_EQ(state_of(record(prefix(kHello, 20)) + empty), kMalformed);
}

TEST(HelloRecords, OfMoreThan16KilobytesAreMalformed) {
  EXPECT_EQ(state_of({22, 3, 1, 0x40, 0x01}), kMalformed);
  EXPECT_EQ(state_of({22, 3, 1, 0xff, 0xff}), kMalformed);
}

TEST(HelloRecords, NothingElseComesBetween) {
  const Bytes first = record(prefix(kHello, 10));
  for (unsigned type = 0; type < 256; ++type) {
    const auto value = static_cast<std::uint8_t>(type);
    EXPECT_EQ(state_of(first + Bytes{value}), type == 22 ? kIncomplete : kMalformed) << type;
  }
  EXPECT_EQ(state_of(first + Bytes{22, 2}), kMalformed);
}

TEST(HelloRecords, TheHelloEndsWithItsRecord) {
  for (const Bytes& more : {Bytes{0}, Bytes{16, 0, 0, 0}, kHello}) {
    EXPECT_EQ(state_of(record(kHello + more)), kMalformed);
    const Bytes tail = Bytes(kHello.begin() + 9, kHello.end()) + more;
    EXPECT_EQ(state_of(record(prefix(kHello, 9)) + record(tail)), kMalformed);
  }
  // It is known once both lengths are.
  EXPECT_EQ(state_of(prefix(record(kHello + Bytes{0}), 5 + 4)), kMalformed);
  EXPECT_EQ(state_of(prefix(record(kHello + Bytes{0}), 5 + 3)), kIncomplete);
}

// --- size ----------------------------------------------------------------------------------------

// A hello that has so many bytes as a message.
Bytes hello_of(std::size_t size) {
  const Bytes least = hello_message(extension(0xabcd, {}));
  return hello_message(extension(0xabcd, Bytes(size - least.size())));
}

TEST(HelloSize, TheLimitCountsRecordHeaders) {
  const std::size_t limit = limits::kMaxClientHello;
  ASSERT_EQ(hello_of(limit - 5).size(), limit - 5);
  EXPECT_EQ(state_of(record(hello_of(limit - 5))), kComplete);
  EXPECT_EQ(state_of(record(hello_of(limit - 4))), kTooLarge);
  EXPECT_EQ(state_of(records(hello_of(limit - 10), limit / 2)), kComplete);
  EXPECT_EQ(state_of(records(hello_of(limit - 9), limit / 2)), kTooLarge);
  // In records of one byte each, a hello of a sixth of the limit is as large as may be.
  EXPECT_EQ(state_of(records(hello_of(limit / 6), 1)), kComplete);
  EXPECT_EQ(state_of(records(hello_of(limit / 6 + 1), 1)), kTooLarge);
}

TEST(HelloSize, TooLargeIsKnownWithTheLength) {
  EXPECT_EQ(state_of({22, 3, 1, 0x40, 0x00}), kTooLarge);
  EXPECT_EQ(state_of({22, 3, 1, 0, 4, 1, 0, 0x3f, 0xf8}), kTooLarge);
  EXPECT_EQ(state_of({22, 3, 1, 0, 4, 1, 0, 0x3f, 0xf7}), kIncomplete);
  EXPECT_EQ(state_of({22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff}), kTooLarge);
}

// --- the message ---------------------------------------------------------------------------------

struct BodyRow {
  const char* title;
  Bytes body;
  HelloState state;
};

TEST(HelloMessage, IsReadInTheOrderOfTheRfc) {
  const Bytes version_and_random(34, 3);
  const Bytes ciphers{0, 2, 0x13, 0x01};
  const Bytes null_compression{1, 0};
  const Bytes longest_session = vector_of(1, Bytes(32));
  const std::vector<BodyRow> rows{
      {"without extensions", kStart + kCiphers, kComplete},
      {"with no extension", kStart + kCiphers + Bytes{0, 0}, kComplete},
      {"a session id of 32 bytes", version_and_random + longest_session + kCiphers, kComplete},
      {"one of 33", version_and_random + vector_of(1, Bytes(33)) + kCiphers, kMalformed},
      {"nothing", {}, kMalformed},
      {"a random too short", Bytes(33), kMalformed},
      {"no session id", version_and_random, kMalformed},
      {"a session id beyond the end", version_and_random + Bytes{5, 0}, kMalformed},
      {"no cipher", kStart + Bytes{0, 0} + null_compression, kMalformed},
      {"half a cipher", kStart + Bytes{0, 3, 0x13, 0x01, 0x13} + null_compression, kMalformed},
      {"ciphers beyond the end", kStart + Bytes{0, 8, 0x13, 0x01}, kMalformed},
      {"no compression", kStart + ciphers + Bytes{0}, kMalformed},
      {"compressions missing", kStart + ciphers, kMalformed},
      {"compressions beyond the end", kStart + ciphers + Bytes{2, 0}, kMalformed},
      {"half a length", kStart + kCiphers + Bytes{0}, kMalformed},
      {"extensions beyond the end", kStart + kCiphers + Bytes{0, 1}, kMalformed},
      {"bytes behind the extensions", kStart + kCiphers + Bytes{0, 0, 0}, kMalformed},
      {"half an extension", kStart + kCiphers + vector_of(2, {0, 0, 0}), kMalformed},
      {"an extension beyond the end", kStart + kCiphers + vector_of(2, {9, 9, 0, 1}), kMalformed},
      {"an empty extension", kStart + kCiphers + vector_of(2, {9, 9, 0, 0}), kComplete},
  };
  for (const BodyRow& row : rows) {
    EXPECT_EQ(state_of(record(message(row.body))), row.state) << row.title;
    EXPECT_EQ(state_of(records(message(row.body), 7)), row.state) << row.title;
  }
}

TEST(HelloMessage, EveryLengthThatIsOneOffIsRefused) {
  // Of the message, ciphers, compressions, extensions, the extension, its list and the name.
  const Bytes bytes = record(kHello);
  for (const std::size_t at : {8U, 45U, 48U, 51U, 55U, 57U, 60U}) {
    for (const int by : {-1, 1}) {
      Bytes wrong = bytes;
      wrong[at] = static_cast<std::uint8_t>(wrong[at] + by);
      const HelloState state = state_of(wrong);
      EXPECT_NE(state, kComplete) << at << " " << by;
    }
  }
}

TEST(HelloMessage, OthersAreUnexpected) {
  for (unsigned type = 0; type < 256; ++type) {
    Bytes bytes = record(kHello);
    bytes[5] = static_cast<std::uint8_t>(type);
    EXPECT_EQ(state_of(bytes), type == 1 ? kComplete : kMalformed) << type;
    EXPECT_EQ(state_of(prefix(bytes, 6)), type == 1 ? kIncomplete : kMalformed) << type;
  }
}

TEST(HelloState, HasWords) {
  EXPECT_EQ(to_string(kIncomplete), "incomplete");
  EXPECT_EQ(to_string(kComplete), "complete");
  EXPECT_EQ(to_string(kNotTls), "not_tls");
  EXPECT_EQ(to_string(kMalformed), "malformed");
  EXPECT_EQ(to_string(kTooLarge), "too_large");
}

}  // namespace
}  // namespace hawser::l7
