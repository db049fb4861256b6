// BodyPattern: a regular expression that the body of an answer must match somewhere.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hawser/base/result.h"

namespace hawser::control {

class BodyPattern {
 public:
  // The error is Hyperscan's reason. ^ and $ hold at each line.
  [[nodiscard]] static Result<std::shared_ptr<const BodyPattern>> compile(const std::string& text);
  ~BodyPattern();
  BodyPattern(const BodyPattern&) = delete;
  BodyPattern& operator=(const BodyPattern&) = delete;

  // On one thread at a time.
  [[nodiscard]] bool matches(std::string_view body) const;

 private:
  struct Compiled;
  explicit BodyPattern(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace hawser::control
