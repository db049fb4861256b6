// Messages of what is read in connections: everything comes back as it went, nothing absurd does.
#include <functional>
#include <utility>

#include <gtest/gtest.h>

#include "dataplane.pb.h"
#include "hawser/api/convert.h"

namespace hawser::api {
namespace {

namespace wire = dataplane::v1;
using enum model::RuleField;
using enum model::RuleMatch;

// Nothing is at its default.
model::Service spliced() {
  model::Service service;
  service.name = "web";
  service.address = *net::parse_address("10.0.0.100");
  service.port = 443;
  service.forward = model::Forward::kSplice;
  service.client_address = model::ClientAddress::kForwardedFor;
  service.affinity = {.by = model::AffinityBy::kCookie,
                      .name = "X-User",
                      .cookie = {.name = "pin",
                                 .path = "/app",
                                 .domain = "example.com",
                                 .secure = true,
                                 .http_only = false,
                                 .same_site = model::SameSite::kNone,
                                 .idle_seconds = 60,
                                 .maximum_seconds = 3600}};
  service.splice = {
      .layer7 = model::Layer7::kHttp,
      .h2c_tunnel = true,
      .head_timeout_ms = 500,
      .error_body = "closed",
      .rules = {{.name = "a",
                 .conditions =
                     {{.field = kHeader, .name = "X", .patterns = {{kExact, ""}, {kPrefix, "y"}}},
                      {.field = kAlpn, .name = "", .patterns = {{kRegex, "h2"}}}},
                 .generation = "v1",
                 .sticky = false,
                 .deny = 404,
                 .redirect = 307,
                 .location = "/$target",
                 .rate = {.per_second = 5, .burst = 6, .by_source = true}},
                {.name = "b"}},
      .rules_database = std::string("\0\1\xff", 3)};
  model::Backend& backend = service.backends.emplace_back();
  backend.name = "b1";
  backend.address = *net::parse_address("10.0.0.11");
  backend.port = 80;
  backend.generation = "v1";
  backend.admission = model::Admission::kDraining;
  backend.departure = {.sessions = limits::kSlices, .flows = 77};
  backend.starting_unix = 1'800'000'000;
  return service;
}

model::Desired desired(std::vector<model::Service> services) {
  return {.epoch = Epoch(3),
          .cookie_keys = {{.id = 15, .secret = {1, 2, 3}}, {.id = 0, .secret = {4}}},
          .services = std::move(services)};
}

wire::Snapshot message_of(const model::Desired& wanted) {
  wire::Snapshot message;
  to_message(wanted, message);
  wire::Snapshot parsed;
  EXPECT_TRUE(parsed.ParseFromString(message.SerializeAsString()));
  return parsed;
}

TEST(ConvertSplice, EverythingComesBack) {
  const model::Desired wanted = desired({spliced()});
  const Result<model::Desired> got = from_message(message_of(wanted));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->services, wanted.services);
  EXPECT_EQ(got->cookie_keys, wanted.cookie_keys);
}

TEST(ConvertSplice, EveryWordComesBack) {
  for (int i = 0; i <= wire::AffinityBy_MAX; ++i) {
    model::Service service = spliced();
    service.affinity.by = static_cast<model::AffinityBy>(i);
    service.client_address = static_cast<model::ClientAddress>(i % 4);
    service.splice.layer7 = static_cast<model::Layer7>(i % 3);
    service.affinity.cookie.same_site = static_cast<model::SameSite>(i % 4);
    service.splice.rules[0].conditions[0].field = static_cast<model::RuleField>(i % 7);
    service.splice.rules[0].conditions[0].patterns[1].match = static_cast<model::RuleMatch>(i % 3);
    const Result<model::Desired> got = from_message(message_of(desired({service})));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->services[0], service);
  }
}

TEST(ConvertSplice, AServiceThatIsNotReadHasNoneOfIt) {
  model::Service service = spliced();
  service.forward = model::Forward::kNat;
  service.client_address = model::ClientAddress::kNone;
  service.affinity = {};
  service.splice = {};
  const wire::Snapshot message = message_of(desired({service}));
  EXPECT_FALSE(message.services(0).has_splice());
  EXPECT_FALSE(message.services(0).has_cookie());
  const Result<model::Desired> got = from_message(message);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->services[0], service);
}

using Edit = std::function<void(wire::Snapshot&)>;

wire::Service& service(wire::Snapshot& message) {
  return *message.mutable_services(0);
}
wire::Splice& splice(wire::Snapshot& message) {
  return *service(message).mutable_splice();
}
wire::Rule& rule(wire::Snapshot& message) {
  return *splice(message).mutable_rules(0);
}
wire::Cookie& cookie(wire::Snapshot& message) {
  return *service(message).mutable_cookie();
}
wire::RuleCondition& condition(wire::Snapshot& message) {
  return *rule(message).mutable_conditions(0);
}

TEST(ConvertSplice, WhatNoMessageOfOursHasIsRefused) {
  const std::string web = "service \"web\": ";
  const std::string a = "service \"web\", rule \"a\": ";
  const std::vector<std::pair<Edit, std::string>> rows{
      {[](auto& m) { splice(m).set_layer7(static_cast<wire::Layer7>(3)); },
       web + "layer7 is 3, must be 0 to 2"},
      {[](auto& m) { splice(m).set_head_timeout_ms(99); },
       web + "head timeout is 99, must be 100 to 60000"},
      {[](auto& m) { splice(m).set_error_body(std::string(513, 'x')); },
       web + "error body has 513 bytes, must have at most 512"},
      {[](auto& m) {
         for (int i = 0; i < 999; ++i) splice(m).add_rules();
       },
       web + "number of rules is 1001, must be 0 to 1000"},
      {[](auto& m) { rule(m).set_name(std::string(64, 'x')); },
       "service \"web\", rule \"" + std::string(64, 'x') +
           "\": the name has 64 bytes, must have at most 63"},
      {[](auto& m) { rule(m).set_deny(399); }, a + "deny is 399, must be 400 to 599"},
      {[](auto& m) { rule(m).set_redirect(304); },
       a + "redirect is 304, must be 301, 302, 303, 307 or 308"},
      {[](auto& m) { rule(m).set_location(std::string(1001, 'x')); },
       a + "location has 1001 bytes, must have at most 1000"},
      {[](auto& m) { rule(m).set_rate(1'000'001); }, a + "rate is 1000001, must be 0 to 1000000"},
      {[](auto& m) { rule(m).set_rate_burst(0); }, a + "burst is 0, must be 1 to 1000000"},
      {[](auto& m) { condition(m).set_field(static_cast<wire::RuleField>(7)); },
       a + "field is 7, must be 0 to 6"},
      {[](auto& m) { condition(m).set_name(std::string(129, 'x')); },
       a + "name of a field has 129 bytes, must have at most 128"},
      {[](auto& m) { condition(m).clear_patterns(); }, a + "a condition has no pattern"},
      {[](auto& m) {
         condition(m).mutable_patterns(0)->set_match(static_cast<wire::RuleMatch>(3));
       },
       a + "match is 3, must be 0 to 2"},
      {[](auto& m) { condition(m).mutable_patterns(0)->set_text("a\n"); },
       a + "a pattern contains a control character, which no request may have; remove it"},
      {[](auto& m) { condition(m).mutable_patterns(0)->set_text(std::string(1001, 'x')); },
       a + "a pattern has 1001 bytes, must have at most 1000"},
      {[](auto& m) {
         for (int i = 0; i < 4000; ++i) condition(m).add_patterns()->set_text("x");
       },
       web + "number of patterns is 4003, must be 0 to 4000"},
      {[](auto& m) { cookie(m).clear_name(); }, web + "the cookie has no name"},
      {[](auto& m) { cookie(m).set_path(std::string(129, '/')); },
       web + "path of the cookie has 129 bytes, must have at most 128"},
      {[](auto& m) { cookie(m).set_same_site(static_cast<wire::SameSite>(4)); },
       web + "same_site is 4, must be 0 to 3"},
      {[](auto& m) { cookie(m).set_idle_seconds(9); },
       web + "idle time of the cookie is 9, must be 10 to 86400"},
      {[](auto& m) { cookie(m).set_maximum_seconds(59); },
       web + "maximum time of the cookie is 59, must be 60 to 2592000"},
      {[](auto& m) { service(m).set_affinity_name(std::string(129, 'x')); },
       web + "affinity name has 129 bytes, must have at most 128"},
      {[](auto& m) { service(m).mutable_backends(0)->set_generation(std::string(64, 'x')); },
       "service \"web\", backend \"b1\": generation has 64 bytes, must have at most 63"},
      {[](auto& m) { m.mutable_cookie_keys(0)->set_id(16); },
       "cookie key 16: id is 16, must be 0 to 15"},
      {[](auto& m) { m.mutable_cookie_keys(1)->set_id(15); }, "both cookie keys have the id 15"},
      {[](auto& m) { *m.add_cookie_keys() = m.cookie_keys(0); },
       "there are 3 cookie keys, must be at most 2"},
      {[](auto& m) { m.mutable_cookie_keys(0)->set_secret("secret"); },
       "cookie key 15: length of the secret is 6, must be 16 to 16"}};
  for (const auto& [edit, error] : rows) {
    wire::Snapshot message = message_of(desired({spliced()}));
    edit(message);
    const Result<model::Desired> got = from_message(message);
    ASSERT_FALSE(got) << error;
    EXPECT_EQ(got.error().message, error);
  }
}

TEST(ConvertSplice, NoMoreThanEveryPartIsLetGo) {
  wire::Snapshot message = message_of(desired({spliced()}));
  wire::Backend& backend = *service(message).mutable_backends(0);
  backend.set_sessions_released(limits::kSlices + 1);
  EXPECT_EQ(from_message(message).error().message,
            "service \"web\", backend \"b1\": released sessions is 4097, must be 0 to 4096");
  backend.set_sessions_released(0);
  backend.set_flows_released(limits::kSlices + 1);
  EXPECT_EQ(from_message(message).error().message,
            "service \"web\", backend \"b1\": released flows is 4097, must be 0 to 4096");
}

}  // namespace
}  // namespace hawser::api
