// The headers that mean something here. What they could mean in two ways is refused.
//
// A header that stands twice where it may stand once is refused even if both say the same: the
// bytes go on as they are, so nothing can be put right for the next reader (RFC 9110 section 8.6,
// RFC 9112 sections 3.2 and 6.1).
#include "http_meaning.h"

#include <algorithm>
#include <array>

namespace hawser::l7 {
namespace {

using enum HttpFault;

// `lower`: lower case, without characters that a letter becomes by setting its bit 5. The name is
// a token, so no other byte of it becomes one of them.
template <std::size_t kSize>
bool is_name(std::string_view name, const char (&lower)[kSize]) noexcept {
  unsigned difference = 0;
  for (std::size_t i = 0; i + 1 < kSize; ++i) {
    difference |=
        (static_cast<unsigned char>(name[i]) | 0x20U) ^ static_cast<unsigned char>(lower[i]);
  }
  return difference == 0;
}

// Takes the next element of a comma-separated list off `rest`, without the blanks around it.
std::string_view next_element(std::string_view& rest) noexcept {
  const std::size_t comma = std::min(rest.find(','), rest.size());
  std::string_view element = rest.substr(0, comma);
  rest.remove_prefix(std::min(comma + 1, rest.size()));
  const auto blank = [](char c) { return is_blank(static_cast<std::uint8_t>(c)); };
  while (!element.empty() && blank(element.front())) element.remove_prefix(1);
  while (!element.empty() && blank(element.back())) element.remove_suffix(1);
  return element;
}

HttpFault read_host(std::string_view value, HeaderMeaning& meaning) noexcept {
  if (!meaning.is_request) return kNone;
  if (meaning.has_host) return kHostTwice;
  meaning.has_host = true;
  if (!parse_authority(value, meaning.host)) return kBadHost;
  return meaning.target.given && !agrees(meaning.target, meaning.host) ? kBadHost : kNone;
}

HttpFault read_content_length(std::string_view value, HeaderMeaning& meaning) noexcept {
  if (!meaning.framing_counts) return kNone;
  if (meaning.has_encoding) return kLengthAndEncoding;
  if (meaning.has_length) return kLengthTwice;
  meaning.has_length = true;
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto digit = static_cast<unsigned>(value[i] - '0');
    if (digit > 9) return value[i] == ',' && i != 0 ? kLengthTwice : kBadLength;
    if (length > (limits::kMaxContentLength - digit) / 10) return kBadLength;
    length = length * 10 + digit;
  }
  meaning.content_length = length;
  return value.empty() ? kBadLength : kNone;
}

// Codings before the last, which is chunked: those of RFC 9112 section 7.2 with their old names.
constexpr std::array<std::string_view, 5> kCompressions{"gzip", "deflate", "compress", "x-gzip",
                                                        "x-compress"};

HttpFault read_encoding(std::string_view value, unsigned minor, HeaderMeaning& meaning) noexcept {
  if (!meaning.framing_counts) return kNone;
  if (minor == 0) return kEncodingOnHttp10;
  if (meaning.has_length) return kLengthAndEncoding;
  if (meaning.has_encoding) return kBadEncoding;
  meaning.has_encoding = true;
  const std::size_t comma = value.rfind(',');
  std::string_view last = comma == std::string_view::npos ? value : value.substr(comma + 1);
  if (!equals_ignoring_case(next_element(last), "chunked")) return kBadEncoding;
  if (comma == std::string_view::npos) return kNone;
  std::string_view before = value.substr(0, comma);
  if (before.empty() || before.back() == ',') return kBadEncoding;
  while (!before.empty()) {
    const std::string_view coding = next_element(before);
    const bool known = std::any_of(kCompressions.begin(), kCompressions.end(),
                                   [&](auto name) { return equals_ignoring_case(coding, name); });
    if (!known) return kBadEncoding;
  }
  return kNone;
}

void read_connection(std::string_view value, HeaderMeaning& meaning) noexcept {
  while (!value.empty()) {
    const std::string_view option = next_element(value);
    meaning.closes |= equals_ignoring_case(option, "close");
    meaning.keeps |= equals_ignoring_case(option, "keep-alive");
    meaning.names_upgrade |= equals_ignoring_case(option, "upgrade");
  }
}

void read_expect(std::string_view value, HeaderMeaning& meaning) noexcept {
  while (!value.empty()) {
    meaning.expects_continue |= equals_ignoring_case(next_element(value), "100-continue");
  }
}

// Lengths of the names below: most headers are none of them.
constexpr std::uint32_t kLengths =
    1U << 4 | 1U << 6 | 1U << 7 | 1U << 10 | 1U << 14 | 1U << 15 | 1U << 17;

}  // namespace

HttpFault read_meaning(const Header& header, unsigned minor, HeaderMeaning& meaning) noexcept {
  const std::string_view name = header.name;
  if (name.size() > 17 || (kLengths >> name.size() & 1U) == 0) return kNone;
  switch (name.size()) {
    case 4:
      return is_name(name, "host") ? read_host(header.value, meaning) : kNone;
    case 6:
      if (is_name(name, "expect")) read_expect(header.value, meaning);
      return kNone;
    case 7:
      meaning.has_upgrade |= is_name(name, "upgrade") && !header.value.empty();
      return kNone;
    case 10:
      if (is_name(name, "connection")) read_connection(header.value, meaning);
      return kNone;
    case 14:
      return is_name(name, "content-length") ? read_content_length(header.value, meaning) : kNone;
    case 15:
      if (is_name(name, "x-forwarded-for")) {
        meaning.forwarded_for_end = header.value.data() + header.value.size();
      }
      return kNone;
    case 17:
      return is_name(name, "transfer-encoding") ? read_encoding(header.value, minor, meaning)
                                                : kNone;
    default:
      return kNone;
  }
}

}  // namespace hawser::l7
