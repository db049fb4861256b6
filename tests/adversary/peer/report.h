// What a peer has seen, as one JSON object; errors with their texts.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hawser::adversary {

class Report {
 public:
  std::uint64_t& count(const std::string& name) { return counts_[name]; }
  std::uint64_t& server(const std::string& name) { return servers_[name]; }

  // Written to standard error at once, the first ones kept.
  void error(const std::string& text);
  [[nodiscard]] std::uint64_t errors() const noexcept { return error_count_; }

  // One line. `words`: what the report begins with, as JSON members.
  [[nodiscard]] std::string json(const std::string& words) const;

 private:
  std::map<std::string, std::uint64_t> counts_;
  std::map<std::string, std::uint64_t> servers_;
  std::vector<std::string> errors_;
  std::uint64_t error_count_ = 0;
};

[[nodiscard]] std::string json_string(const std::string& text);

}  // namespace hawser::adversary
