// Turns a request for flows into a filter, and rows into messages.
#include "dataplane/flow_listing.h"

#include <algorithm>
#include <utility>

#include "dataplane/names.h"
#include "hawser/base/limits.h"
#include "hawser/table/nat_table.h"

namespace hawser::dataplane {
namespace {

constexpr const char* kRemoved = "(removed)";

std::string name_at(const pipeline::Names& names, std::size_t id) {
  return id < names.size() && !names[id].empty() ? names[id] : kRemoved;
}

// Seconds until the sweep may take the flow; 0 when its service is gone.
std::uint32_t expires_in(const FlowRow& flow, const pipeline::Snapshot& snapshot) {
  if (flow.service.value >= snapshot.services.size()) return 0;
  const auto& timeouts = snapshot.services[flow.service.value].timeout;
  const std::uint32_t timeout = timeouts[static_cast<std::size_t>(flow.state)];
  return timeout > flow.idle_seconds ? timeout - flow.idle_seconds : 0;
}

}  // namespace

Result<std::unique_ptr<ReplyStream>> FlowListing::create(const v1::Flows& request,
                                                         const Snapshots& snapshots,
                                                         FlowDesk& desk) {
  FlowFilter filter;
  if (!request.service().empty()) {
    const Result<ServiceId> service = find_service(request.service(), snapshots.running());
    if (!service) return service.error();
    filter.service = *service;
  }
  auto backends = find_backends(filter.service, request.backend(), snapshots.running());
  if (!backends) return backends.error();
  filter.backends = *std::move(backends);
  if (!request.client().empty()) {
    const Result<net::Prefix> clients = net::parse_prefix(request.client());
    if (!clients) return fail("client: " + clients.error().message);
    filter.clients = *clients;
  }
  const std::uint32_t limit = request.limit() == 0 ? limits::kDefaultFlowRows : request.limit();
  return std::unique_ptr<ReplyStream>(new FlowListing(std::move(filter), limit, snapshots, desk));
}

FlowListing::FlowListing(FlowFilter filter, std::uint32_t limit, const Snapshots& snapshots,
                         FlowDesk& desk)
    : filter_(std::move(filter)), rows_left_(limit), snapshots_(snapshots), desk_(desk) {}

FlowListing::~FlowListing() {
  if (asked_ && !done_) desk_.cancel();
}

ReplyStream::Step FlowListing::step() {
  if (!asked_) asked_ = desk_.begin(filter_);
  if (!asked_) return {};
  v1::Response response;
  v1::FlowsReply& reply = *response.mutable_flows();
  WorkerRow row;
  while (static_cast<std::size_t>(reply.flows_size()) < limits::kRowsPerReply && desk_.take(row)) {
    if (rows_left_ == 0) {
      reply.set_truncated(true);
      desk_.cancel();
      break;
    }
    --rows_left_;
    add_row(row, reply);
  }
  done_ = reply.truncated() || desk_.has_ended();
  reply.set_last(done_);
  if (!done_ && reply.flows_size() == 0) return {};
  return {std::move(response), done_};
}

void FlowListing::add_row(const WorkerRow& row, v1::FlowsReply& reply) const {
  const pipeline::Snapshot& snapshot = snapshots_.running();
  const FlowRow& flow = row.flow;
  v1::Flow& out = *reply.add_flows();
  out.set_service(name_at(snapshot.service_names, flow.service.value));
  // A spliced connection has none until its first request is complete.
  if (flow.backend != BackendId()) {
    out.set_backend(name_at(snapshot.backend_names, flow.backend.value));
  }
  out.set_client(net::endpoint_to_string(flow.client, flow.client_port.host()));
  out.set_state(std::string(l4::to_string(flow.state)));
  out.set_idle_seconds(flow.idle_seconds);
  out.set_expires_in_seconds(expires_in(flow, snapshot));
  out.set_worker(row.worker.value);
  const auto nat = table::NatIndex::unpack(flow.nat);
  if (flow.nat != table::FlowMeta::kNoNat && nat.address < snapshot.nat_addresses.size()) {
    out.set_local(net::endpoint_to_string(snapshot.nat_addresses[nat.address], nat.port));
  }
  if (flow.service.value < snapshot.services.size()) {
    const pipeline::ServiceEntry& service = snapshot.services[flow.service.value];
    if (service.table != nullptr) {
      out.set_destination(net::endpoint_to_string(service.address, service.port.host()));
    }
  }
}

}  // namespace hawser::dataplane
