// Fuzz target: snapshot messages from the socket, through conversion and the builder's checks.
#include "../support/harness.h"
#include "dataplane.pb.h"
#include "hawser/api/convert.h"
#include "target.h"

void fuzz_one(std::span<const std::uint8_t> input) {
  using namespace hawser;
  dataplane::v1::Snapshot message;
  if (!message.ParseFromArray(input.data(), static_cast<int>(input.size()))) return;
  // Large tables are the builder's business, not the decoder's: keep an input fast.
  if (message.services_size() > 3) return;
  for (dataplane::v1::Service& service : *message.mutable_services()) service.set_table_slots(101);
  Result<model::Desired> desired = api::from_message(message);
  if (!desired) return;
  tests::Harness harness({tests::default_port()}, {.ipv4_buckets = 2, .ipv6_buckets = 2});
  static_cast<void>(harness.try_apply_exactly(*desired));

  // What was understood survives the way back.
  dataplane::v1::Snapshot again;
  api::to_message(*desired, again);
  Result<model::Desired> twice = api::from_message(again);
  HAWSER_REQUIRE(twice.has_value());
  HAWSER_REQUIRE(twice->services == desired->services && twice->epoch == desired->epoch);
}
