// Request lines and status lines, byte for byte.
#include "http_first_line.h"

#include <algorithm>
#include <cstring>

namespace hawser::l7 {
namespace {

using enum HttpFault;

// RFC 9113 section 3.4.
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::string_view kVersion = "HTTP/1.";
constexpr std::size_t kVersionName = 5;  // "HTTP/"

constexpr std::uint32_t kHttpPort = 80;
constexpr std::uint32_t kHttpsPort = 443;

// kComplete: it is not the preface.
HeadResult read_preface(const Cursor& cursor) noexcept {
  const std::string_view there = view(cursor.at, cursor.end).substr(0, kPreface.size());
  if (there != kPreface.substr(0, there.size())) return kRead;
  return there.size() < kPreface.size() ? kMoreNeeded : refused(kHttp2);
}

// `unlike`: something else stands where the version belongs.
HeadResult wrong_version(const Cursor& cursor, HttpFault unlike) noexcept {
  for (std::size_t i = 0;; ++i) {
    const std::uint8_t* at = cursor.at + i;
    if (at == cursor.end) return kMoreNeeded;
    if (i < kVersion.size() && *at == static_cast<std::uint8_t>(kVersion[i])) continue;
    if (i >= kVersionName) return wrong_byte(cursor, at, kBadVersion, kBadVersion);
    const bool other_case = (*at | 0x20U) == (static_cast<std::uint8_t>(kVersion[i]) | 0x20U);
    return wrong_byte(cursor, at, other_case ? kBadVersion : unlike, kNotHttp);
  }
}

HeadResult read_version(Cursor& cursor, HttpFault unlike, MessageHead& out) noexcept {
  if (cursor.end - cursor.at > static_cast<std::ptrdiff_t>(kVersion.size()) &&
      std::memcmp(cursor.at, kVersion.data(), kVersion.size()) == 0) {
    const auto minor = static_cast<std::uint8_t>(cursor.at[kVersion.size()] - '0');
    if (minor <= 1) {
      out.minor = minor;
      cursor.at += kVersion.size() + 1;
      return kRead;
    }
  }
  return wrong_version(cursor, unlike);
}

void split_path(std::string_view text, RequestHead& out) noexcept {
  const std::size_t mark = text.find('?');
  out.path = text.substr(0, mark);
  out.query = mark == std::string_view::npos ? text.substr(text.size()) : text.substr(mark + 1);
}

// Absolute form: only the two schemes whose servers we stand in front of.
bool read_absolute(RequestHead& out, TargetAuthority& authority) noexcept {
  const std::size_t colon = out.target.find("://");
  if (colon == std::string_view::npos) return false;
  const std::string_view scheme = out.target.substr(0, colon);
  if (equals_ignoring_case(scheme, "http")) {
    authority.default_port = kHttpPort;
  } else if (equals_ignoring_case(scheme, "https")) {
    authority.default_port = kHttpsPort;
  } else {
    return false;
  }
  const std::string_view rest = out.target.substr(colon + 3);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  split_path(rest.substr(end), out);
  // RFC 9110 section 4.2.3, and for OPTIONS RFC 9112 section 3.2.4.
  if (out.path.empty()) out.path = out.method == "OPTIONS" && end == rest.size() ? "*" : "/";
  authority.given = true;
  return parse_authority(rest.substr(0, end), authority);
}

// What most requests begin with need not be searched for its end.
bool begins_with_get(const Cursor& cursor) noexcept {
  return cursor.end - cursor.at > 3 && std::memcmp(cursor.at, "GET ", 4) == 0;
}

// The four forms of RFC 9112 section 3.2.
bool read_target(RequestHead& out, TargetAuthority& authority) noexcept {
  if (out.target.empty()) return false;
  out.path = {};
  out.query = {};
  if (out.is_connect) {
    authority.given = true;
    if (!parse_authority(out.target, authority) || authority.port == 0) return false;
    authority.default_port = authority.port;
    return true;
  }
  if (out.target.front() == '/') {
    split_path(out.target, out);
    return true;
  }
  if (out.target == "*") {
    out.path = out.target;
    return out.method == "OPTIONS";
  }
  return read_absolute(out, authority);
}

}  // namespace

HeadResult read_request_line(Cursor& cursor, RequestHead& out,
                             TargetAuthority& authority) noexcept {
  if (cursor.at != cursor.end && *cursor.at == 'P' && cursor.at == cursor.begin) {
    const HeadResult preface = read_preface(cursor);
    if (preface.state != HeadState::kComplete) return preface;
  }
  const std::uint8_t* stop =
      begins_with_get(cursor) ? cursor.at + 3 : cursor.stop<ByteSet::kToken>();
  if (stop == cursor.end || *stop != ' ' || stop == cursor.at) {
    return wrong_byte(cursor, stop, kBadMethod, kNotHttp);
  }
  out.method = view(cursor.at, stop);
  out.is_head = out.method == "HEAD";
  out.is_connect = out.method == "CONNECT";

  cursor.at = stop + 1;
  stop = cursor.stop<ByteSet::kTarget>();
  if (stop == cursor.end || *stop != ' ') return wrong_byte(cursor, stop, kBadTarget, kNotHttp);
  out.target = view(cursor.at, stop);
  if (!read_target(out, authority)) return refused(kBadTarget);

  cursor.at = stop + 1;
  const HeadResult version = read_version(cursor, kBadTarget, out);
  if (version.state != HeadState::kComplete) return version;
  return read_line_end(cursor, cursor.at, kBadVersion);
}

HeadResult read_status_line(Cursor& cursor, ResponseHead& out) noexcept {
  const HeadResult version = read_version(cursor, kNotHttp, out);
  if (version.state != HeadState::kComplete) return version;
  if (cursor.at == cursor.end || *cursor.at != ' ') {
    return wrong_byte(cursor, cursor.at, kBadVersion, kNotHttp);
  }
  ++cursor.at;
  out.status = 0;
  for (unsigned i = 0; i < 3; ++i, ++cursor.at) {
    const char least = i == 0 ? '1' : '0';
    const char most = i == 0 ? '5' : '9';
    if (cursor.at == cursor.end || *cursor.at < least || *cursor.at > most) {
      return wrong_byte(cursor, cursor.at, kBadStatus, kBadStatus);
    }
    out.status = static_cast<std::uint16_t>(out.status * 10 + (*cursor.at - '0'));
  }
  // The reason phrase means nothing and may be absent, with or without the blank before it.
  if (cursor.at == cursor.end || *cursor.at != ' ') {
    return read_line_end(cursor, cursor.at, kBadStatus);
  }
  ++cursor.at;
  return read_line_end(cursor, cursor.stop<ByteSet::kValue>(), kBadStatus);
}

}  // namespace hawser::l7
