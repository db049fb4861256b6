// Snapshots as differences: what they leave out, what they share, what is refused.
#include <functional>
#include <utility>

#include <gtest/gtest.h>

#include "dataplane.pb.h"
#include "hawser/api/convert.h"

namespace hawser::api {
namespace {

namespace wire = dataplane::v1;

model::Service service(const std::string& name, std::uint16_t port) {
  model::Service service;
  service.name = name;
  service.address = *net::parse_address("10.0.0.100");
  service.port = port;
  model::Backend& backend = service.backends.emplace_back();
  backend.name = "b1";
  backend.address = *net::parse_address("10.0.0.11");
  backend.port = 80;
  return service;
}

model::PrefixList list(const std::string& name) {
  return {name, std::make_shared<const std::vector<net::Prefix>>(
                    std::vector<net::Prefix>{*net::parse_prefix("192.0.2.0/24")})};
}

model::Desired running() {
  return {.epoch = Epoch(9),
          .cookie_keys = {{.id = 1, .secret = {1}}},
          .services = {service("web", 80), service("shop", 81), service("mail", 82)},
          .prefix_lists = {list("bad")}};
}

wire::Snapshot difference(const model::Desired& base, const model::Desired& desired) {
  wire::Snapshot message;
  to_difference(base, desired, message);
  wire::Snapshot parsed;
  EXPECT_TRUE(parsed.ParseFromString(message.SerializeAsString()));
  return parsed;
}

TEST(ConvertDifference, OfNothingIsNothingButKeys) {
  const model::Desired base = running();
  model::Desired next = base;
  next.epoch = Epoch(10);
  next.cookie_keys[0].id = 2;
  const wire::Snapshot message = difference(base, next);
  EXPECT_EQ(message.services_size(), 0);
  EXPECT_EQ(message.removed_services_size(), 0);
  EXPECT_TRUE(message.prefix_lists_same());
  const Result<model::Desired> got = from_message(message, base);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->epoch, Epoch(10));
  EXPECT_EQ(got->cookie_keys, next.cookie_keys);
  EXPECT_EQ(got->services, base.services);
  EXPECT_EQ(got->prefix_lists, base.prefix_lists);
}

TEST(ConvertDifference, OnlyWhatDiffersGoesAndTheRestIsShared) {
  const model::Desired base = running();
  model::Desired next = base;
  next.epoch = Epoch(10);
  model::Service changed = base.services[1];
  changed.backends[0].weight = 7;
  next.services = {};
  next.services.push_back(base.services[0]);  // a copy: the same by value
  next.services.push_back(changed);
  next.services.push_back(service("new", 90));
  next.prefix_lists = {list("worse")};
  const wire::Snapshot message = difference(base, next);
  ASSERT_EQ(message.services_size(), 2);
  EXPECT_EQ(message.services(0).name(), "shop");
  EXPECT_EQ(message.services(1).name(), "new");
  ASSERT_EQ(message.removed_services_size(), 1);
  EXPECT_EQ(message.removed_services(0), "mail");
  const Result<model::Desired> got = from_message(message, base);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->services, next.services);
  EXPECT_EQ(got->prefix_lists, next.prefix_lists);
  EXPECT_EQ(got->services.shared(0), base.services.shared(0));
}

TEST(ConvertDifference, AWholeSnapshotSharesWhatStays) {
  const model::Desired base = running();
  model::Desired next = running();  // nothing shared
  model::Service changed = next.services[2];
  changed.on_down = model::DownPolicy::kRehome;
  next.services.put(2, changed);
  wire::Snapshot message;
  to_message(next, message);
  const Result<model::Desired> got = from_message(message, base);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->services, next.services);
  EXPECT_EQ(got->services.shared(0), base.services.shared(0));
  EXPECT_NE(got->services.shared(2), base.services.shared(2));
}

TEST(ConvertDifference, WhatDoesNotFitItsBaseIsRefused) {
  using Edit = std::function<void(wire::Snapshot&)>;
  const std::vector<std::pair<Edit, std::string>> rows{
      {[](auto& m) { m.set_base_epoch(7); }, "base epoch 7 is not the running 9"},
      {[](auto& m) { m.add_removed_services("none"); }, "there is no service \"none\" to remove"},
      {[](auto& m) {
         m.add_removed_services("web");
         m.add_removed_services("web");
       },
       "service \"web\" is removed twice"},
      {[](auto& m) { m.add_removed_services("shop"); },
       "service \"shop\" is changed twice, or removed as well"},
      {[](auto& m) { *m.add_services() = m.services(0); },
       "service \"shop\" is changed twice, or removed as well"},
      {[](auto& m) { m.add_prefix_lists()->set_name("x"); },
       "the prefix lists cannot be those of another snapshot and given as well"},
      {[](auto& m) { m.mutable_services(0)->set_port(0); },
       "service \"shop\": port is 0, must be 1 to 65535"}};
  const model::Desired base = running();
  model::Desired next = base;
  model::Service changed = base.services[1];
  changed.backends[0].weight = 7;
  next.services.put(1, changed);
  for (const auto& [edit, words] : rows) {
    wire::Snapshot message = difference(base, next);
    edit(message);
    const Result<model::Desired> got = from_message(message, base);
    ASSERT_FALSE(got) << words;
    EXPECT_EQ(got.error().message, words);
    EXPECT_EQ(is_wrong_base(words), message.base_epoch() == 7);
  }
  // Without a base only a whole can be read.
  EXPECT_FALSE(from_message(difference(base, next)));
}

}  // namespace
}  // namespace hawser::api
