// ClientHello: out of the records it comes in, then its extensions.
#include "hawser/l7/client_hello.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "hawser/base/bytes.h"
#include "hawser/net/endian.h"

namespace hawser::l7 {
namespace {

using Bytes = std::span<const std::uint8_t>;

// A number of one byte or two, or a whole vector with such a length before it (RFC 8446 section
// 3.4). False, and the message is malformed, when it does not fit.
bool read_number(Reader& reader, std::uint16_t& out) noexcept {
  net::Big16 number;
  if (!reader.read(number)) return false;
  out = number.host();
  return true;
}

bool take_vector8(Reader& reader, Bytes& out) noexcept {
  std::uint8_t length = 0;
  return reader.read(length) && reader.take(length, out);
}

bool take_vector16(Reader& reader, Bytes& out) noexcept {
  std::uint16_t length = 0;
  return read_number(reader, length) && reader.take(length, out);
}

// --- records (RFC 8446 section 5.1) --------------------------------------------------------------

constexpr std::uint8_t kHandshakeRecord = 22;
constexpr std::uint8_t kMajorVersion = 3;  // of every SSL and TLS since SSL 3.0
constexpr std::size_t kRecordHeader = 5;
constexpr std::size_t kRecordPayload = 1U << 14;
constexpr std::uint8_t kClientHelloMessage = 1;
constexpr std::size_t kMessageHeader = 4;  // type and length

// The fragments of a message, in one piece. A message in one record, nearly every one, stays where
// it is.
class Message {
 public:
  void add(Bytes fragment) noexcept {
    if (whole_.empty()) {
      whole_ = fragment;
      return;
    }
    if (whole_.data() != joined_.data()) std::memcpy(joined_.data(), whole_.data(), whole_.size());
    std::memcpy(joined_.data() + whole_.size(), fragment.data(), fragment.size());
    whole_ = Bytes(joined_.data(), whole_.size() + fragment.size());
  }

  [[nodiscard]] Bytes bytes() const noexcept { return whole_; }
  // Its length with its header, once that is there.
  [[nodiscard]] std::optional<std::size_t> length() const noexcept {
    if (whole_.size() < kMessageHeader) return std::nullopt;
    return kMessageHeader +
           (std::size_t{whole_[1]} << 16U | std::size_t{whole_[2]} << 8U | std::size_t{whole_[3]});
  }

 private:
  Bytes whole_;
  std::array<std::uint8_t, limits::kMaxClientHello> joined_;
};

// What can be said of the record at `offset`, of whose payload `length` is set with kComplete. The
// first bytes of a connection may be of any protocol, those that follow a record of TLS may not.
HelloState read_record_header(Bytes bytes, std::size_t offset, std::size_t& length) noexcept {
  const Bytes header = bytes.subspan(offset);
  const HelloState foreign = offset == 0 ? HelloState::kNotTls : HelloState::kMalformed;
  if (!header.empty() && header[0] != kHandshakeRecord) return foreign;
  if (header.size() > 1 && header[1] != kMajorVersion) return foreign;
  if (header.size() < kRecordHeader) return HelloState::kIncomplete;
  length = load<net::Big16>(&header[3]).host();
  if (length == 0 || length > kRecordPayload) return HelloState::kMalformed;
  if (offset + kRecordHeader + length > limits::kMaxClientHello) return HelloState::kTooLarge;
  return HelloState::kComplete;
}

// Of a message whose first bytes have come, with `missing` more of the last record to come.
HelloState check_message(const Message& message, std::size_t missing) noexcept {
  const Bytes bytes = message.bytes();
  if (!bytes.empty() && bytes[0] != kClientHelloMessage) return HelloState::kMalformed;
  const std::optional<std::size_t> length = message.length();
  if (!length) return HelloState::kIncomplete;
  if (*length > limits::kMaxClientHello - kRecordHeader) return HelloState::kTooLarge;
  // The hello must end with its record, since the keys may change behind it.
  if (bytes.size() + missing > *length) return HelloState::kMalformed;
  return bytes.size() == *length ? HelloState::kComplete : HelloState::kIncomplete;
}

// Joins records from the start of `bytes` until the message in them is whole. `end`: where they
// end.
HelloState collect(Bytes bytes, Message& message, std::size_t& end) noexcept {
  std::size_t offset = 0;
  for (;;) {
    std::size_t length = 0;
    HelloState state = read_record_header(bytes, offset, length);
    if (state != HelloState::kComplete) return state;
    const Bytes rest = bytes.subspan(offset + kRecordHeader);
    const std::size_t here = std::min(length, rest.size());
    message.add(rest.first(here));
    state = check_message(message, length - here);
    end = offset + kRecordHeader + length;
    if (state != HelloState::kIncomplete || here < length) return state;
    offset = end;
  }
}

// --- server name (RFC 6066 section 3) ------------------------------------------------------------

constexpr std::size_t kLabel = 63;  // bytes (RFC 1035 section 2.3.4)

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool is_hex_digit(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}

// Addresses written out, which the RFC does not permit and some clients send all the same. No
// top-level domain is a number (RFC 1123 section 2.1), and no host name has a colon.
bool is_ipv4_text(std::string_view name) noexcept {
  return std::all_of(name.begin(), name.end(), [](char c) { return is_digit(c) || c == '.'; });
}
bool is_ipv6_text(std::string_view name) noexcept {
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_hex_digit(c) || c == ':' || c == '.'; });
}

// Letters, digits, hyphens, and the underscore that is in no host name but in those of many hosts;
// labels of 1 to 63 bytes.
bool is_host_name(std::string_view name) noexcept {
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_') return false;
    if (++label > kLabel) return false;
  }
  return label != 0;
}

bool keep_name(Bytes sent, ClientHello& out) noexcept {
  if (!sent.empty() && sent.back() == '.') sent = sent.first(sent.size() - 1);
  if (sent.empty() || sent.size() > out.name_bytes.size()) return false;
  std::transform(sent.begin(), sent.end(), out.name_bytes.begin(), [](std::uint8_t c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
  });
  const std::string_view name(out.name_bytes.data(), sent.size());
  if (name.find(':') != std::string_view::npos) return is_ipv6_text(name);
  if (!is_host_name(name)) return false;
  if (!is_ipv4_text(name)) out.name_length = static_cast<std::uint16_t>(name.size());
  return true;
}

bool read_server_name(Bytes extension, ClientHello& out) noexcept {
  constexpr std::uint8_t kHostName = 0;
  Reader outer(extension);
  Bytes list;
  if (!take_vector16(outer, list) || outer.remaining() != 0 || list.empty()) return false;
  Reader names(list);
  bool found = false;
  while (names.remaining() != 0) {
    std::uint8_t type = 0;
    Bytes name;
    if (!names.read(type) || !take_vector16(names, name)) return false;
    if (type != kHostName) continue;  // all that may come have a length of 16 bits, too
    if (found || !keep_name(name, out)) return false;
    found = true;
  }
  return true;
}

// --- other extensions ----------------------------------------------------------------------------

// RFC 7301 section 3.1. All protocols are checked, as many as there is room for are kept.
bool read_alpn(Bytes extension, ClientHello& out) noexcept {
  Reader outer(extension);
  Bytes list;
  if (!take_vector16(outer, list) || outer.remaining() != 0 || list.empty()) return false;
  Reader protocols(list);
  std::size_t kept = 0;
  while (protocols.remaining() != 0) {
    Bytes protocol;
    if (!take_vector8(protocols, protocol) || protocol.empty()) return false;
    const std::size_t end = list.size() - protocols.remaining();
    if (end <= out.alpn_bytes.size()) kept = end;
  }
  std::copy_n(list.begin(), kept, out.alpn_bytes.begin());
  out.alpn_length = static_cast<std::uint16_t>(kept);
  return true;
}

// RFC 9849 section 5. The inner kind goes from a server that has decrypted it to one behind, with
// the true name.
bool read_encrypted(Bytes extension, ClientHello& out) noexcept {
  constexpr std::uint8_t kOuter = 0;
  if (extension.empty()) return false;
  out.encrypted = extension[0] == kOuter;
  return true;
}

struct Extension {
  std::uint16_t type;
  bool (*read)(Bytes, ClientHello&) noexcept;
};
constexpr std::array<Extension, 3> kExtensions{{
    {0, read_server_name},
    {16, read_alpn},
    {0xfe0d, read_encrypted},
}};

// RFC 8446 section 4.2: none twice. Those that are not looked at, GREASE among them, are passed
// over.
bool read_extensions(Bytes bytes, ClientHello& out) noexcept {
  std::array<bool, kExtensions.size()> seen{};
  Reader reader(bytes);
  while (reader.remaining() != 0) {
    std::uint16_t type = 0;
    Bytes value;
    if (!read_number(reader, type) || !take_vector16(reader, value)) return false;
    for (std::size_t i = 0; i < kExtensions.size(); ++i) {
      if (kExtensions[i].type != type) continue;
      if (seen[i] || !kExtensions[i].read(value, out)) return false;
      seen[i] = true;
    }
  }
  return true;
}

// RFC 8446 section 4.1.2, what follows the message's header.
bool read_hello(Bytes body, ClientHello& out) noexcept {
  constexpr std::size_t kVersionAndRandom = 2 + 32;
  constexpr std::size_t kSessionId = 32;
  Reader reader(body);
  Bytes session_id;
  Bytes ciphers;
  Bytes compressions;
  if (!reader.skip(kVersionAndRandom)) return false;
  if (!take_vector8(reader, session_id) || session_id.size() > kSessionId) return false;
  if (!take_vector16(reader, ciphers) || ciphers.empty() || ciphers.size() % 2 != 0) return false;
  if (!take_vector8(reader, compressions) || compressions.empty()) return false;
  if (reader.remaining() == 0) return true;  // as before TLS 1.3 it may be (RFC 5246 7.4.1.2)
  Bytes extensions;
  if (!take_vector16(reader, extensions) || reader.remaining() != 0) return false;
  return read_extensions(extensions, out);
}

}  // namespace

HelloState parse_client_hello(std::span<const std::uint8_t> bytes, ClientHello& out) noexcept {
  out.length = 0;
  out.name_length = 0;
  out.alpn_length = 0;
  out.encrypted = false;
  Message message;
  std::size_t end = 0;
  const HelloState state = collect(bytes, message, end);
  if (state != HelloState::kComplete) return state;
  out.length = end;
  if (!read_hello(message.bytes().subspan(kMessageHeader), out)) return HelloState::kMalformed;
  return HelloState::kComplete;
}

std::string_view to_string(HelloState state) noexcept {
  switch (state) {
    case HelloState::kIncomplete:
      return "incomplete";
    case HelloState::kComplete:
      return "complete";
    case HelloState::kNotTls:
      return "not_tls";
    case HelloState::kMalformed:
      return "malformed";
    case HelloState::kTooLarge:
      return "too_large";
  }
  return "";
}

}  // namespace hawser::l7
