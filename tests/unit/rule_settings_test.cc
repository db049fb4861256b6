// The configuration file: the rules of spliced services.
#include "splice_rows.h"

namespace hawser::model {
namespace {

// Long lines are broken into adjacent literals on purpose.
// NOLINTBEGIN(bugprone-suspicious-missing-comma)
const std::vector<ConfigurationRow> kRows{
    {"a rule without a name, twice the same name, and one that does nothing",
     rule(R"(deny = 403
[[service.rule]]
name = "a"
path = "/a"
[[service.rule]]
name = "a"
sticky = true
)"),
     {"17:1: service \"web\", rule number 1: name is missing; write name = \"admin\"",
      "19:1: service \"web\": rule \"a\": it does nothing; write generation, sticky, deny, "
      "redirect, rate, or sticky = true for a rule that only keeps requests from those after it",
      "23:8: service \"web\", rule \"a\": the name is already used at line 20; names are unique in "
      "a service"}},
    {"patterns that are none",
     rule(R"(name = "a"
method = []
host = 5
path = ["/x?y", "x", { prefix = "y" }, { exact = "/", prefix = "/" }, {}, 7, "*"]
header = [{ exact = "x" }, { name = "a b", regex = "" }, "X", { name = "X", is = "y" }]
cookie = { name = "c", exact = """a
""" }
deny = 403
)"),
     {"19:10: service \"web\", rule \"a\": method is empty, so that no request would match; write "
      "a "
      "text, { prefix = \"...\" } or { regex = \"...\" }",
      "20:8: service \"web\", rule \"a\": host is a whole number; write a text, { prefix = \"...\" "
      "} or { regex = \"...\" }",
      "21:9: service \"web\", rule \"a\": path contains \"?\", but a path is without its query; "
      "remove it",
      "21:17: service \"web\", rule \"a\": path must start with \"/\"",
      "21:33: service \"web\", rule \"a\", path: prefix must start with \"/\"",
      "21:40: service \"web\", rule \"a\", path: exact, prefix and regex exclude each other; write "
      "one of them",
      "21:71: service \"web\", rule \"a\", path: nothing to compare with; write exact, prefix or "
      "regex = \"...\"",
      "21:75: service \"web\", rule \"a\": path is a whole number; write a text, { prefix = "
      "\"...\" } or { regex = \"...\" }",
      "22:11: service \"web\", rule \"a\", header: name is missing; write name = \"X-Version\"",
      "22:37: service \"web\", rule \"a\", header: name is \"a b\", which no header is called; "
      "write letters, digits or some of !#$%&'*+-.^_`|~",
      "22:52: service \"web\", rule \"a\", header: regex is empty; for any value write prefix = "
      "\"\"",
      "22:58: service \"web\", rule \"a\": header must be a table such as { name = \"X\", exact = "
      "\"...\" }, is a string",
      "22:63: service \"web\", rule \"a\", header: nothing to compare with; write exact, prefix or "
      "regex = \"...\"",
      "22:77: service \"web\", rule \"a\", header: unknown key \"is\"; known here: name, exact, "
      "prefix, regex",
      "23:32: service \"web\", rule \"a\", cookie: exact contains a control character, which no "
      "request may have; remove it"}},
    {"regular expressions about the ends of a text",
     rule(R"(name = "a"
path = [{ regex = '\A/x' }, { regex = 'x\z' }, { regex = 'x\\Z' }, { regex = '\Qx' }, { regex = '(?s-m)x' }, { regex = '(?i)x' }]
deny = 403
)"),
     {"19:19: service \"web\", rule \"a\", path: regex contains \\A, which is about a whole text; "
      "write ^",
      "19:39: service \"web\", rule \"a\", path: regex contains \\z, which is about a whole text; "
      "write $",
      "19:78: service \"web\", rule \"a\", path: regex contains \\Q; write \\ before each special "
      "character instead",
      "19:97: service \"web\", rule \"a\", path: regex contains (?-m), without which ^ and $ never "
      "hold; remove it"}},
    {"a pattern of 1000 bytes is good, one more is not",
     rule("name = \"a\"\npath = [\"/" + std::string(999, 'x') + "\", \"/" + std::string(1000, 'y') +
          "\"]\ndeny = 403\n"),
     {"19:1013: service \"web\", rule \"a\": path has 1001 bytes, must have at most 1000"}},
    {"fields of the other protocol",
     rule("name = \"a\"\nserver_name = \"x\"\nalpn = \"h2\"\ndeny = 403\n") + R"([[service]]
name = "tls"
address = "10.0.0.101"
port = 443
)" + kTls +
         kBackend + R"([[service.rule]]
name = "b"
path = "/"
header = { name = "X", exact = "y" }
redirect = { location = "/" }
)",
     {"19:15: service \"web\": rule \"a\": server_name cannot be read with protocol \"http\"; "
      "write "
      "host or path, or remove it",
      "20:8: service \"web\": rule \"a\": alpn cannot be read with protocol \"http\"; write host "
      "or "
      "path, or remove it",
      "34:8: service \"tls\": rule \"b\": path cannot be read with protocol \"tls\"; write "
      "server_name or alpn, or remove it",
      "35:10: service \"tls\": rule \"b\": header cannot be read with protocol \"tls\"; write "
      "server_name or alpn, or remove it",
      "36:12: service \"tls\": rule \"b\": redirect cannot be read with protocol \"tls\"; write "
      "server_name or alpn, or remove it"}},
    {"actions that exclude each other, and values that are none",
     rule(R"(name = "a"
deny = 302
redirect = { status = 304, location = "https://$path/" }
[[service.rule]]
name = "b"
deny = 403
redirect = { location = "ftp://x" }
[[service.rule]]
name = "c"
redirect = { status = 300 }
rate = { burst = 0, by = "client", per_minute = 5 }
[[service.rule]]
name = "d"
deny = 599
generation = "v1"
sticky = false
)") + "[[service.backend]]\nname = \"b2\"\naddress = \"10.0.0.12\"\nport = 80\n"
      "generation = \"v1\"\n",
     {"19:8: service \"web\", rule \"a\": deny is 302, must be 400 to 599",
      "20:23: service \"web\", rule \"a\", redirect: status is 304, must be 301, 302, 303, 307 or "
      "308",
      "20:39: service \"web\", rule \"a\", redirect: location has a \"$\" that begins neither "
      "\"$host\" nor \"$target\"; write %24 for it",
      "24:12: service \"web\": rule \"b\": deny and redirect exclude each other; remove one of "
      "them",
      "24:25: service \"web\", rule \"b\", redirect: location must be printable ASCII without "
      "blanks, and start with \"http://\", \"https://\" or \"/\"",
      "27:12: service \"web\", rule \"c\", redirect: location is missing; write location = "
      "\"https://$host$target\"",
      "27:23: service \"web\", rule \"c\", redirect: status is 300, must be 301 to 308",
      "28:8: service \"web\", rule \"c\", rate: per_second is missing; write per_second = 100",
      "28:18: service \"web\", rule \"c\", rate: burst is 0, must be 1 to 1000000",
      "28:26: service \"web\", rule \"c\", rate: by \"client\" must be \"rule\" or \"source\"",
      "28:36: service \"web\", rule \"c\", rate: unknown key \"per_minute\"; known here: "
      "per_second, burst, by",
      "32:14: service \"web\": rule \"d\": generation has no effect with deny, which reaches no "
      "backend; remove it",
      "33:10: service \"web\": rule \"d\": sticky has no effect with deny, which reaches no "
      "backend; remove it"}},
    {"a generation that no backend has",
     rule("name = \"a\"\ngeneration = \"v24\"\n[[service.rule]]\nname = \"b\"\ngeneration = "
          "\"blue\"\n[[service.backend]]\nname = \"b2\"\naddress = \"10.0.0.12\"\nport = 80\n"
          "generation = \"v42\"\n"),
     {"19:14: service \"web\": rule \"a\": no backend is of generation \"v24\" (did you mean "
      "\"v42\"?)",
      "22:14: service \"web\": rule \"b\": no backend is of generation \"blue\"; write generation "
      "= \"blue\" in a [[service.backend]]"}},
};
// NOLINTEND(bugprone-suspicious-missing-comma)

class RuleSettings : public testing::TestWithParam<ConfigurationRow> {};

TEST_P(RuleSettings, GetExactlyTheseDiagnostics) {
  EXPECT_EQ(diagnose(GetParam().text), GetParam().diagnostics);
}

INSTANTIATE_TEST_SUITE_P(Rows, RuleSettings, testing::ValuesIn(kRows));

TEST(RuleValues, AreReadWhole) {
  const Service service = only(rule(R"(name = "a"
method = "GET"
host = ["x.org", { prefix = "www." }]
path = { regex = "^/a" }
header = [{ name = "X-A", exact = "1" }, { name = "X-B", prefix = "2" }]
cookie = { name = "c", regex = "3" }
generation = "v1"
sticky = false
rate = { per_second = 5, burst = 7, by = "source" }
[[service.rule]]
name = "b"
redirect = { location = "https://$host$target" }
rate = { per_second = 9 }
[[service.rule]]
name = "c"
deny = 404
[[service.backend]]
name = "b2"
address = "10.0.0.12"
port = 80
generation = "v1"
)"));
  using enum RuleField;
  using enum RuleMatch;
  const std::vector<Rule> wanted{
      {.name = "a",
       .conditions = {{.field = kMethod, .name = "", .patterns = {{kExact, "GET"}}},
                      {.field = kHost,
                       .name = "",
                       .patterns = {{kExact, "x.org"}, {kPrefix, "www."}}},
                      {.field = kPath, .name = "", .patterns = {{kRegex, "^/a"}}},
                      {.field = kHeader, .name = "X-A", .patterns = {{kExact, "1"}}},
                      {.field = kHeader, .name = "X-B", .patterns = {{kPrefix, "2"}}},
                      {.field = kCookie, .name = "c", .patterns = {{kRegex, "3"}}}},
       .generation = "v1",
       .sticky = false,
       .rate = {.per_second = 5, .burst = 7, .by_source = true}},
      {.name = "b",
       .redirect = 308,
       .location = "https://$host$target",
       .rate = {.per_second = 9, .burst = 9, .by_source = false}},
      {.name = "c", .deny = 404}};
  EXPECT_EQ(service.splice.rules, wanted);
  EXPECT_EQ(service.backends.at(1).generation, "v1");
  EXPECT_EQ(service.splice.rules_database, "");
}

TEST(RuleValues, TheyAndTheirPatternsAreLimited) {
  std::string rules;
  for (int i = 0; i < 1000; ++i) {
    rules += "[[service.rule]]\nname = \"r" + std::to_string(i) + "\"\ndeny = 403\n";
  }
  EXPECT_EQ(diagnose(http("") + rules), std::vector<std::string>{});
  EXPECT_EQ(diagnose(http("") + rules + "[[service.rule]]\nname = \"last\"\ndeny = 403\n"),
            (std::vector<std::string>{"3017:1: service \"web\": there are more than 1000 rules"}));
  std::string paths = "path = [\"/\"";
  for (int i = 1; i < 4000; ++i) paths += ", \"/" + std::to_string(i) + "\"";
  EXPECT_EQ(diagnose(rule("name = \"a\"\n" + paths + "]\ndeny = 403\n")),
            std::vector<std::string>{});
  EXPECT_EQ(diagnose(rule("name = \"a\"\n" + paths + ", \"/x\"]\ndeny = 403\n")),
            (std::vector<std::string>{"17:1: service \"web\": up to here the rules have 4001 "
                                      "patterns, must have at most 4000"}));
}

// The compiler of the test refuses what contains "bad".
CompiledRules picky(const std::vector<Rule>& rules) {
  CompiledRules compiled{.database = std::to_string(rules.size()), .faults = {}};
  for (std::size_t i = 0; i < rules.size(); ++i) {
    for (std::size_t j = 0; j < rules[i].conditions.size(); ++j) {
      const std::vector<RulePattern>& patterns = rules[i].conditions[j].patterns;
      for (std::size_t k = 0; k < patterns.size(); ++k) {
        if (patterns[k].text.find("bad") == std::string::npos) continue;
        compiled.faults.push_back({.rule = i, .condition = j, .pattern = k, .reason = "no"});
      }
    }
  }
  return compiled;
}

TEST(RuleValues, AreCompiledAndFaultsToldWithTheirPlace) {
  const ParsedConfiguration good =
      parse_configuration(rule("name = \"a\"\ndeny = 403\n"), "f", {}, picky);
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good.configuration.services.at(0).splice.rules_database, "1");
  const ParsedConfiguration bad = parse_configuration(
      rule("name = \"a\"\ndeny = 403\nheader = [{ name = \"x\", exact = \"y\" }, { name = \"z\", "
           "regex = \"bad\" }]\npath = [\"/\", { regex = \"bad\" }]\n"),
      "f", {}, picky);
  ASSERT_EQ(bad.diagnostics.size(), 2U);
  EXPECT_EQ(bad.diagnostics[0].to_string(),
            "f:20:62: service \"web\", rule \"a\": \"bad\" cannot be compiled: no");
  EXPECT_EQ(bad.diagnostics[1].to_string(),
            "f:21:24: service \"web\", rule \"a\": \"bad\" cannot be compiled: no");
}

TEST(RuleValues, WithAFaultAreNotCompiled) {
  bool called = false;
  const auto compile = [&](const std::vector<Rule>&) {
    called = true;
    return CompiledRules{};
  };
  EXPECT_FALSE(parse_configuration(rule("name = \"a\"\ndeny = 3\n"), "f", {}, compile).ok());
  EXPECT_FALSE(called);
  EXPECT_TRUE(parse_configuration(http(""), "f", {}, compile).ok());
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace hawser::model
