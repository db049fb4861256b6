// Compiles the patterns of a service's rules into one database of Hyperscan.
#include "hawser/model/compile_rules.h"

#include <cstdlib>
#include <memory>
#include <optional>

#include <hs.h>

#include "hawser/base/limits.h"

namespace hawser::model {
namespace {

struct FreeError {
  void operator()(hs_compile_error_t* error) const { hs_free_compile_error(error); }
};
using CompileError = std::unique_ptr<hs_compile_error_t, FreeError>;

struct FreeDatabase {
  void operator()(hs_database_t* database) const { hs_free_database(database); }
};
using Database = std::unique_ptr<hs_database_t, FreeDatabase>;

// Hyperscan's reasons end in a full stop, ours don't.
std::string reason_of(const CompileError& error) {
  std::string reason = error != nullptr ? error->message : "out of memory";
  if (!reason.empty() && reason.back() == '.') reason.pop_back();
  return reason;
}

// Whether a regular expression by itself is one. Only then it may be put between parentheses, and
// what Hyperscan says about it counts from its own beginning.
std::optional<std::string> fault_of(const std::string& text) {
  hs_expr_info_t* info = nullptr;
  hs_compile_error_t* raw = nullptr;
  const hs_error_t code =
      hs_expression_info(text.c_str(), HS_FLAG_ALLOWEMPTY | HS_FLAG_MULTILINE, &info, &raw);
  const CompileError error(raw);
  std::free(info);  // NOLINT: Hyperscan's default allocator
  if (code == HS_SUCCESS) return std::nullopt;
  return reason_of(error);
}

// Every place where a pattern stands.
void add_faults(const RulePatterns& all, std::size_t pattern, const std::string& reason,
                CompiledRules& out) {
  for (std::size_t i = 0; i < all.by_rule.size(); ++i) {
    for (std::size_t j = 0; j < all.by_rule[i].size(); ++j) {
      for (std::size_t k = 0; k < all.by_rule[i][j].size(); ++k) {
        if (all.by_rule[i][j][k] != pattern) continue;
        out.faults.push_back({.rule = i, .condition = j, .pattern = k, .reason = reason});
      }
    }
  }
}

// Hyperscan's parallel arrays.
struct Expressions {
  std::vector<std::string> texts;
  std::vector<const char*> pointers;
  std::vector<unsigned> flags;
  std::vector<unsigned> ids;
};

Expressions expressions_of(const RulePatterns& all) {
  Expressions out;
  for (const DistinctPattern& pattern : all.patterns) {
    RuleExpression expression = rule_expression(all, pattern);
    const bool regex = pattern.pattern.match == RuleMatch::kRegex;
    // Of a literal the first match is as good as any; a regular expression's must be looked at one
    // by one (rule_patterns.h).
    out.flags.push_back((regex ? HS_FLAG_MULTILINE : HS_FLAG_SINGLEMATCH) |
                        (expression.caseless ? HS_FLAG_CASELESS : 0U));
    out.ids.push_back(static_cast<unsigned>(out.ids.size()));
    out.texts.push_back(std::move(expression.text));
  }
  for (const std::string& text : out.texts) out.pointers.push_back(text.c_str());
  return out;
}

Database compile(const RulePatterns& all, CompiledRules& out) {
  const Expressions expressions = expressions_of(all);
  hs_platform_info_t platform{};
  hs_populate_platform(&platform);
  hs_database_t* raw = nullptr;
  hs_compile_error_t* raw_error = nullptr;
  const hs_error_t code = hs_compile_multi(
      expressions.pointers.data(), expressions.flags.data(), expressions.ids.data(),
      static_cast<unsigned>(expressions.ids.size()), HS_MODE_BLOCK, &platform, &raw, &raw_error);
  Database database(raw);
  const CompileError error(raw_error);
  if (code == HS_SUCCESS) return database;
  if (error != nullptr && error->expression >= 0) {
    add_faults(all, static_cast<std::size_t>(error->expression), reason_of(error), out);
  } else {
    add_faults(all, 0, "all patterns together: " + reason_of(error), out);
  }
  return nullptr;
}

}  // namespace

CompiledRules compile_rules(const std::vector<Rule>& rules) {
  CompiledRules out;
  const RulePatterns all = rule_patterns(rules);
  if (all.patterns.empty()) return out;
  for (std::size_t i = 0; i < all.patterns.size(); ++i) {
    const RulePattern& pattern = all.patterns[i].pattern;
    if (pattern.match != RuleMatch::kRegex) continue;
    if (const std::optional<std::string> fault = fault_of(pattern.text)) {
      add_faults(all, i, *fault, out);
    }
  }
  if (!out.faults.empty()) return out;
  const Database database = compile(all, out);
  if (database == nullptr) return out;
  char* bytes = nullptr;
  std::size_t length = 0;
  if (hs_serialize_database(database.get(), &bytes, &length) != HS_SUCCESS) {
    add_faults(all, 0, "all patterns together: out of memory", out);
    return out;
  }
  out.database = with_digest(all, {bytes, length});
  std::free(bytes);  // NOLINT: Hyperscan's default allocator
  if (out.database.size() <= limits::kMaxRulesDatabase) return out;
  add_faults(all, 0,
             "all patterns together: the database has " + std::to_string(out.database.size()) +
                 " bytes, must have at most " + std::to_string(limits::kMaxRulesDatabase),
             out);
  out.database.clear();
  return out;
}

}  // namespace hawser::model
