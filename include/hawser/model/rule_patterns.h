// What the rules of a service look for: a list of distinct patterns and the text they are run over.
//
// hawserd compiles the list, the dataplane runs what comes of it; both derive it from the rules, so
// that the numbers of patterns need not be handed over. A request is written as lines, one for each
// value that some rule looks at:
//
//   mark '\n' value '\n'
//
// The mark says which field it is, and of which name: a byte that occurs in no value, and two more.
// A pattern begins with its line's mark, so it cannot match in another line. $ holds before the
// line feed behind the value; ^ is taken apart beforehand (rule_regex.h). A regular expression may
// run over the end of the line; whoever counts its matches must look at their ends (l7/rules.cc
// does).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hawser/base/result.h"
#include "hawser/model/splice.h"

namespace hawser::model {

// A kind of line: the same field, of the same name. Its mark comes of its number.
struct RuleLine {
  RuleField field = RuleField::kPath;
  std::string name;    // of the header, in lower case, or of the cookie
  bool regex = false;  // some pattern of it is a regular expression
  friend bool operator==(const RuleLine&, const RuleLine&) = default;
};

inline constexpr std::size_t kRuleMarkBytes = 4;  // with its line feed

// `number` below limits::kMaxRulePatterns.
[[nodiscard]] std::array<char, kRuleMarkBytes> rule_mark(std::size_t number) noexcept;

struct DistinctPattern {
  std::uint16_t line = 0;  // index of RulePatterns::lines
  RulePattern pattern;     // in lower case where the field is, except of regular expressions
  friend auto operator<=>(const DistinctPattern&, const DistinctPattern&) = default;
};

struct RulePatterns {
  std::vector<RuleLine> lines;            // in the order in which rules name them first
  std::vector<DistinctPattern> patterns;  // likewise; each once
  // Indexes of patterns by rule, condition and pattern.
  std::vector<std::vector<std::vector<std::uint16_t>>> by_rule;
};

// Of rules that passed check_rules; those beyond limits::kMaxRulePatterns patterns are left out.
[[nodiscard]] RulePatterns rule_patterns(const std::vector<Rule>& rules);

// A pattern as Hyperscan takes it (PCRE), and whether it is without regard to case.
struct RuleExpression {
  std::string text;
  bool caseless = false;
};
[[nodiscard]] RuleExpression rule_expression(const RulePatterns& all,
                                             const DistinctPattern& pattern);

// Fields whose values are compared in lower case: hosts and server names.
[[nodiscard]] bool is_lower_case(RuleField field) noexcept;

// What can be said of a pattern before it is compiled: no control characters, not too long; of a
// regular expression also that it is not empty and asserts no ends of a text but ^ and $.
[[nodiscard]] Result<void> check_pattern(const RulePattern& pattern);

// --- what is handed over -------------------------------------------------------------------------

// Before the database: 8 bytes that stand for the list of expressions, and 8 for the database.
inline constexpr std::size_t kRulesDigestBytes = 16;

[[nodiscard]] std::string with_digest(const RulePatterns& all, std::string_view database);
// The database alone, when it is whole and was compiled from these patterns; else the error says
// what is wrong. The view points into `rules_database`.
[[nodiscard]] Result<std::string_view> without_digest(const RulePatterns& all,
                                                      std::string_view rules_database);

// --- compiling -----------------------------------------------------------------------------------

// A pattern that cannot be compiled; the indexes say where it stands in the rules.
struct RuleFault {
  std::size_t rule = 0;
  std::size_t condition = 0;
  std::size_t pattern = 0;
  std::string reason;
};

struct CompiledRules {
  std::string database;  // for Splice::rules_database; empty without patterns
  std::vector<RuleFault> faults;
};

// Compiles rules (compile_rules.h); the core knows the library only where it runs them.
using RuleCompiler = std::function<CompiledRules(const std::vector<Rule>&)>;

}  // namespace hawser::model
