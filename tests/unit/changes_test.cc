// What a reload says it changes: every setting is noticed, no key is told.
#include "changes.h"

#include <functional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "rows.h"

namespace hawser::control {
namespace {

model::PrefixList list(const char* name, std::vector<net::Prefix> prefixes) {
  return {name, std::make_shared<const std::vector<net::Prefix>>(std::move(prefixes))};
}

model::Configuration one_service() {
  model::Configuration configuration;
  model::Service& service = configuration.services.emplace_back();
  service.name = "h3";
  service.address = *net::parse_address("10.0.0.100");
  service.port = 443;
  service.quic = {.server_id_length = 1, .nonce_length = 5, .key = std::string(16, 'K')};
  model::Backend& backend = service.backends.emplace_back();
  backend.name = "b1";
  backend.address = *net::parse_address("10.0.0.11");
  backend.port = 443;
  backend.quic_server_id = "\x0a";
  configuration.prefix_lists = {list("a", {}), list("b", {*net::parse_prefix("10.0.0.0/8")})};
  return configuration;
}

std::vector<std::string> changed(const std::function<void(model::Configuration&)>& edit) {
  const model::Configuration before = one_service();
  model::Configuration after = before;
  edit(after);
  std::vector<std::string> lines;
  for (const Change& change : differences(before, after)) {
    lines.push_back(change.service + "/" + change.backend + " " + change.field + ": " +
                    change.before + " -> " + change.after);
  }
  return lines;
}

using Edit = std::function<void(model::Service&)>;

TEST(Differences, NoticeEverySettingOfAService) {
  const std::vector<std::pair<Edit, std::string>> rows{
      {[](auto& s) { s.forward = model::Forward::kDsrGue; }, "forward: nat -> dsr-gue port 6080"},
      {[](auto& s) { s.client_address = model::ClientAddress::kToa; },
       "client_address: none -> toa"},
      {[](auto& s) { s.affinity.by = model::AffinityBy::kQuicCid; }, "affinity: flow -> quic-cid"},
      {[](auto& s) { s.affinity.by = model::AffinityBy::kSource; },
       "affinity: flow -> source /32 /64"},
      {[](auto& s) { s.bounded_load_permille = 0; }, "bounded_load: 0.25 -> off"},
      {[](auto& s) { s.bounded_load_permille = 1500; }, "bounded_load: 0.25 -> 1.5"},
      {[](auto& s) { s.protection.max_flows = 1000; }, "max_flows: off -> 1000"},
      {[](auto& s) { s.protection.new_flow_rate = 7; }, "new_flow_rate: off -> 7"},
      {[](auto& s) { s.protection.source_rate = {.per_second = 5, .burst = 9}; },
       "source_rate: off -> 5 a second, burst 9, of /32 /64"},
      {[](auto& s) { s.protection.allow = {"a"}; }, "allow:  -> a"},
      {[](auto& s) {
         s.protection.deny = {"a", "b"};
       },
       "deny:  -> a, b"},
      {[](auto& s) { s.quic = {}; }, "quic: config 0, server id 1, nonce 5, encrypted -> "},
      {[](auto& s) { s.quic.key.clear(); },
       "quic: config 0, server id 1, nonce 5, encrypted -> config 0, server id 1, nonce 5, in "
       "plain sight"}};
  for (const auto& [edit, line] : rows) {
    const auto lines = changed([&, edit = edit](auto& after) { edit(after.services[0]); });
    EXPECT_EQ(lines, std::vector<std::string>{"h3/ " + line});
  }
  const auto lines = changed([](auto& c) { c.services[0].backends[0].quic_server_id = "\xff"; });
  EXPECT_EQ(lines, std::vector<std::string>{"h3/b1 quic_server_id: 0a -> ff"});
}

// A spliced service with two rules.
model::Configuration spliced() {
  model::Configuration configuration = one_service();
  model::Service& service = configuration.services[0];
  service.quic = {};
  service.forward = model::Forward::kSplice;
  service.splice.layer7 = model::Layer7::kHttp;
  service.affinity.by = model::AffinityBy::kCookie;
  service.splice.rules = {{.name = "a",
                           .conditions = {{.field = model::RuleField::kPath,
                                           .name = "",
                                           .patterns = {{model::RuleMatch::kExact, "/"},
                                                        {model::RuleMatch::kPrefix, "/a"}}},
                                          {.field = model::RuleField::kHeader,
                                           .name = "X",
                                           .patterns = {{model::RuleMatch::kRegex, "y$"}}}},
                           .sticky = false},
                          {.name = "b", .rate = {.per_second = 5, .burst = 6, .by_source = true}}};
  return configuration;
}

TEST(Differences, NoticeEverythingAboutSplicing) {
  const std::string cookie =
      "affinity: cookie hawser, path /, http only, same site lax, idle "
      "900s, max 43200s -> cookie ";
  const std::string a = "path exact / or prefix /a; header X regex y$: not sticky";
  const std::string b = "all: rate 5 a second, burst 6, of the source";
  const std::string splice = "splice: head timeout 10s, h2c refuse, 2 rules -> head timeout ";
  const std::vector<std::pair<Edit, std::vector<std::string>>> rows{
      {[](auto& s) { s.splice.layer7 = model::Layer7::kTls; },
       {"address: 10.0.0.100:443/http -> 10.0.0.100:443/tls", splice + "10s, 2 rules"}},
      {[](auto& s) { s.splice.h2c_tunnel = true; }, {splice + "10s, h2c tunnel, 2 rules"}},
      {[](auto& s) { s.splice.head_timeout_ms = 500; }, {splice + "500ms, h2c refuse, 2 rules"}},
      {[](auto& s) { s.splice.error_body = "no"; },
       {splice + "10s, h2c refuse, error body \"no\", 2 rules"}},
      {[](auto& s) { s.affinity.cookie.name = "pin"; },
       {cookie + "pin, path /, http only, same site lax, idle 900s, max 43200s"}},
      {[](auto& s) {
         s.affinity.cookie = {.path = "/a",
                              .domain = "x.org",
                              .secure = true,
                              .http_only = false,
                              .same_site = model::SameSite::kNone,
                              .idle_seconds = 10,
                              .maximum_seconds = 20};
       },
       {cookie + "hawser, path /a, domain x.org, secure, same site none, idle 10s, max 20s"}},
      {[](auto& s) { s.affinity = {.by = model::AffinityBy::kHeader, .name = "X-User"}; },
       {cookie.substr(0, cookie.size() - 7) + "header X-User"}},
      {[](auto& s) { s.splice.rules[0].deny = 403; }, {"rule a: " + a + " -> " + a + ", deny 403"}},
      {[](auto& s) {
         s.splice.rules[1] = {.name = "b", .generation = "v1", .redirect = 308, .location = "/x"};
       },
       {"rule b: " + b + " -> all: generation v1, redirect 308 to /x"}},
      {[](auto& s) { s.splice.rules[0].name = "c"; },
       {"rule c:  -> " + a, "rule a: " + a + " -> "}},
      {[](auto& s) { std::swap(s.splice.rules[0], s.splice.rules[1]); },
       {"order of rules: a, b -> b, a"}}};
  for (const auto& [edit, wanted] : rows) {
    const model::Configuration before = spliced();
    model::Configuration after = before;
    edit(after.services[0]);
    std::vector<std::string> lines;
    for (const Change& change : differences(before, after)) {
      lines.push_back(change.field + ": " + change.before + " -> " + change.after);
    }
    EXPECT_EQ(lines, wanted);
  }
  const auto lines = changed([](auto& c) { c.services[0].backends[0].generation = "v2"; });
  EXPECT_EQ(lines, std::vector<std::string>{"h3/b1 generation:  -> v2"});
}

TEST(Differences, NoticeTheGuePort) {
  model::Configuration before = one_service();
  before.services[0].forward = model::Forward::kDsrGue;
  model::Configuration after = before;
  after.services[0].gue_port = 6081;
  EXPECT_EQ(differences(before, after),
            (std::vector<Change>{{"h3", "", "forward", "dsr-gue port 6080", "dsr-gue port 6081"}}));
}

TEST(Differences, TellThatAKeyChangedAndNotWhatItIs) {
  const auto lines = changed([](auto& c) { c.services[0].quic.key = std::string(16, 'L'); });
  EXPECT_EQ(lines, std::vector<std::string>{
                       "h3/ quic: config 0, server id 1, nonce 5, encrypted -> config 0, server id "
                       "1, nonce 5, encrypted with a new key"});
}

TEST(Differences, NoticePrefixLists) {
  EXPECT_EQ(changed([](auto& c) { c.prefix_lists.clear(); }),
            (std::vector<std::string>{"a/ prefix_list: 0 prefixes -> ",
                                      "b/ prefix_list: 1 prefixes -> "}));
  const net::Prefix other = *net::parse_prefix("192.0.2.0/24");
  EXPECT_EQ(
      changed([&](auto& c) { c.prefix_lists[1] = list("b", {other}); }),
      std::vector<std::string>{"b/ prefix_list: 1 prefixes -> 1 prefixes: 1 added, 1 removed"});
  EXPECT_EQ(changed([&](auto& c) { c.prefix_lists.push_back(list("c", {other})); }),
            std::vector<std::string>{"c/ prefix_list:  -> 1 prefixes"});
}

TEST(ServiceRows, ShowTheSettingsAndNotTheKey) {
  model::Configuration configuration = one_service();
  model::Service& service = configuration.services[0];
  service.protection = {.max_flows = 1000,
                        .new_flow_rate = 70,
                        .source_rate = {.per_second = 5, .burst = 9, .ipv4_prefix = 24},
                        .allow = {"b"},
                        .deny = {"a"}};
  const View view{.runtime = Runtime(configuration, {}, 0), .dataplane = {}};
  const v1::ServiceRow row = service_rows(view, {}, "").at(0);
  EXPECT_EQ(row.client_address(), "none");
  EXPECT_EQ(row.gue_port(), 0U);
  EXPECT_DOUBLE_EQ(row.bounded_load(), 0.25);
  EXPECT_EQ(row.max_flows(), 1000U);
  EXPECT_EQ(row.new_flow_rate(), 70U);
  EXPECT_EQ(row.source_rate(), 5U);
  EXPECT_EQ(row.source_burst(), 9U);
  EXPECT_EQ(row.source_ipv4_prefix(), 24U);
  EXPECT_EQ(row.source_ipv6_prefix(), 64U);
  ASSERT_EQ(row.lists_size(), 2);
  EXPECT_EQ(row.lists(0).name() + row.lists(0).rule(), "ballow");
  EXPECT_EQ(row.lists(0).prefixes(), 1U);
  EXPECT_EQ(row.lists(1).name() + row.lists(1).rule(), "adeny");
  EXPECT_EQ(row.quic(), "config 0, server id 1, nonce 5, encrypted");
  EXPECT_EQ(row.SerializeAsString().find("KKKK"), std::string::npos);
  EXPECT_EQ(backend_rows(view, {}, "", "").at(0).quic_server_id(), "0a");
}

}  // namespace
}  // namespace hawser::control
