// Previews: what they say comes true, and asking changes nothing.
#include "hawser/pipeline/preview.h"

#include <map>
#include <utility>

#include <gtest/gtest.h>

#include "../support/frame.h"
#include "../support/harness.h"

namespace hawser::tests {
namespace {

using model::Admission;
using pipeline::Preview;
using pipeline::PreviewedBackend;

std::vector<model::Backend> backends_of(int count) {
  std::vector<model::Backend> backends;
  for (int i = 1; i <= count; ++i) {
    backends.push_back(backend("b" + std::to_string(i), "10.0.1." + std::to_string(i), 80));
  }
  return backends;
}

std::vector<model::Service> two_services() {
  return {service("web", "10.0.0.100", 80, backends_of(4)),
          service("shop", "10.0.0.101", 80, backends_of(3))};
}

class PreviewTest : public ::testing::Test {
 protected:
  [[nodiscard]] Result<Preview> ask(std::vector<model::Service> services) {
    return harness_.builder().preview({.services = std::move(services)},
                                      [this](BackendId id) { return harness_.flows_of(id); });
  }
  [[nodiscard]] static const PreviewedBackend& row(const Preview& preview,
                                                   const std::string& service,
                                                   const std::string& backend) {
    for (const PreviewedBackend& entry : preview.backends) {
      if (entry.service == service && entry.backend == backend) return entry;
    }
    ADD_FAILURE() << "no row of " << service << "/" << backend;
    static const PreviewedBackend none;
    return none;
  }
  // Slots by backend of a running service.
  [[nodiscard]] std::map<std::string, std::uint32_t> slots(const std::string& service) const {
    std::map<std::string, std::uint32_t> result;
    const pipeline::Snapshot& snapshot = harness_.snapshot();
    for (std::size_t id = 1; id < snapshot.services.size(); ++id) {
      if (snapshot.service_names[id] != service) continue;
      const pipeline::ServiceEntry& entry = snapshot.services[id];
      const std::vector<std::uint32_t> counts = entry.table->counts();
      for (std::size_t m = 0; m < counts.size(); ++m) {
        result[snapshot.backend_names[entry.members[m].value]] = counts[m];
      }
    }
    return result;
  }
  // Asks, applies, and compares what came with what was said.
  Preview expect_it_comes_true(const std::vector<model::Service>& services) {
    const auto before = std::pair(slots("web"), slots("shop"));
    const Result<Preview> told = ask(services);
    EXPECT_TRUE(told);
    EXPECT_EQ(std::pair(slots("web"), slots("shop")), before);
    harness_.apply(services);
    EXPECT_EQ(harness_.snapshot().slots_moved, told->slots_moved);
    for (const PreviewedBackend& entry : told->backends) {
      const bool web = entry.service == "web";
      const auto old = web ? before.first : before.second;
      const auto now = slots(entry.service);
      EXPECT_EQ(entry.slots_before, old.contains(entry.backend) ? old.at(entry.backend) : 0);
      EXPECT_EQ(entry.slots_after, now.contains(entry.backend) ? now.at(entry.backend) : 0);
    }
    return *told;
  }

  Harness harness_;
};

TEST_F(PreviewTest, TellsOfTheServicesThatChangeOnly) {
  harness_.apply(two_services());
  EXPECT_TRUE(expect_it_comes_true(two_services()).backends.empty());
  std::vector<model::Service> services = two_services();
  services[0].backends[1].weight = 300;
  const Preview preview = expect_it_comes_true(services);
  ASSERT_EQ(preview.backends.size(), 4U);
  EXPECT_NEAR(row(preview, "web", "b2").slots_after, 65537 / 2, 1);
  EXPECT_GT(preview.slots_moved, 16000U);
  EXPECT_EQ(row(preview, "web", "b1").flows_broken, 0U);
}

TEST_F(PreviewTest, CountsTheFlowsOfBackendsThatGoOrAreDown) {
  std::vector<model::Service> services = two_services();
  harness_.apply(services);
  for (const char* name : {"b1", "b2", "b3", "b4"}) {
    harness_.worker().backends[harness_.id_of(name).value].flows.add(7);
  }
  services[0].backends[0].admission = Admission::kDown;
  services[0].backends[1].admission = Admission::kDraining;
  services[0].backends.erase(services[0].backends.begin() + 3);
  const Preview preview = expect_it_comes_true(services);
  EXPECT_EQ(row(preview, "web", "b1").flows, 7U);
  EXPECT_EQ(row(preview, "web", "b1").flows_broken, 7U);
  EXPECT_EQ(row(preview, "web", "b1").after, Admission::kDown);
  EXPECT_EQ(row(preview, "web", "b2").flows_broken, 0U);
  EXPECT_EQ(row(preview, "web", "b2").slots_after, 0U);
  EXPECT_EQ(row(preview, "web", "b3").slots_after, 65537U);
  EXPECT_EQ(row(preview, "web", "b4").flows_broken, 7U);
  EXPECT_EQ(row(preview, "web", "b4").before, Admission::kServing);
  EXPECT_EQ(row(preview, "web", "b4").after, std::nullopt);
  // Half of the flows of the one that drains are let go.
  services[0].backends[1].departure.flows = limits::kSlices / 2;
  EXPECT_EQ(row(expect_it_comes_true(services), "web", "b2").flows_broken, 3U);
  // What is down already breaks nothing more by going.
  services[0].backends.erase(services[0].backends.begin());
  EXPECT_EQ(row(expect_it_comes_true(services), "web", "b1").flows_broken, 0U);
}

TEST_F(PreviewTest, AServiceThatGoesComesOrMovesIsTold) {
  harness_.apply(two_services());
  harness_.worker().backends[harness_.id_of("b4").value].flows.add(3);
  std::vector<model::Service> services = two_services();
  services[0].address = address("10.0.0.102");
  const Preview moved = expect_it_comes_true(services);
  ASSERT_EQ(moved.backends.size(), 4U);
  EXPECT_EQ(row(moved, "web", "b4").flows_broken, 3U);
  EXPECT_EQ(row(moved, "web", "b4").slots_before, row(moved, "web", "b4").slots_after);
  EXPECT_EQ(moved.slots_moved, 65537U);
  const Preview gone = expect_it_comes_true({services[1]});
  ASSERT_EQ(gone.backends.size(), 4U);
  EXPECT_EQ(row(gone, "web", "b1").after, std::nullopt);
  const Preview back = expect_it_comes_true(services);
  EXPECT_EQ(row(back, "web", "b1").before, std::nullopt);
}

TEST_F(PreviewTest, SaysWhatWouldBeRefused) {
  harness_.apply(two_services());
  std::vector<model::Service> services = two_services();
  services[1].address = services[0].address;
  const Result<Preview> told = ask(services);
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().message, harness_.try_apply(services).error().message);
}

TEST_F(PreviewTest, AChainOfChangesFollowsThePreviews) {
  std::vector<model::Service> services = two_services();
  harness_.apply(services);
  std::uint32_t state = 12345;
  const auto draw = [&](std::size_t below) {
    state = state * 1664525U + 1013904223U;
    return (state >> 8U) % below;
  };
  for (int i = 0; i < 60; ++i) {
    model::Service& changed = services[draw(2)];
    changed.table_slots = 1009;
    model::Backend& one = changed.backends[draw(changed.backends.size())];
    one.weight = static_cast<std::uint32_t>(1 + draw(500));
    one.admission = static_cast<Admission>(draw(3));
    expect_it_comes_true(services);
  }
}

}  // namespace
}  // namespace hawser::tests
