// A command line, checked against the table of commands.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "commands.h"
#include "failure.h"

namespace hawser::ctl {

// Every value in here has passed the checks its table row asks for.
class Arguments {
 public:
  // `args` without the program's name. A failure has code kUsage.
  static Outcome<Arguments> parse(std::span<const std::string> args);

  // Null when no verb was given: then --help or --version was.
  [[nodiscard]] const Verb* verb() const noexcept { return verb_; }

  // The verb changes something, said like this: it needs the admin socket.
  [[nodiscard]] bool changes() const;

  // By the name in the table: "--dry-run", "BACKEND".
  [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }
  // Empty when not given.
  [[nodiscard]] std::string text(std::string_view name) const;
  // All values of an option that may be repeated, in order.
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
  [[nodiscard]] std::uint64_t number(std::string_view name, std::uint64_t otherwise) const;
  [[nodiscard]] std::chrono::milliseconds seconds(std::string_view name,
                                                  std::chrono::milliseconds otherwise) const;
  // Seconds.
  [[nodiscard]] std::uint64_t duration(std::string_view name, std::uint64_t otherwise) const;

 private:
  const Verb* verb_ = nullptr;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

// SERVICE/BACKEND taken apart; the service is empty when only BACKEND was said.
struct BackendName {
  std::string service;
  std::string backend;

  [[nodiscard]] std::string to_string() const {
    return service.empty() ? backend : service + "/" + backend;
  }
};
[[nodiscard]] BackendName split_backend(std::string_view text);

}  // namespace hawser::ctl
