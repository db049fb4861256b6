// Fuzz target: snapshot messages from the socket, through conversion and the builder's checks.
#include "../support/harness.h"
#include "dataplane.pb.h"
#include "hawser/api/convert.h"
#include "target.h"

namespace {

// What a difference of that epoch differs from: the services "web" and "shop".
hawser::model::Desired base_of(std::uint64_t epoch) {
  using namespace hawser::tests;
  return {.epoch = hawser::Epoch(epoch),
          .flow_key = Harness::key(),
          .services = {service("web", "10.0.0.100", 80, {backend("b1", "10.0.1.1", 80)}),
                       service("shop", "10.0.0.101", 80, {})}};
}

}  // namespace

void fuzz_one(std::span<const std::uint8_t> input) {
  using namespace hawser;
  dataplane::v1::Snapshot message;
  if (!message.ParseFromArray(input.data(), static_cast<int>(input.size()))) return;
  // Large tables are the builder's business, not the decoder's: keep an input fast.
  if (message.services_size() > 3) return;
  for (dataplane::v1::Service& service : *message.mutable_services()) service.set_table_slots(101);
  const model::Desired base = base_of(message.base_epoch());
  Result<model::Desired> desired = api::from_message(message, base);
  if (!desired) return;
  tests::Harness harness({tests::default_port()}, {.ipv4_buckets = 2, .ipv6_buckets = 2});
  static_cast<void>(harness.try_apply_exactly(*desired));

  // What was understood survives the way back.
  dataplane::v1::Snapshot again;
  api::to_message(*desired, again);
  Result<model::Desired> twice = api::from_message(again);
  HAWSER_REQUIRE(twice.has_value());
  HAWSER_REQUIRE(twice->services == desired->services && twice->epoch == desired->epoch);

  // As a difference, too, but for the order; the second way shares what the first has.
  if (base.epoch == Epoch()) return;
  again.Clear();
  api::to_difference(base, *desired, again);
  twice = api::from_message(again, base);
  HAWSER_REQUIRE(twice.has_value() && twice->services.size() == desired->services.size());
  HAWSER_REQUIRE(twice->prefix_lists == desired->prefix_lists);
  again.Clear();
  api::to_difference(*twice, *desired, again);
  HAWSER_REQUIRE(again.services_size() == 0 && again.removed_services_size() == 0);
}
