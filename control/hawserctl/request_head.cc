// Puts requests and ClientHellos together.
#include "request_head.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "request_checks.h"

namespace hawser::ctl {
namespace {

bool is_host(const HeaderField& field) {
  constexpr std::string_view kHost = "host";
  return std::equal(
      field.name.begin(), field.name.end(), kHost.begin(), kHost.end(),
      [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
}

std::string big16(std::size_t number) {
  return {static_cast<char>(number >> 8U), static_cast<char>(number & 0xffU)};
}

// `body` behind its length in 8, 16 or 24 bits.
std::string vector8(const std::string& body) {
  return static_cast<char>(body.size()) + body;
}
std::string vector16(const std::string& body) {
  return big16(body.size()) + body;
}
std::string vector24(const std::string& body) {
  return '\0' + vector16(body);
}

std::string extension(std::uint16_t type, const std::string& body) {
  return big16(type) + vector16(body);
}

}  // namespace

std::string request_head(const RequestParts& parts) {
  std::string lines;
  bool host_said = false;
  for (const std::string& header : parts.headers) {
    const HeaderField field = split_header(header);
    host_said = host_said || is_host(field);
    lines += fmt::format("{}: {}\r\n", field.name, field.value);
  }
  std::string head = fmt::format("{} {} HTTP/1.1\r\n", parts.method, parts.target);
  if (!host_said) head += fmt::format("Host: {}\r\n", parts.host);
  head += lines;
  if (!parts.cookies.empty()) {
    head += fmt::format("Cookie: {}\r\n", fmt::join(parts.cookies, "; "));
  }
  return head + "\r\n";
}

std::string client_hello(std::string_view server_name, std::span<const std::string> protocols) {
  constexpr std::uint16_t kServerName = 0;  // RFC 6066 section 3
  constexpr std::uint16_t kProtocols = 16;  // RFC 7301 section 3.1
  constexpr std::size_t kCipher = 0xc02f;   // TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
  constexpr std::size_t kRandomBytes = 32;
  const std::string version{3, 3};
  std::string extensions;
  if (!server_name.empty()) {
    const std::string host_name = '\0' + vector16(std::string(server_name));
    extensions += extension(kServerName, vector16(host_name));
  }
  std::string names;
  for (const std::string& protocol : protocols) names += vector8(protocol);
  if (!names.empty()) extensions += extension(kProtocols, vector16(names));
  std::string hello = version + std::string(kRandomBytes, '\0');
  hello += vector8("");  // session
  hello += vector16(big16(kCipher));
  hello += vector8(std::string(1, '\0'));  // no compression
  hello += vector16(extensions);
  const std::string message = '\x01' + vector24(hello);
  return '\x16' + version + vector16(message);
}

Outcome<std::string> read_head(const std::string& path, std::istream& in) {
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) {
      return Failure{ExitCode::kFailed, fmt::format("{} cannot be read", path),
                     std::strerror(errno)};
    }
  }
  std::string head(limits::kMaxExplainHead + 1, '\0');
  std::istream& from = path == "-" ? in : file;
  from.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(from.gcount()));
  if (from.bad()) {
    return Failure{ExitCode::kFailed, fmt::format("{} cannot be read", path), "is it a file?"};
  }
  if (head.empty()) return Failure{ExitCode::kUsage, fmt::format("{} is empty", path), ""};
  if (head.size() > limits::kMaxExplainHead) {
    return Failure{ExitCode::kUsage,
                   fmt::format("{} has more than {} bytes", path, limits::kMaxExplainHead),
                   "give the head of the request alone, without its body"};
  }
  return head;
}

}  // namespace hawser::ctl
