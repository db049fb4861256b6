// Flows in a map, and when they end.
#include "model_flows.h"

#include <algorithm>

#include "hawser/net/tcp.h"

namespace hawser::property {
namespace {

using enum l4::FlowState;

std::int64_t allowed_seconds(const model::Timeouts& timeouts, l4::FlowState state) {
  switch (state) {
    case kSynSent:
    case kSynReceived:
      return timeouts.handshake;
    case kEstablished:
      return timeouts.established;
    case kClientFin:
    case kServerFin:
    case kTimeWait:
      return timeouts.closing;
    case kReset:
      return std::min<std::int64_t>(timeouts.closing, limits::kResetLingerSeconds);
    case kUdp:
      return timeouts.udp;
    case kFree:
    case kSpliced:  // no service of this network is spliced
      break;
  }
  return 0;
}

l4::FlowState after_fin(l4::FlowState state, bool from_client) {
  const l4::FlowState own = from_client ? kClientFin : kServerFin;
  const l4::FlowState others = from_client ? kServerFin : kClientFin;
  if (state == own || state == kTimeWait) return state;
  return state == others ? kTimeWait : own;
}

}  // namespace

l4::FlowState state_after(l4::FlowState state, bool from_client, std::uint8_t flags) {
  const bool opening = state == kSynSent || state == kSynReceived;
  if (state == kUdp || state == kReset) return state;
  if ((flags & net::kTcpRst) != 0) return kReset;
  if ((flags & net::kTcpSyn) != 0) {
    return !from_client && state == kSynSent ? kSynReceived : state;
  }
  if ((flags & net::kTcpFin) != 0) return after_fin(state, from_client);
  return from_client && opening ? kEstablished : state;
}

l4::FlowState first_state(const Segment& segment) {
  return segment.is_tcp() ? state_after(kSynSent, true, segment.flags) : kUdp;
}

ModelFlows::ModelFlows(const ModelConfig& config, const Network& network, std::uint16_t workers,
                       std::uint16_t self, std::uint32_t first_port)
    : config_(&config) {
  for (std::size_t i = 0; i < network.nat_addresses.size(); ++i) {
    ports_.emplace_back(workers, self, first_port);
  }
}

ModelFlow* ModelFlows::find(const FlowKey& key) {
  const auto found = flows_.find(key);
  return found == flows_.end() ? nullptr : &found->second;
}

LocalUse* ModelFlows::find(const Local& local) {
  const auto found = locals_.find(local);
  return found == locals_.end() ? nullptr : &found->second;
}

bool ModelFlows::is_expired(const FlowKey& key, const ModelFlow& flow, Moment now) const {
  const ModelService& service = config_->service(key.service);
  if (!service.present) return true;
  Moment seen = flow.seen;
  if (flow.local) seen = std::max(seen, locals_.at(*flow.local).seen);
  return now - seen > allowed_seconds(service.wanted.timeouts, flow.state);
}

ModelCounters& ModelFlows::counters(BackendIdentity backend) {
  return counters_[config_->backend(backend).id.value];
}

void ModelFlows::open(const FlowKey& key, const ModelFlow& flow) {
  flows_.emplace(key, flow);
  if (key.client.is_ipv4()) ++live_ipv4_;
  ++counters(flow.backend).flows;
  ++service_flows_[key.service];
  count_ended(key.service, flow, 1);
}

// A connection that is over is no load; of one whose replies pass by, the client's FIN tells it.
bool ModelFlows::is_over(const ModelFlow& flow) {
  return flow.state == l4::FlowState::kTimeWait || flow.state == l4::FlowState::kReset ||
         (flow.state == l4::FlowState::kClientFin && !flow.local);
}

void ModelFlows::count_ended(ServiceIdentity service, const ModelFlow& flow, int by) {
  if (!is_over(flow)) return;
  ended_[flow.backend] += by;
  service_ended_[service] += by;
}

void ModelFlows::move(ServiceIdentity service, ModelFlow& flow, l4::FlowState state) {
  count_ended(service, flow, -1);
  flow.state = state;
  count_ended(service, flow, 1);
}

void ModelFlows::forget(const FlowKey& key) {
  const auto found = flows_.find(key);
  const ModelFlow flow = found->second;
  count_ended(key.service, flow, -1);
  --service_flows_[key.service];
  flows_.erase(found);
  if (key.client.is_ipv4()) --live_ipv4_;
  --counters(flow.backend).flows;
  if (!flow.local) return;
  locals_.erase(*flow.local);
  ports_[flow.local->address].release(flow.local->port);
}

void ModelFlows::expire(const std::vector<FlowKey>& keys) {
  std::map<std::uint8_t, std::vector<std::uint16_t>> released;
  for (const FlowKey& key : keys) {
    const ModelFlow flow = flows_.at(key);
    count_ended(key.service, flow, -1);
    flows_.erase(key);
    --service_flows_[key.service];
    if (key.client.is_ipv4()) --live_ipv4_;
    --counters(flow.backend).flows;
    ++expired_flows;
    if (!flow.local) continue;
    locals_.erase(*flow.local);
    released[flow.local->address].push_back(flow.local->port);
  }
  for (const auto& [address, ports] : released) ports_[address].release(ports);
}

std::vector<FlowKey> ModelFlows::expired(net::Family family, Moment now) const {
  std::vector<FlowKey> keys;
  for (const auto& [key, flow] : flows_) {
    if (key.client.family == family && is_expired(key, flow, now)) keys.push_back(key);
  }
  return keys;
}

}  // namespace hawser::property
