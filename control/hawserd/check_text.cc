// Settings of health checks and agents in words.
#include <fmt/format.h>

#include "settings_text.h"

namespace hawser::control {
namespace {

// What is asked and expected over HTTP, beyond the path.
std::string http_text(const model::HttpCheck& http) {
  std::string text = fmt::format(", status {} to {}", http.status_low, http.status_high);
  if (http.method != model::HttpMethod::kGet) {
    text += fmt::format(", method {}", to_string(http.method));
  }
  if (!http.host.empty()) text += ", host " + http.host;
  for (const model::HeaderField& field : http.headers) {
    text += fmt::format(", sends {}: {}", field.name, field.value);
  }
  if (!http.body.empty()) text += fmt::format(", body \"{}\"", http.body);
  if (!http.body_regex.empty()) text += fmt::format(", body regex \"{}\"", http.body_regex);
  if (!http.header.name.empty()) {
    text += fmt::format(", header {}{}{}", http.header.name, http.header.value.empty() ? "" : ": ",
                        http.header.value);
  }
  return text;
}

std::string tls_text(const model::TlsCheck& tls) {
  std::string text = tls.verify ? ", verified" : ", not verified";
  if (!tls.ca_file.empty()) text += ", ca file " + tls.ca_file;
  if (!tls.server_name.empty()) text += ", server name " + tls.server_name;
  if (tls.expires_within_seconds != 0) {
    text += fmt::format(", warns {}s before it expires", tls.expires_within_seconds);
  }
  if (!tls.client_certificate.empty()) text += ", client certificate " + tls.client_certificate;
  return text;
}

// Bytes of any kind on one line.
std::string quoted(const std::string& bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\r') {
      text += "\\r";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      text += c;
    }
  }
  return text + "\"";
}

}  // namespace

std::string check_text(const model::Check& check) {
  const std::string every = " every " + duration_text(check.interval_ms);
  switch (check.type) {
    case model::CheckType::kNone:
      return "none";
    case model::CheckType::kTcp:
    case model::CheckType::kTls:
      break;
    case model::CheckType::kHttp:
    case model::CheckType::kHttps:
      return fmt::format("{} {}{}", to_string(check.type), check.http.path, every);
  }
  return std::string(to_string(check.type)) + every;
}

std::string whole_check_text(const model::Check& check) {
  std::string text = fmt::format("{}, timeout {}, rise {}, fall {}", check_text(check),
                                 duration_text(check.timeout_ms), check.rise, check.fall);
  if (check.port != 0) text += fmt::format(", port {}", check.port);
  if (check.proxy_protocol) text += ", with a PROXY header";
  if (!check.send.empty()) text += ", sends " + quoted(check.send);
  if (!check.expect.empty()) text += ", expects " + quoted(check.expect);
  if (asks_http(check.type)) text += http_text(check.http);
  if (uses_tls(check.type)) text += tls_text(check.tls);
  return text;
}

std::string agent_text(const model::AgentCheck& agent) {
  if (agent.port == 0) return "none";
  std::string text = fmt::format("port {} every {}, timeout {}", agent.port,
                                 duration_text(agent.interval_ms), duration_text(agent.timeout_ms));
  if (!agent.send.empty()) text += ", sends " + quoted(agent.send);
  return text;
}

}  // namespace hawser::control
