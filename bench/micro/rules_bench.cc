// Rules over a browser's request, by their number: a scan with what goes before and after it, and
// what compiling them takes.
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "hawser/l7/rules.h"
#include "hawser/model/compile_rules.h"

namespace hawser::l7 {
namespace {

using enum model::RuleField;
using enum model::RuleMatch;

// What a browser sends for a page's picture.
RequestHead browser_request() {
  RequestHead head;
  head.method = "GET";
  head.host = "www.shop.example";
  head.path = "/catalogue/2024/autumn/shoes/leather-boots-brown-42.jpg";
  head.target = head.path;
  const auto add = [&](std::string_view name, std::string_view value) {
    head.headers[head.header_count++] = {.name = name, .value = value};
  };
  add("Host", head.host);
  add("User-Agent",
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
      "Safari/537.36");
  add("Accept", "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8");
  add("Accept-Language", "en-GB,en;q=0.9,de;q=0.8");
  add("Accept-Encoding", "gzip, deflate, br, zstd");
  add("Referer", "https://www.shop.example/catalogue/2024/autumn/shoes?sort=price&page=3");
  add("Connection", "keep-alive");
  add("Cookie",
      "consent=eyJhIjoxLCJiIjp0cnVlfQ; _ga=GA1.2.1234567890.1718000000; sid=9f86d081884c7d659a2f; "
      "cart=3; theme=dark; hawser=EAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJic");
  add("Sec-Fetch-Dest", "image");
  add("Sec-Fetch-Mode", "no-cors");
  add("Sec-Fetch-Site", "same-origin");
  add("If-Modified-Since", "Tue, 11 Jun 2024 09:12:44 GMT");
  return head;
}

// Nine of ten begin a path; each tenth searches the path, the agent or a cookie. None matches the
// request above, which is then compared with all of them.
std::vector<model::Rule> rules_of(std::size_t count) {
  std::vector<model::Rule> rules;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    model::RuleCondition condition{
        .field = kPath, .name = {}, .patterns = {{kPrefix, "/catalogue/" + number + "/"}}};
    if (i % 30 == 9) condition.patterns = {{kRegex, "/v" + number + "(/[a-z]+)*\\.(css|js)$"}};
    if (i % 30 == 19) {
      condition = {.field = kHeader,
                   .name = "User-Agent",
                   .patterns = {{kRegex, "(?i)bot[-/ ]?" + number + "|crawler-" + number}}};
    }
    if (i % 30 == 29) {
      condition = {
          .field = kCookie, .name = "theme", .patterns = {{kRegex, "^v[0-9]+-" + number + "$"}}};
    }
    rules.push_back({.name = "r" + number, .conditions = {condition}, .sticky = false});
  }
  return rules;
}

void rules_find(benchmark::State& state) {
  model::Splice splice;
  splice.rules = rules_of(static_cast<std::size_t>(state.range(0)));
  splice.rules_database = model::compile_rules(splice.rules).database;
  const Result<std::shared_ptr<const RuleSet>> set = RuleSet::create(splice, 1);
  if (!set) {
    state.SkipWithError(set.error().message.c_str());
    return;
  }
  const RequestHead head = browser_request();
  for (auto iteration : state) {
    static_cast<void>(iteration);
    std::size_t found = (*set)->find(head, WorkerId(0));
    benchmark::DoNotOptimize(found);
    if (found != RuleSet::kNone) {
      state.SkipWithError("a rule matched");
      return;
    }
  }
  state.counters["database"] = static_cast<double>(splice.rules_database.size());
}
BENCHMARK(rules_find)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);

void rules_compile(benchmark::State& state) {
  const std::vector<model::Rule> rules = rules_of(static_cast<std::size_t>(state.range(0)));
  for (auto iteration : state) {
    static_cast<void>(iteration);
    model::CompiledRules compiled = model::compile_rules(rules);
    benchmark::DoNotOptimize(compiled);
  }
}
BENCHMARK(rules_compile)->Arg(10)->Arg(1000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace hawser::l7
