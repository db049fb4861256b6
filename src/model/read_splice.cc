// Reads the keys of a service that is spliced: how requests are read, and its cookie.
#include "read_splice.h"

#include <algorithm>

#include <fmt/format.h>

#include "hawser/base/limits.h"

namespace hawser::model {
namespace {

Result<bool> parse_h2c(std::string_view word) {
  if (word == "refuse") return false;
  if (word == "tunnel") return true;
  return fail(fmt::format("\"{}\" must be \"refuse\" or \"tunnel\"", word));
}

bool is_alphanumeric(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_host_name(std::string_view text) noexcept {
  if (text.empty() || !is_alphanumeric(text.front()) || !is_alphanumeric(text.back())) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '.'; });
}

// What a Set-Cookie line can carry as a path (RFC 6265 section 4.1.1).
bool is_cookie_path(std::string_view text) noexcept {
  return !text.empty() && text.front() == '/' && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= 0x20 && c < 0x7f && c != ';';
  });
}

// A text under `key` for which `good` holds; `advice` says how it must be.
void checked_text(TableReader& reader, const char* key, std::string& out, std::size_t max_bytes,
                  bool (*good)(std::string_view) noexcept, std::string_view advice) {
  std::string text = out;
  reader.text(key, text, max_bytes);
  if (text == out) return;
  if (good(text)) {
    out = std::move(text);
  } else {
    reader.complain(*reader.any(key), fmt::format("{} is \"{}\", must {}", key, text, advice));
  }
}

}  // namespace

bool is_token(std::string_view text) noexcept {
  constexpr std::string_view kSigns = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alphanumeric(c) || kSigns.find(c) != std::string_view::npos;
  });
}

void read_splice(TableReader& reader, Splice& out) {
  reader.word("h2c", out.h2c_tunnel, parse_h2c);
  reader.duration("head_timeout", out.head_timeout_ms, limits::kMinHeadMilliseconds,
                  limits::kMaxHeadMilliseconds, 1);
  reader.text("error_body", out.error_body, limits::kMaxErrorBody);
}

void read_cookie(const Node& table, const std::string& where, Cookie& out,
                 Diagnostics& diagnostics) {
  constexpr std::uint64_t kSecond = 1000;
  TableReader reader(table, where + ", affinity, cookie", diagnostics);
  checked_text(reader, "name", out.name, limits::kMaxCookieName, is_token,
               "be letters, digits or some of !#$%&'*+-.^_`|~");
  checked_text(reader, "path", out.path, limits::kMaxCookiePath, is_cookie_path,
               "start with \"/\" and contain printable ASCII without \";\"");
  checked_text(reader, "domain", out.domain, limits::kMaxCookieDomain, is_host_name,
               "be a host name such as example.com");
  reader.flag("secure", out.secure);
  reader.flag("http_only", out.http_only);
  reader.word("same_site", out.same_site, parse_same_site);
  reader.duration("idle", out.idle_seconds, limits::kMinCookieIdleSeconds * kSecond,
                  limits::kMaxCookieIdleSeconds * kSecond, kSecond);
  reader.duration("max", out.maximum_seconds, limits::kMinCookieIdleSeconds * kSecond,
                  limits::kMaxCookieSeconds * kSecond, kSecond);
  reader.finish();
}

}  // namespace hawser::model
