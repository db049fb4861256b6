// Compiled rules: what is refused by the compiler, and which databases the dataplane refuses.
#include <algorithm>

#include "hawser/base/limits.h"
#include "rules_fixture.h"

namespace hawser::l7 {
namespace {

TEST(RulePatterns, AreDistinctAndNumberedAsRulesNameThem) {
  const model::RulePatterns all =
      model::rule_patterns({when({is(kHeader, kExact, "1", "X-A"), is(kPath, kExact, "/a")}),
                            when({is(kPath, kRegex, "/a"), is(kHeader, kExact, "1", "x-a")}),
                            when({is(kHost, kExact, "A"), is(kHost, kExact, "a")})});
  ASSERT_EQ(all.lines.size(), 3U);
  EXPECT_EQ(all.lines[0], (model::RuleLine{.field = kHeader, .name = "x-a", .regex = false}));
  EXPECT_EQ(all.lines[1], (model::RuleLine{.field = kPath, .name = "", .regex = true}));
  EXPECT_EQ(all.lines[2], (model::RuleLine{.field = kHost, .name = "", .regex = false}));
  ASSERT_EQ(all.patterns.size(), 4U);
  const std::vector<std::vector<std::vector<std::uint16_t>>> wanted{
      {{0}, {1}}, {{2}, {0}}, {{3}, {3}}};
  EXPECT_EQ(all.by_rule, wanted);
}

TEST(RulePatterns, MarksDifferAndAreNoText) {
  std::vector<std::array<char, model::kRuleMarkBytes>> marks;
  for (std::size_t i = 0; i < limits::kMaxRulePatterns; ++i) marks.push_back(model::rule_mark(i));
  for (const auto& mark : marks) {
    EXPECT_EQ(mark[0], '\x01');
    EXPECT_EQ(mark[3], '\n');
    EXPECT_NE(mark[1], '\n');
    EXPECT_NE(mark[2], '\n');
  }
  std::sort(marks.begin(), marks.end());
  EXPECT_EQ(std::unique(marks.begin(), marks.end()), marks.end());
}

std::vector<model::RuleFault> faults(std::vector<Rule> rules) {
  model::CompiledRules compiled = model::compile_rules(rules);
  EXPECT_TRUE(compiled.database.empty());
  return compiled.faults;
}

TEST(CompileRules, NamesEveryPatternThatIsNoneAndWhy) {
  const std::vector<model::RuleFault> found = faults(
      {when({is(kPath, kExact, "/("), is(kPath, kRegex, "a)|(?:b")}),
       when({{.field = kPath, .name = {}, .patterns = {{kRegex, "ok"}, {kRegex, "(?<=a)b"}}}}),
       when({is(kPath, kRegex, "a)|(?:b")})});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].rule, 0U);
  EXPECT_EQ(found[0].condition, 1U);
  EXPECT_EQ(found[0].pattern, 0U);
  EXPECT_EQ(found[0].reason, "Unmatched parentheses at index 1");
  EXPECT_EQ(found[1].rule, 2U);
  EXPECT_EQ(found[2].rule, 1U);
  EXPECT_EQ(found[2].pattern, 1U);
  EXPECT_NE(found[2].reason, "");
}

// What is one by itself but not between parentheses must be refused, never understood differently.
TEST(CompileRules, RefusesWhatReachesOutOfItsParentheses) {
  for (const char* text : {"a)(?:b", "(?x)a # b", "(*UTF8)a", "a\\", "[a", "a{2", "(?i"}) {
    const model::CompiledRules compiled = model::compile_rules({when({is(kPath, kRegex, text)})});
    // A brace that begins no count is a brace.
    EXPECT_EQ(compiled.faults.empty(), std::string_view(text) == "a{2") << text;
  }
}

TEST(CompileRules, RulesWithoutPatternsHaveNoDatabase) {
  const model::CompiledRules compiled = model::compile_rules({when({})});
  EXPECT_TRUE(compiled.faults.empty());
  EXPECT_EQ(compiled.database, "");
}

TEST(CompileRules, IsTheSameEveryTime) {
  const std::vector<Rule> rules{when({is(kPath, kRegex, "a+b"), is(kHost, kExact, "x")})};
  EXPECT_EQ(model::compile_rules(rules).database, model::compile_rules(rules).database);
}

std::string refusal(const model::Splice& splice) {
  const Result<std::shared_ptr<const RuleSet>> set = RuleSet::create(splice, 1);
  return set ? "" : set.error().message;
}

TEST(RuleDatabases, OfOtherRulesAreRefused) {
  model::Splice splice = compiled({when({is(kPath, kExact, "/a")})});
  EXPECT_EQ(refusal(splice), "");
  // Actions, and which rules share patterns, are no matter of the database.
  splice.rules[0].deny = 404;
  splice.rules.push_back(splice.rules[0]);
  EXPECT_EQ(refusal(splice), "");
  const std::string other = "the compiled rules belong to other rules";
  splice.rules[0].conditions[0].patterns[0].text = "/b";
  EXPECT_EQ(refusal(splice), other);
  splice.rules[0].conditions[0].patterns[0] = {kPrefix, "/a"};
  EXPECT_EQ(refusal(splice), other);
  splice.rules = {when({is(kMethod, kExact, "/a"), is(kPath, kExact, "/a")})};
  EXPECT_EQ(refusal(splice), other);
}

TEST(RuleDatabases, ThatAreMissingOrTooManyAreRefused) {
  model::Splice splice = compiled({when({is(kPath, kExact, "/a")})});
  const std::string database = std::exchange(splice.rules_database, "");
  EXPECT_EQ(refusal(splice), "the compiled rules have 0 bytes, which is no database");
  splice.rules = {when({})};
  EXPECT_EQ(refusal(splice), "");
  splice.rules_database = database;
  EXPECT_EQ(refusal(splice), "there are compiled rules, but no rule that has a pattern");
}

TEST(RuleDatabases, ThatAreDamagedAreRefused) {
  const model::Splice good = compiled({when({is(kPath, kRegex, "a+b|c")})});
  model::Splice splice = good;
  for (std::size_t length = 0; length < good.rules_database.size(); length += 7) {
    splice.rules_database = good.rules_database.substr(0, length);
    EXPECT_NE(refusal(splice), "") << length;
  }
  for (std::size_t at = 0; at < good.rules_database.size(); at += 5) {
    splice.rules_database = good.rules_database;
    splice.rules_database[at] = static_cast<char>(splice.rules_database[at] ^ 1);
    EXPECT_NE(refusal(splice), "") << at;
  }
  splice.rules_database = good.rules_database + "x";
  EXPECT_EQ(refusal(splice), "the compiled rules are damaged");
}

// Whole, by its digest, but not Hyperscan's.
TEST(RuleDatabases, OfAnotherMakeAreRefused) {
  model::Splice splice = compiled({when({is(kPath, kExact, "/a")})});
  const model::RulePatterns all = model::rule_patterns(splice.rules);
  const std::string genuine = splice.rules_database.substr(model::kRulesDigestBytes);
  splice.rules_database = model::with_digest(all, std::string(genuine.size(), 'x'));
  EXPECT_NE(refusal(splice).find("the compiled rules cannot be used: "), std::string::npos);
  std::string version = genuine;
  version[4] = static_cast<char>(version[4] ^ 0x40);
  splice.rules_database = model::with_digest(all, version);
  EXPECT_EQ(refusal(splice),
            "the compiled rules cannot be used: they were compiled by another version of "
            "Hyperscan");
  splice.rules_database = model::with_digest(all, genuine.substr(0, genuine.size() - 1));
  EXPECT_NE(refusal(splice), "");
  splice.rules_database = model::with_digest(all, genuine);
  EXPECT_EQ(refusal(splice), "");
}

}  // namespace
}  // namespace hawser::l7
