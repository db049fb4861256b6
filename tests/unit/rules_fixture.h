// Requests and rules for tests of rules, written shortly.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hawser/l7/rules.h"
#include "hawser/model/compile_rules.h"

namespace hawser::l7 {

using model::Rule;
using model::RuleCondition;
using enum model::RuleField;
using enum model::RuleMatch;

constexpr std::size_t kNoRule = RuleSet::kNone;

// A request with its values; the head's views point into it.
struct Request {
  std::string method = "GET";
  std::string host = "example.com";
  std::string path = "/";
  std::vector<std::pair<std::string, std::string>> headers;

  [[nodiscard]] RequestHead head() const {
    RequestHead head;
    head.method = method;
    head.host = host;
    head.path = path;
    head.target = path;
    for (const auto& [name, value] : headers) {
      head.headers[head.header_count++] = {.name = name, .value = value};
    }
    return head;
  }
};

inline ClientHello hello(const std::string& name, const std::vector<std::string>& protocols) {
  ClientHello hello;
  name.copy(hello.name_bytes.data(), name.size());
  hello.name_length = static_cast<std::uint16_t>(name.size());
  for (const std::string& protocol : protocols) {
    hello.alpn_bytes[hello.alpn_length++] = static_cast<std::uint8_t>(protocol.size());
    for (const char c : protocol) {
      hello.alpn_bytes[hello.alpn_length++] = static_cast<std::uint8_t>(c);
    }
  }
  return hello;
}

// A rule that denies what all of the conditions hold for.
inline Rule when(std::vector<RuleCondition> conditions) {
  return {.name = "r", .conditions = std::move(conditions), .deny = 403};
}

inline RuleCondition is(model::RuleField field, model::RuleMatch match, std::string text,
                        std::string name = {}) {
  return {.field = field, .name = std::move(name), .patterns = {{match, std::move(text)}}};
}

inline model::Splice compiled(std::vector<Rule> rules) {
  model::Splice splice{.layer7 = model::Layer7::kHttp, .rules = std::move(rules)};
  model::CompiledRules result = model::compile_rules(splice.rules);
  for (const model::RuleFault& fault : result.faults) ADD_FAILURE() << fault.reason;
  splice.rules_database = std::move(result.database);
  return splice;
}

inline std::shared_ptr<const RuleSet> made(std::vector<Rule> rules) {
  Result<std::shared_ptr<const RuleSet>> set = RuleSet::create(compiled(std::move(rules)), 1);
  if (!set) ADD_FAILURE() << set.error().message;
  return set ? *set : nullptr;
}

inline std::size_t found(const std::vector<Rule>& rules, const Request& request) {
  const std::shared_ptr<const RuleSet> set = made(rules);
  return set == nullptr ? kNoRule : set->find(request.head(), WorkerId(0));
}

}  // namespace hawser::l7
