// Reads the tables of a service's health check and of its backends' agents.
#include "read_check.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "hawser/model/validation.h"

namespace hawser::model {
namespace {

constexpr std::uint64_t kSecond = 1000;

// Settings that mean something with some types only.
struct Scope {
  std::string_view key;
  bool (*applies)(CheckType);
  std::string_view advice;  // types to write
};
constexpr std::string_view kHttpTypes = "\"http\" or \"https\"";
constexpr std::string_view kTlsTypes = "\"https\" or \"tls\"";
constexpr std::string_view kByteTypes = "\"tcp\" or \"tls\"";
constexpr std::array<Scope, 17> kScopes{{
    {"path", asks_http, kHttpTypes},
    {"host", asks_http, kHttpTypes},
    {"status", asks_http, kHttpTypes},
    {"body", asks_http, kHttpTypes},
    {"body_regex", asks_http, kHttpTypes},
    {"method", asks_http, kHttpTypes},
    {"header", asks_http, kHttpTypes},
    {"request_header", asks_http, kHttpTypes},
    {"send", exchanges_bytes, kByteTypes},
    {"expect", exchanges_bytes, kByteTypes},
    {"verify", uses_tls, kTlsTypes},
    {"ca_file", uses_tls, kTlsTypes},
    {"server_name", uses_tls, kTlsTypes},
    {"expires_within", uses_tls, kTlsTypes},
    {"client_certificate", uses_tls, kTlsTypes},
    {"client_key", uses_tls, kTlsTypes},
    {"proxy_protocol", [](CheckType type) { return type != CheckType::kNone; }, "\"tcp\""},
}};

// status = [200, 399], or one number.
void read_status(TableReader& reader, const Node& table, HttpCheck& out) {
  const Node* node = table.find("status");
  if (node != nullptr && node->type == NodeType::kInteger) {
    reader.number("status", out.status_low, limits::kMinHttpStatus, limits::kMaxHttpStatus);
    out.status_high = out.status_low;
    return;
  }
  std::vector<std::uint32_t> range{out.status_low, out.status_high};
  reader.numbers("status", range, 2, limits::kMinHttpStatus, limits::kMaxHttpStatus);
  if (range.size() == 2 && (range[0] <= range[1] || range[1] == 0)) {
    out.status_low = static_cast<std::uint16_t>(range[0]);
    out.status_high = static_cast<std::uint16_t>(range[1]);
  } else {
    reader.complain(*node, "status must be [lowest, highest], such as [200, 399]");
  }
}

// Absolute HTTP path: no blank may split the request line.
void read_path_of_check(TableReader& reader, std::string& out) {
  std::string path = out;
  reader.text("path", path, limits::kMaxCheckText);
  if (!path.empty() && path.front() == '/' && path.find(' ') == std::string::npos) {
    out = std::move(path);
  } else {
    reader.complain(
        *reader.value("path", NodeType::kString),
        fmt::format("path is \"{}\", must start with \"/\" and contain no blank", path));
  }
}

// Bytes to send or to expect: control characters are welcome, line ends above all.
void read_bytes(TableReader& reader, std::string_view key, std::string& out) {
  const Node* node = reader.value(key, NodeType::kString);
  if (node == nullptr) return;
  if (node->text.size() <= limits::kMaxCheckText) {
    out = node->text;
  } else {
    reader.complain(*node, fmt::format("{} has {} bytes, must have at most {}", key,
                                       node->text.size(), limits::kMaxCheckText));
  }
}

bool is_token(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// { name = "X-Ready", value = "yes" }
HeaderField read_field(const Node& table, const std::string& where, Diagnostics& diagnostics) {
  TableReader reader(table, where, diagnostics);
  HeaderField field;
  reader.require("name", "\"X-Ready\"");
  reader.text("name", field.name, limits::kMaxFieldName);
  reader.text("value", field.value, limits::kMaxCheckText);
  reader.finish();
  const Node* name = table.find("name");
  if (diagnostics.usable(name) && !is_token(field.name)) {
    reader.complain(*name, fmt::format("name is \"{}\", which is no name of a header", field.name));
  }
  return field;
}

void read_request_headers(TableReader& reader, const std::string& where,
                          std::vector<HeaderField>& out, Diagnostics& diagnostics) {
  const std::vector<const Node*> tables =
      reader.tables("request_header", "request_header = [{ name = \"X-Check\", value = \"1\" }]");
  for (const Node* table : tables) {
    const std::string own = where + ", request_header";
    HeaderField field = read_field(*table, own, diagnostics);
    const Node* name = table->find("name");
    // What the check itself says about the message cannot be said otherwise.
    for (const std::string_view ours :
         {"Host", "Connection", "Content-Length", "Transfer-Encoding"}) {
      if (!same_name(field.name, ours) || !diagnostics.usable(name)) continue;
      const bool host = ours == "Host";
      diagnostics.add(*name, fmt::format("{}: {} is not to be set{}", own, ours,
                                         host ? "; write host" : ": it follows from the request"));
    }
    out.push_back(std::move(field));
  }
  if (out.size() > limits::kMaxCheckHeaders) {
    reader.complain(*tables[limits::kMaxCheckHeaders],
                    fmt::format("there are {} request headers, must be at most {}", out.size(),
                                limits::kMaxCheckHeaders));
  }
}

void read_http(TableReader& reader, const Node& table, const std::string& where, HttpCheck& out,
               Diagnostics& diagnostics) {
  reader.word("method", out.method, parse_http_method);
  read_path_of_check(reader, out.path);
  reader.text("host", out.host, limits::kMaxCheckText);
  read_request_headers(reader, where, out.headers, diagnostics);
  read_status(reader, table, out);
  reader.text("body", out.body, limits::kMaxCheckText);
  reader.text("body_regex", out.body_regex, limits::kMaxCheckText);
  if (const Node* header = reader.table("header")) {
    out.header = read_field(*header, where + ", header", diagnostics);
  }
  for (const char* key : {"body", "body_regex"}) {
    const Node* node = table.find(key);
    if (!diagnostics.usable(node) || out.method != HttpMethod::kHead) continue;
    reader.complain(*node, fmt::format("{} has no effect with method \"HEAD\", whose answer has no "
                                       "body",
                                       key));
  }
}

void read_tls(TableReader& reader, const Node& table, TlsCheck& out, Diagnostics& diagnostics) {
  reader.flag("verify", out.verify);
  reader.path("ca_file", out.ca_file, limits::kMaxPath);
  reader.text("server_name", out.server_name, limits::kMaxHostName);
  reader.duration("expires_within", out.expires_within_seconds, 0,
                  limits::kMaxExpiresWithin * kSecond, kSecond);
  reader.path("client_certificate", out.client_certificate, limits::kMaxPath);
  reader.path("client_key", out.client_key, limits::kMaxPath);
  const Node* authority = table.find("ca_file");
  if (diagnostics.usable(authority) && !out.verify) {
    reader.complain(*authority, "ca_file has no effect with verify = false; remove one of them");
  }
  for (const auto& [key, other] : {std::pair{"client_certificate", "client_key"},
                                   std::pair{"client_key", "client_certificate"}}) {
    const Node* node = table.find(key);
    if (!diagnostics.usable(node) || table.find(other) != nullptr) continue;
    reader.complain(*node, fmt::format("{} needs {}", key, other));
  }
}

void read_times(TableReader& reader, std::uint32_t& interval_ms, std::uint32_t& timeout_ms) {
  reader.duration("interval", interval_ms, limits::kMinCheckMilliseconds,
                  limits::kMaxCheckMilliseconds, 1);
  reader.duration("timeout", timeout_ms, limits::kMinCheckMilliseconds,
                  limits::kMaxCheckMilliseconds, 1);
}

void read_check(const Node& table, const std::string& where, Check& out, Diagnostics& diagnostics) {
  TableReader reader(table, where, diagnostics);
  reader.word("type", out.type, parse_check);
  read_times(reader, out.interval_ms, out.timeout_ms);
  reader.number("rise", out.rise, limits::kMinCheckCount, limits::kMaxCheckCount);
  reader.number("fall", out.fall, limits::kMinCheckCount, limits::kMaxCheckCount);
  reader.number("port", out.port, 1, 65535);
  reader.flag("proxy_protocol", out.proxy_protocol);
  read_bytes(reader, "send", out.send);
  read_bytes(reader, "expect", out.expect);
  read_http(reader, table, where, out.http, diagnostics);
  read_tls(reader, table, out.tls, diagnostics);
  reader.finish();
  for (const Scope& scope : kScopes) {
    const Node* node = table.find(scope.key);
    if (!diagnostics.usable(node) || scope.applies(out.type)) continue;
    reader.complain(*node, fmt::format("{} has no effect with type \"{}\"; write type = {} or "
                                       "remove it",
                                       scope.key, to_string(out.type), scope.advice));
  }
}

void read_agent(const Node& table, const std::string& where, AgentCheck& out,
                Diagnostics& diagnostics) {
  TableReader reader(table, where, diagnostics);
  reader.require("port", "9999");
  reader.number("port", out.port, 1, 65535);
  read_times(reader, out.interval_ms, out.timeout_ms);
  read_bytes(reader, "send", out.send);
  reader.finish();
}

}  // namespace

void read_checks(TableReader& reader, const std::string& where, Service& service,
                 Diagnostics& diagnostics) {
  // That a UDP port is open says little, and nothing answers a TCP connection there.
  if (service.protocol == Protocol::kUdp) service.check.type = CheckType::kNone;
  const Node* check = reader.table("check");
  if (check != nullptr) read_check(*check, where + ", check", service.check, diagnostics);
  // What demands the header of clients demands it of checks, on the same port.
  const bool said = check != nullptr && check->find("proxy_protocol") != nullptr;
  if (!said && service.client_address == ClientAddress::kProxyV2 && service.check.port == 0) {
    service.check.proxy_protocol = service.check.type != CheckType::kNone;
  }
  if (const Node* agent = reader.table("agent")) {
    read_agent(*agent, where + ", agent", service.agent, diagnostics);
  }
}

void inspect_check(const Service& service, std::size_t index, const Node& table,
                   const CheckInspector& inspect, Diagnostics& diagnostics) {
  const Node* check = table.find("check");
  if (!diagnostics.usable(check)) return;
  const std::string where = label("service", service.name, index);
  for (const CheckFault& fault : inspect(service.check)) {
    const Node* node = check->find(fault.key);
    if (node != nullptr && !diagnostics.usable(node)) continue;
    diagnostics.add(node == nullptr ? *check : *node,
                    fmt::format("{}, check: {}: {}", where, fault.key, fault.reason));
  }
}

}  // namespace hawser::model
