// Answers the requests of the control socket.
#include "dataplane/handlers.h"

#include <chrono>
#include <utility>

#include <spdlog/spdlog.h>

#include "dataplane/capture_stream.h"
#include "dataplane/explain.h"
#include "dataplane/flow_listing.h"
#include "dataplane/reports.h"
#include "hawser/api/convert.h"

namespace hawser::dataplane {

Reply Handlers::handle(const v1::Request& request, bool read_only) {
  switch (request.body_case()) {
    case v1::Request::kHello:
      return hello(read_only);
    case v1::Request::kApply:
      return apply(request.apply(), read_only);
    case v1::Request::kGetSnapshot:
      return get_snapshot(read_only);
    case v1::Request::kStatus:
      return status();
    case v1::Request::kCounters:
      return counters(request.counters());
    case v1::Request::kFlows:
      return flows(request.flows());
    case v1::Request::kExplain:
      return explain(request.explain(), parts_);
    case v1::Request::kCapture:
      return capture(request.capture(), read_only);
    case v1::Request::kPreview:
      return preview(request.preview(), read_only);
    case v1::Request::BODY_NOT_SET:
      break;
  }
  return error_response("this request is not known to version " HAWSER_VERSION
                        " of hawser-dataplane");
}

// Keys are for those who may apply snapshots: whoever knows the flow key can aim collisions.
v1::Response Handlers::hello(bool read_only) const {
  const model::Desired& desired = parts_.snapshots.desired();
  v1::Response response;
  v1::HelloReply& reply = *response.mutable_hello();
  reply.set_version(HAWSER_VERSION);
  reply.set_instance(parts_.instance);
  reply.set_epoch(desired.epoch.value);
  if (!read_only) reply.set_flow_key(desired.flow_key.data(), desired.flow_key.size());
  reply.set_started_unix(parts_.started_unix);
  return response;
}

v1::Response Handlers::apply(const v1::Apply& request, bool read_only) {
  if (read_only) return refusal();
  const auto begun = std::chrono::steady_clock::now();
  const Result<model::Desired> desired =
      api::from_message(request.snapshot(), parts_.snapshots.desired());
  const auto applied = desired ? parts_.snapshots.apply(*desired, begun)
                               : Result<Snapshots::Applied>(desired.error());
  if (!applied) {
    spdlog::warn("snapshot {} is refused: {}", request.snapshot().epoch(), applied.error().message);
    return error_response(applied.error().message);
  }
  spdlog::info("snapshot {} applied in {} us, {} slots moved", applied->epoch.value,
               applied->microseconds, applied->slots_moved);
  v1::Response response;
  v1::ApplyReply& reply = *response.mutable_apply();
  reply.set_epoch(applied->epoch.value);
  reply.set_slots_moved(applied->slots_moved);
  reply.set_apply_microseconds(applied->microseconds);
  return response;
}

// Not for everybody: tables of any size are built for it, while packets for the kernel wait.
v1::Response Handlers::preview(const v1::Preview& request, bool read_only) const {
  if (read_only) return refusal();
  const Result<model::Desired> candidate =
      api::from_message(request.snapshot(), parts_.snapshots.desired());
  if (!candidate) return error_response(candidate.error().message);
  const Result<pipeline::Preview> preview = parts_.snapshots.preview(*candidate);
  if (!preview) return error_response(preview.error().message);
  v1::Response response;
  report_preview(*preview, *response.mutable_preview());
  return response;
}

v1::Response Handlers::refusal() const {
  return error_response("this socket is for reading only; snapshots go to " +
                        parts_.configuration.dataplane.socket);
}

v1::Response Handlers::get_snapshot(bool read_only) const {
  v1::Response response;
  v1::Snapshot& snapshot = *response.mutable_get_snapshot()->mutable_snapshot();
  api::to_message(parts_.snapshots.desired(), snapshot);
  if (!read_only) return response;
  snapshot.clear_flow_key();
  snapshot.clear_cookie_keys();
  for (v1::Service& service : *snapshot.mutable_services()) {
    if (service.has_quic()) service.mutable_quic()->clear_key();
  }
  return response;
}

v1::Response Handlers::status() const {
  v1::Response response;
  report_status(parts_, *response.mutable_status());
  return response;
}

v1::Response Handlers::counters(const v1::Counters& request) const {
  v1::Response response;
  if (request.failing_backends()) {
    report_backends(parts_, true, *response.mutable_counters());
  } else {
    report_counters(parts_, request.in_all(), *response.mutable_counters());
  }
  return response;
}

Reply Handlers::flows(const v1::Flows& request) {
  Result<std::unique_ptr<ReplyStream>> listing =
      FlowListing::create(request, parts_.snapshots, desk_);
  if (!listing) return error_response(listing.error().message);
  return *std::move(listing);
}

// Packets are what users send: passwords and all that.
Reply Handlers::capture(const v1::Capture& request, bool read_only) {
  if (read_only) {
    return error_response("this socket is for reading only; packets are captured at " +
                          parts_.configuration.dataplane.socket);
  }
  Result<std::unique_ptr<ReplyStream>> stream =
      CaptureStream::create(request, parts_.machine.setups(), parts_.snapshots, captures_);
  if (!stream) return error_response(stream.error().message);
  spdlog::info("a capture begins: {}", request.ShortDebugString());
  return *std::move(stream);
}

}  // namespace hawser::dataplane
