// Configurations with a spliced service, for rows about it.
#pragma once

#include <string>

#include "configuration_rows.h"

namespace hawser::model {

// Lines 11 and 12, after kPort and kService.
inline constexpr const char* kHttp = R"(forward = "splice"
protocol = "http"
)";
inline constexpr const char* kTls = R"(forward = "splice"
protocol = "tls"
)";

inline std::string http(const std::string& more) {
  return std::string(kPort) + kService + kHttp + more + kBackend;
}

// The rule's table begins in line 17.
inline std::string rule(const std::string& lines, const char* protocol = kHttp) {
  return std::string(kPort) + kService + protocol + kBackend + "[[service.rule]]\n" + lines;
}

// The one service of a configuration that is good.
inline Service only(const std::string& text) {
  const ParsedConfiguration parsed = parse_configuration(text, "f");
  EXPECT_TRUE(parsed.ok()) << parsed.diagnostics.front().to_string();
  return parsed.ok() ? parsed.configuration.services.at(0) : Service{};
}

}  // namespace hawser::model
