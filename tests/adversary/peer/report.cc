// Counts, errors, JSON.
#include "peer/report.h"

#include <cstdio>

#include "peer/content.h"

namespace hawser::adversary {
namespace {

constexpr std::size_t kKept = 20;  // errors with their text

std::string members(const std::map<std::string, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    text += (text.empty() ? "" : ", ") + json_string(name) + ": " + std::to_string(count);
  }
  return text;
}

}  // namespace

std::string json_string(const std::string& text) {
  std::string result = "\"";
  for (const char character : text) {
    if (character == '"' || character == '\\') {
      result += std::string("\\") + character;
    } else if (character >= ' ' && character < 127) {
      result += character;
    } else if (character == '\n') {
      result += "\\n";
    } else {
      std::string code = hex(static_cast<std::uint8_t>(character));
      result += "\\u" + std::string(4 - code.size(), '0') + code;
    }
  }
  return result + "\"";
}

void Report::error(const std::string& text) {
  ++error_count_;
  if (errors_.size() >= kKept) return;
  errors_.push_back(text);
  std::fprintf(stderr, "hawser-peer: %s\n", text.c_str());
}

std::string Report::json(const std::string& words) const {
  std::string text = "{" + words + (words.empty() ? "" : ", ") +
                     "\"error_count\": " + std::to_string(error_count_) + ", " + members(counts_) +
                     (counts_.empty() ? "" : ", ") + "\"by_server\": {" + members(servers_) +
                     "}, \"errors\": [";
  for (std::size_t i = 0; i < errors_.size(); ++i) {
    text += (i == 0 ? "" : ", ") + json_string(errors_[i]);
  }
  return text + "]}";
}

}  // namespace hawser::adversary
