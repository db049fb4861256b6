// Rules over requests: what each kind of condition holds for, and which rule is the first.
#include <ostream>

#include "../support/allocations.h"
#include "hawser/base/limits.h"
#include "rules_fixture.h"

namespace hawser::l7 {
namespace {

// One condition, and a value of its field for which it holds or not.
struct Row {
  const char* sentence;
  RuleCondition condition;
  std::string value;
  bool holds;

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.sentence; }
};

const std::vector<Row> kRows{
    {"a method is itself", is(kMethod, kExact, "GET"), "GET", true},
    {"a method is no longer one", is(kMethod, kExact, "GET"), "GETS", false},
    {"a method has its case", is(kMethod, kExact, "GET"), "get", false},
    {"a method begins", is(kMethod, kPrefix, "PROP"), "PROPFIND", true},
    {"a method is searched", is(kMethod, kRegex, "FIND|PATCH"), "PROPFIND", true},
    {"a host is itself", is(kHost, kExact, "example.com"), "example.com", true},
    {"a host has no case", is(kHost, kExact, "Example.COM"), "eXample.com", true},
    {"a host may end in a dot", is(kHost, kExact, "example.com"), "example.com.", true},
    {"a host is not the end of another", is(kHost, kExact, "example.com"), "an.example.com", false},
    {"a host begins, without case", is(kHost, kPrefix, "WWW."), "wWw.example.com", true},
    {"a host is searched without case", is(kHost, kRegex, "\\.EXAMPLE\\.com$"), "A.example.Com",
     true},
    {"a dot of an exact text is a dot", is(kHost, kExact, "a.b"), "axb", false},
    {"a path is itself", is(kPath, kExact, "/a"), "/a", true},
    {"a path is no longer one", is(kPath, kExact, "/a"), "/a/b", false},
    {"a path is no shorter one", is(kPath, kExact, "/a/b"), "/a", false},
    {"a path has its case", is(kPath, kExact, "/a"), "/A", false},
    {"a path begins", is(kPath, kPrefix, "/a/"), "/a/b", true},
    {"a prefix is no end", is(kPath, kPrefix, "/b"), "/a/b", false},
    {"a prefix may be the whole", is(kPath, kPrefix, "/a"), "/a", true},
    {"a prefix has signs", is(kPath, kPrefix, "/(a|b)*[c]"), "/(a|b)*[c]d", true},
    {"a path is searched", is(kPath, kRegex, "b+c"), "/abbbcd", true},
    {"a search may begin at the beginning", is(kPath, kRegex, "^/a"), "/abc", true},
    {"and then nowhere else", is(kPath, kRegex, "^b"), "/abc", false},
    {"in each alternative", is(kPath, kRegex, "^/x|^/a"), "/abc", true},
    {"in an alternative inside", is(kPath, kRegex, "(x|^)/a(b|$)"), "/a", true},
    {"or with what stands there instead", is(kPath, kRegex, "(x|^)/a(b|$)"), "/x/ab", true},
    {"and neither", is(kPath, kRegex, "(x|^)/a(b|$)"), "/y/ab", false},
    {"in alternatives in alternatives", is(kPath, kRegex, "((?:^|y)/a|z)[^|]$"), "/ab", true},
    {"a bar in a class is no alternative", is(kPath, kRegex, "^/a[|^]b|^c"), "/a^b", true},
    {"a bar behind a backslash is none", is(kPath, kRegex, "^/a\\||^c"), "/a|", true},
    {"an alternative behind ^ may be empty", is(kPath, kRegex, "^|x"), "", true},
    {"case is switched off for all alternatives", is(kPath, kRegex, "(?i)^/x|/B$"), "/a/b", true},
    {"a search may end at the end", is(kPath, kRegex, "\\.css$"), "/a.css", true},
    {"and then nowhere else", is(kPath, kRegex, "\\.css$"), "/a.css/b", false},
    {"both ends at once", is(kPath, kRegex, "^/a$"), "/a", true},
    {"both ends at once, and something behind", is(kPath, kRegex, "^/a$"), "/ab", false},
    {"an empty value has both ends", is(kPath, kRegex, "^$"), "", true},
    {"a search that any value fulfils", is(kPath, kRegex, ".*"), "", true},
    {"a word's border at the beginning", is(kPath, kRegex, "\\bx"), "x/", true},
    {"a word's border at the end", is(kPath, kRegex, "x\\b"), "/x", true},
    {"no border inside", is(kPath, kRegex, "\\Bx\\B"), "/axb", true},
    {"no border is at no end", is(kPath, kRegex, "x\\B"), "/x", false},
    {"a search with case switched off", is(kPath, kRegex, "(?i)/abc"), "/ABC", true},
    {"a search with its case", is(kPath, kRegex, "/abc"), "/ABC", false},
    {"bytes above 127", is(kPath, kExact, "/\xc3\xbc"), "/\xc3\xbc", true},
    {"a header is itself", is(kHeader, kExact, "1", "X-A"), "1", true},
    {"a header is no longer one", is(kHeader, kExact, "1", "X-A"), "12", false},
    {"a header's name has no case", is(kHeader, kExact, "1", "x-a"), "1", true},
    {"a header's value has its case", is(kHeader, kExact, "a", "X-A"), "A", false},
    {"a header may be empty", is(kHeader, kExact, "", "X-A"), "", true},
    {"an empty text is no other value", is(kHeader, kExact, "", "X-A"), "1", false},
    {"a header begins", is(kHeader, kPrefix, "text/", "X-A"), "text/html", true},
    {"a header that is there", is(kHeader, kPrefix, "", "X-A"), "", true},
    {"a header that is not there", is(kHeader, kPrefix, "", "X-B"), "1", false},
    {"a header is searched", is(kHeader, kRegex, "[0-9]{3}", "X-A"), "a123b", true},
    {"a header has a tab", is(kHeader, kRegex, "a\\sb", "X-A"), "a\tb", true},
    {"a cookie is itself", is(kCookie, kExact, "1", "c"), "c=1", true},
    {"a cookie is no longer one", is(kCookie, kExact, "1", "c"), "c=12", false},
    {"a cookie among others", is(kCookie, kExact, "1", "c"), "a=2; c=1; d=3", true},
    {"a cookie's name has its case", is(kCookie, kExact, "1", "c"), "C=1", false},
    {"a cookie's name is whole", is(kCookie, kExact, "1", "c"), "cc=1; bc=1", false},
    {"a cookie begins", is(kCookie, kPrefix, "v4", "c"), "c=v42", true},
    {"a cookie is searched", is(kCookie, kRegex, "^v\\d+$", "c"), "a=1; c=v42", true},
    {"the second of two cookies, exactly", is(kCookie, kExact, "2", "c"), "c=1; c=2", true},
    {"the second of two cookies, searched", is(kCookie, kRegex, "^2", "c"), "c=1; c=2", true},
    {"no search over two cookies", is(kCookie, kRegex, "^1[^x]*2$", "c"), "c=1; c=2", false},
    {"a search in the second that could begin before", is(kCookie, kRegex, "1?[^x]*2$", "c"),
     "c=1; c=2", true},
    {"the eighth of many cookies", is(kCookie, kRegex, "8", "c"),
     "c=1; c=2; c=3; c=4; c=5; c=6; c=7; c=8", true},
    {"the ninth is one too many", is(kCookie, kRegex, "9", "c"),
     "c=1; c=2; c=3; c=4; c=5; c=6; c=7; c=8; c=9", false},
    {"of exact texts none is too many", is(kCookie, kExact, "9", "c"),
     "c=1; c=2; c=3; c=4; c=5; c=6; c=7; c=8; c=9", true},
    {"a server name is itself", is(kServerName, kExact, "A.example"), "a.example", true},
    {"a server name is no other", is(kServerName, kExact, "a.example"), "b.example", false},
    {"a server name begins", is(kServerName, kPrefix, "a."), "a.example", true},
    {"a server name is searched", is(kServerName, kRegex, "\\.EXAMPLE$"), "a.example", true},
    {"no server name", is(kServerName, kPrefix, ""), "", false},
    {"a protocol is itself", is(kAlpn, kExact, "h2"), "h2", true},
    {"a protocol is no other", is(kAlpn, kExact, "h2"), "http/1.1", false},
    {"a protocol begins", is(kAlpn, kPrefix, "acme-"), "acme-tls/1", true},
    {"a protocol is searched", is(kAlpn, kRegex, "^h\\d$"), "h3", true},
};

Request request_with(const Row& row) {
  Request request;
  switch (row.condition.field) {
    case kMethod:
      request.method = row.value;
      break;
    case kHost:
      request.host = row.value;
      break;
    case kPath:
      request.path = row.value;
      break;
    case kHeader:
      request.headers = {{"X-a", row.value}};
      break;
    case kCookie:
      request.headers = {{"cookie", row.value}};
      break;
    case kServerName:
    case kAlpn:
      break;
  }
  return request;
}

class Conditions : public testing::TestWithParam<Row> {};

TEST_P(Conditions, HoldForTheirValues) {
  const Row& row = GetParam();
  const std::size_t wanted = row.holds ? 0 : kNoRule;
  const std::shared_ptr<const RuleSet> set = made({when({row.condition})});
  ASSERT_NE(set, nullptr);
  const bool name = row.condition.field == kServerName;
  if (name || row.condition.field == kAlpn) {
    const ClientHello sent = name ? hello(row.value, {}) : hello("", {"grease", row.value, "x"});
    EXPECT_EQ(set->find(sent, WorkerId(0)), wanted);
  } else {
    EXPECT_EQ(set->find(request_with(row).head(), WorkerId(1)), wanted);
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, Conditions, testing::ValuesIn(kRows));

TEST(Rules, AllConditionsMustHold) {
  const std::vector<Rule> rules{when(
      {is(kPath, kPrefix, "/a"), is(kHeader, kExact, "1", "X"), is(kHeader, kExact, "2", "Y")})};
  EXPECT_EQ(found(rules, {.path = "/a", .headers = {{"x", "1"}, {"y", "2"}}}), 0U);
  EXPECT_EQ(found(rules, {.path = "/a", .headers = {{"x", "1"}}}), kNoRule);
  EXPECT_EQ(found(rules, {.path = "/a", .headers = {{"x", "2"}, {"y", "1"}}}), kNoRule);
  EXPECT_EQ(found(rules, {.path = "/b", .headers = {{"x", "1"}, {"y", "2"}}}), kNoRule);
}

TEST(Rules, TwoConditionsOnTheSameHeaderMustBothHold) {
  const std::vector<Rule> rules{
      when({is(kHeader, kRegex, "a", "X"), is(kHeader, kRegex, "b", "x")})};
  EXPECT_EQ(found(rules, {.headers = {{"X", "ab"}}}), 0U);
  EXPECT_EQ(found(rules, {.headers = {{"X", "a"}}}), kNoRule);
}

TEST(Rules, OnePatternOfAConditionIsEnough) {
  const std::vector<Rule> rules{when(
      {{.field = kPath, .name = {}, .patterns = {{kExact, "/a"}, {kPrefix, "/b"}, {kRegex, "c$"}}},
       is(kMethod, kExact, "GET")})};
  for (const char* path : {"/a", "/bcd", "/xc"}) EXPECT_EQ(found(rules, {.path = path}), 0U);
  EXPECT_EQ(found(rules, {.path = "/d"}), kNoRule);
  // Two patterns of one condition do not make up for another.
  EXPECT_EQ(found(rules, {.method = "PUT", .path = "/bc"}), kNoRule);
}

TEST(Rules, TheFirstOfThoseThatMatchCounts) {
  const std::vector<Rule> rules{when({is(kPath, kExact, "/a")}), when({is(kPath, kPrefix, "/a")}),
                                when({is(kPath, kExact, "/a")}), when({})};
  EXPECT_EQ(found(rules, {.path = "/a"}), 0U);
  EXPECT_EQ(found(rules, {.path = "/ab"}), 1U);
  EXPECT_EQ(found(rules, {.path = "/b"}), 3U);
}

TEST(Rules, ARuleWithoutConditionsMatchesEverything) {
  EXPECT_EQ(found({when({})}, {}), 0U);
  EXPECT_EQ(found({when({is(kPath, kExact, "/a")}), when({})}, {.path = "/b"}), 1U);
  EXPECT_EQ(found({when({}), when({is(kPath, kExact, "/a")})}, {.path = "/a"}), 0U);
  EXPECT_EQ(found({}, {}), kNoRule);
}

TEST(Rules, HeadersOfOneNameAreOneValue) {
  const Request twice{.headers = {{"Accept", "text/html"}, {"X", "y"}, {"accept", "a/b"}}};
  EXPECT_EQ(found({when({is(kHeader, kExact, "text/html, a/b", "Accept")})}, twice), 0U);
  EXPECT_EQ(found({when({is(kHeader, kExact, "text/html", "Accept")})}, twice), kNoRule);
  EXPECT_EQ(found({when({is(kHeader, kRegex, ", a/b$", "Accept")})}, twice), 0U);
  EXPECT_EQ(found({when({is(kHeader, kExact, "y", "X")})}, twice), 0U);
}

TEST(Rules, CookiesAreReadFromEveryCookieHeader) {
  const Request request{.headers = {{"Cookie", "a=1"}, {"COOKIE", "b=2; c=3"}}};
  EXPECT_EQ(found({when({is(kCookie, kExact, "3", "c")})}, request), 0U);
  // The header itself is a value as well.
  EXPECT_EQ(found({when({is(kHeader, kExact, "a=1, b=2; c=3", "cookie")})}, request), 0U);
}

TEST(Rules, NoRegularExpressionReachesIntoAnotherField) {
  const Request request{.method = "GET",
                        .host = "h",
                        .path = "/p",
                        .headers = {{"X", "abc"}, {"Y", "def"}, {"Cookie", "c=x; d=y"}}};
  // Each could match if lines were one text.
  for (const char* text : {"^GET[^!]*p", "T[^!]*abc", "(?s)GET.*f", "[^!]{10}", "\\s"}) {
    EXPECT_EQ(found({when({is(kMethod, kRegex, text)}), when({is(kHost, kExact, "no")}),
                     when({is(kPath, kExact, "no")}), when({is(kHeader, kExact, "no", "X")}),
                     when({is(kHeader, kExact, "no", "Y")})},
                    request),
              kNoRule)
        << text;
  }
  EXPECT_EQ(found({when({is(kHeader, kRegex, "abc[^!]*def", "X")}),
                   when({is(kHeader, kRegex, "c[^!]+", "X"), is(kHeader, kExact, "def", "Y")})},
                  request),
            kNoRule);
  // What matches inside matches although it could run on.
  EXPECT_EQ(
      found({when({is(kHeader, kRegex, "b[^!]+", "X"), is(kHeader, kExact, "def", "Y")})}, request),
      0U);
}

TEST(Rules, ProtocolsAreValuesOfTheirOwn) {
  const std::shared_ptr<const RuleSet> set =
      made({when({is(kAlpn, kRegex, "^h2[^!]*1\\.1$")}),
            when({is(kServerName, kExact, "a"), is(kAlpn, kExact, "http/1.1")}),
            when({is(kAlpn, kRegex, "^x")})});
  ASSERT_NE(set, nullptr);
  EXPECT_EQ(set->find(hello("a", {"h2", "http/1.1"}), WorkerId(0)), 1U);
  EXPECT_EQ(set->find(hello("b", {"h2", "http/1.1"}), WorkerId(0)), kNoRule);
  EXPECT_EQ(set->find(hello("b", {"h2", "y", "xyz"}), WorkerId(0)), 2U);
  EXPECT_EQ(set->find(hello("", {}), WorkerId(0)), kNoRule);
}

// Protocols may be any bytes (RFC 7301 section 3.1); values of HTTP cannot hold these, but a rule
// must not depend on it.
TEST(Rules, ValuesWithControlCharactersMatchNothing) {
  const std::string forged = "x\n" + std::string(model::rule_mark(0).data(), 4) + "h2\n";
  const std::shared_ptr<const RuleSet> set =
      made({when({{.field = kAlpn, .name = {}, .patterns = {{kExact, "h2"}, {kRegex, "x"}}}})});
  ASSERT_NE(set, nullptr);
  EXPECT_EQ(set->find(hello("", {forged}), WorkerId(0)), kNoRule);
  EXPECT_EQ(set->find(hello("", {forged, "h2"}), WorkerId(0)), 0U);
  EXPECT_EQ(found({when({is(kHeader, kPrefix, "", "X")})}, {.headers = {{"X", forged}}}), kNoRule);
  EXPECT_EQ(
      found({when({is(kHeader, kPrefix, "", "X")})}, {.headers = {{"X", "good"}, {"X", forged}}}),
      kNoRule);
}

TEST(Rules, OneRequestLeavesNothingForTheNext) {
  const std::shared_ptr<const RuleSet> set =
      made({when({is(kPath, kExact, "/a"), is(kHeader, kExact, "1", "X")}),
            when({is(kPath, kRegex, "b")})});
  ASSERT_NE(set, nullptr);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(set->find(Request{.path = "/a"}.head(), WorkerId(0)), kNoRule);
    EXPECT_EQ(set->find(Request{.path = "/", .headers = {{"X", "1"}}}.head(), WorkerId(0)),
              kNoRule);
    EXPECT_EQ(set->find(Request{.path = "/a", .headers = {{"X", "1"}}}.head(), WorkerId(0)), 0U);
    EXPECT_EQ(set->find(Request{.path = "/b"}.head(), WorkerId(0)), 1U);
  }
}

// The largest head with the most lines a rule can ask for: nothing is lost and nothing overflows.
TEST(Rules, TheLargestHeadFits) {
  std::vector<Rule> rules{
      when({is(kCookie, kExact, "last", "b")}), when({is(kCookie, kPrefix, "no", "a")}),
      when({is(kHeader, kRegex, "b=last$", "Cookie")}), when({is(kPath, kRegex, "no")})};
  std::string cookies;
  while (cookies.size() < limits::kMaxHttpHead - 12) cookies += "a=;";
  const Request request{.headers = {{"Cookie", cookies + "b=last"}}};
  EXPECT_EQ(found(rules, request), 0U);
  rules.erase(rules.begin());
  EXPECT_EQ(found(rules, request), 1U);
}

TEST(Rules, AThousandRulesFindTheirOwn) {
  std::vector<Rule> rules;
  for (int i = 0; i < 1000; ++i) {
    const std::string number = std::to_string(i);
    switch (i % 4) {
      case 0:
        rules.push_back(when({is(kPath, kPrefix, "/service-" + number + "/")}));
        break;
      case 1:
        rules.push_back(
            when({is(kHost, kExact, "h" + number + ".example"), is(kMethod, kExact, "GET")}));
        break;
      case 2:
        rules.push_back(when({is(kHeader, kExact, number, "X-Rule-" + number)}));
        break;
      default:
        rules.push_back(when({is(kCookie, kExact, number, "rule")}));
        break;
    }
  }
  const std::shared_ptr<const RuleSet> set = made(rules);
  ASSERT_NE(set, nullptr);
  for (std::size_t i = 0; i < 1000; ++i) {
    const std::string number = std::to_string(i);
    const std::vector<Request> requests{
        {.path = "/service-" + number + "/x"},
        {.host = "h" + number + ".example"},
        {.headers = {{"x-rule-" + number, number}}},
        {.headers = {{"Cookie", "rule=" + number}}},
    };
    EXPECT_EQ(set->find(requests[i % 4].head(), WorkerId(0)), i);
    EXPECT_EQ(set->find(requests[(i + 1) % 4].head(), WorkerId(0)), kNoRule);
  }
}

TEST(Rules, NothingIsAllocatedPerRequest) {
  const std::shared_ptr<const RuleSet> set =
      made({when({is(kPath, kRegex, "b+$"), is(kHeader, kExact, "1", "X")}),
            when({is(kCookie, kRegex, "[0-9]", "c")})});
  ASSERT_NE(set, nullptr);
  const Request request{.path = "/abb", .headers = {{"X", "2"}, {"Cookie", "c=x; c=1"}}};
  const RequestHead head = request.head();
  const std::uint64_t before = tests::allocations();
  EXPECT_EQ(set->find(head, WorkerId(0)), 1U);
  EXPECT_EQ(tests::allocations(), before);
}

}  // namespace
}  // namespace hawser::l7
