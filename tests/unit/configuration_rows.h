// Rows of configuration tests: a sentence, a file, and exactly the diagnostics it must get.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hawser/model/configuration.h"

namespace hawser::model {

// Lines 1 to 6: a port that serves most rows.
inline constexpr const char* kPort = R"([[port]]
name = "uplink"
device = "0000:3b:00.0"
addresses = ["10.0.0.2/24", "fd00::2/64"]
gateways = ["10.0.0.1"]
nat_addresses = ["10.0.0.3", "fd00::3"]
)";
// Four lines.
inline constexpr const char* kService = R"([[service]]
name = "web"
address = "10.0.0.100"
port = 80
)";
// Four lines.
inline constexpr const char* kBackend = R"([[service.backend]]
name = "b1"
address = "10.0.0.11"
port = 8080
)";

struct ConfigurationRow {
  const char* sentence;
  std::string text;
  std::vector<std::string> diagnostics;  // "line:column: message", in the order of the file

  friend std::ostream& operator<<(std::ostream& out, const ConfigurationRow& row) {
    return out << row.sentence;
  }
};

// The diagnostics of `text` without the name of the file.
inline std::vector<std::string> diagnose(const std::string& text) {
  std::vector<std::string> lines;
  for (const Diagnostic& diagnostic : parse_configuration(text, "f").diagnostics) {
    lines.push_back(diagnostic.to_string().substr(2));
  }
  return lines;
}

}  // namespace hawser::model
