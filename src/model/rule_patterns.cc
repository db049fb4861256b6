// What the rules of a service look for: a list of distinct patterns and the text they are run over.
#include "hawser/model/rule_patterns.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <xxhash.h>

#include "hawser/base/limits.h"
#include "rule_regex.h"

namespace hawser::model {
namespace {

// Occurs in no value: lines with control characters are not made.
constexpr char kMarkLead = '\x01';
// Digits of a mark's number: no letters to Hyperscan, and no line feed.
constexpr unsigned kMarkDigit = 0xc0;
constexpr unsigned kMarkBase = 64;
static_assert(limits::kMaxRulePatterns <= kMarkBase * kMarkBase);

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

// A text as a regular expression that is this text.
std::string literal(std::string_view text) {
  std::string out;
  for (const char c : text) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return out;
}

// Numbers lines and patterns as they come.
class Collector {
 public:
  explicit Collector(RulePatterns& out) : out_(out) {}

  std::vector<std::uint16_t> add(const RuleCondition& condition) {
    std::vector<std::uint16_t> indexes;
    for (const RulePattern& pattern : condition.patterns) {
      if (out_.patterns.size() == limits::kMaxRulePatterns) return indexes;
      indexes.push_back(add(condition, pattern));
    }
    return indexes;
  }

 private:
  std::uint16_t add(const RuleCondition& condition, RulePattern pattern) {
    const std::uint16_t line = line_of(condition);
    const bool regex = pattern.match == RuleMatch::kRegex;
    out_.lines[line].regex = out_.lines[line].regex || regex;
    if (is_lower_case(condition.field) && !regex) pattern.text = lower(std::move(pattern.text));
    const DistinctPattern distinct{line, std::move(pattern)};
    const auto [known, is_new] =
        patterns_.emplace(distinct, static_cast<std::uint16_t>(out_.patterns.size()));
    if (is_new) out_.patterns.push_back(distinct);
    return known->second;
  }

  std::uint16_t line_of(const RuleCondition& condition) {
    const bool header = condition.field == RuleField::kHeader;
    std::string name = header ? lower(condition.name) : condition.name;
    const auto [known, is_new] = lines_.emplace(std::tuple(condition.field, name),
                                                static_cast<std::uint16_t>(out_.lines.size()));
    if (is_new) out_.lines.push_back({.field = condition.field, .name = std::move(name)});
    return known->second;
  }

  RulePatterns& out_;
  std::map<std::tuple<RuleField, std::string>, std::uint16_t> lines_;
  std::map<DistinctPattern, std::uint16_t> patterns_;
};

std::uint64_t digest_of(const RulePatterns& all) {
  std::string expressions;
  for (const DistinctPattern& pattern : all.patterns) {
    const RuleExpression expression = rule_expression(all, pattern);
    expressions += expression.text;
    expressions += expression.caseless ? "\ni\n" : "\n\n";
  }
  return XXH3_64bits(expressions.data(), expressions.size());
}

}  // namespace

std::array<char, kRuleMarkBytes> rule_mark(std::size_t number) noexcept {
  return {kMarkLead, static_cast<char>(kMarkDigit + number / kMarkBase),
          static_cast<char>(kMarkDigit + number % kMarkBase), '\n'};
}

bool is_lower_case(RuleField field) noexcept {
  return field == RuleField::kHost || field == RuleField::kServerName;
}

RulePatterns rule_patterns(const std::vector<Rule>& rules) {
  RulePatterns all;
  Collector collector(all);
  all.by_rule.reserve(rules.size());
  for (const Rule& rule : rules) {
    std::vector<std::vector<std::uint16_t>>& conditions = all.by_rule.emplace_back();
    for (const RuleCondition& condition : rule.conditions) {
      conditions.push_back(collector.add(condition));
    }
  }
  return all;
}

RuleExpression rule_expression(const RulePatterns& all, const DistinctPattern& pattern) {
  const std::array<char, kRuleMarkBytes> mark = rule_mark(pattern.line);
  std::string begin = literal({mark.data(), mark.size()});
  switch (pattern.pattern.match) {
    case RuleMatch::kExact:
      return {.text = begin + literal(pattern.pattern.text + "\n")};
    case RuleMatch::kPrefix:
      return {.text = begin + literal(pattern.pattern.text)};
    case RuleMatch::kRegex:
      break;
  }
  // check_pattern has seen that it is none that cannot be searched.
  const Result<std::string> search = search_expression(pattern.pattern.text);
  return {.text = begin + search.value_or(std::string()),
          .caseless = is_lower_case(all.lines[pattern.line].field)};
}

Result<void> check_pattern(const RulePattern& pattern) {
  const bool control = std::any_of(pattern.text.begin(), pattern.text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (control) return fail("contains a control character, which no request may have; remove it");
  if (pattern.text.size() > limits::kMaxRulePattern) {
    return fail(fmt::format("has {} bytes, must have at most {}", pattern.text.size(),
                            limits::kMaxRulePattern));
  }
  if (pattern.match != RuleMatch::kRegex) return {};
  const Result<std::string> search = search_expression(pattern.text);
  if (!search) return search.error();
  return {};
}

std::string with_digest(const RulePatterns& all, std::string_view database) {
  std::string whole(kRulesDigestBytes, '\0');
  const std::array<std::uint64_t, 2> digests{digest_of(all),
                                             XXH3_64bits(database.data(), database.size())};
  static_assert(sizeof(digests) == kRulesDigestBytes);
  std::memcpy(whole.data(), digests.data(), kRulesDigestBytes);
  whole += database;
  return whole;
}

Result<std::string_view> without_digest(const RulePatterns& all, std::string_view rules_database) {
  if (rules_database.size() <= kRulesDigestBytes) {
    return fail(fmt::format("the compiled rules have {} bytes, which is no database",
                            rules_database.size()));
  }
  const std::string_view database = rules_database.substr(kRulesDigestBytes);
  std::array<std::uint64_t, 2> digests{};
  std::memcpy(digests.data(), rules_database.data(), kRulesDigestBytes);
  if (digests[0] != digest_of(all)) return fail("the compiled rules belong to other rules");
  if (digests[1] != XXH3_64bits(database.data(), database.size())) {
    return fail("the compiled rules are damaged");
  }
  return database;
}

}  // namespace hawser::model
