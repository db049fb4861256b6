// The model: packets of flows that are known already.
#include "hawser/net/tcp.h"
#include "model_packets.h"

namespace hawser::property {

using enum pipeline::Verdict;

void ModelBurst::follow(const Segment& segment, ModelFlow& flow, Expected& expected) const {
  if (segment.is_of_flow()) {
    worker_.flows.move(expected.flow->service, flow, state_after(flow.state, true, segment.flags));
    flow.seen = now_;
  }
  expected.backend = flow.backend;
  expected.local = flow.local;
}

ModelBurst::Verdict ModelBurst::look_up(const Segment& segment, Expected& expected) {
  if (expected.to_client) return look_up_reply(segment, expected);
  const FlowKey key = *expected.flow;
  ModelFlow* flow = worker_.flows.find(key);
  if (flow == nullptr) return kUndecided;
  using enum l4::FlowState;
  const bool over = flow->state == kClientFin || flow->state == kServerFin ||
                    flow->state == kTimeWait || flow->state == kReset;
  const bool expired = worker_.flows.is_expired(key, *flow, now_);
  if (expired && segment.complaint) return kNoFlow;
  if (expired || (over && segment.is_pure_syn())) {
    worker_.flows.forget(key);
    if (expired) ++worker_.flows.expired_flows;
    return kUndecided;
  }
  if (worker_.config.backend(flow->backend).admission == model::Admission::kDown) {
    return segment.complaint ? kNoFlow : leave_dead_backend(segment, key);
  }
  follow(segment, *flow, expected);
  return kUndecided;
}

ModelBurst::Verdict ModelBurst::leave_dead_backend(const Segment& segment, const FlowKey& key) {
  worker_.flows.forget(key);
  const model::DownPolicy policy = worker_.config.service(key.service).wanted.on_down;
  if (policy == model::DownPolicy::kRehome || !segment.is_tcp() || segment.is_pure_syn()) {
    return kUndecided;
  }
  return segment.has(net::kTcpRst) || segment.piece ? kNoFlow : kReplyReset;
}

ModelBurst::Verdict ModelBurst::look_up_reply(const Segment& segment, Expected& expected) {
  LocalUse* use = worker_.flows.find(*expected.local);
  if (use == nullptr) return kNoFlow;
  const ModelService& service = worker_.config.service(use->flow.service);
  if (!service.present) return kNoFlow;
  ModelFlow& flow = *worker_.flows.find(use->flow);
  const ModelBackend& backend = worker_.config.backend(flow.backend);
  if (segment.is_tcp() != service.is_tcp() || segment.source != backend.address ||
      segment.source_port != backend.port) {
    return kNatForeign;
  }
  if (!segment.complaint) use->seen = now_;
  expected.flow = use->flow;
  expected.backend = flow.backend;
  const bool decisive =
      segment.has(net::kTcpSyn) || segment.has(net::kTcpFin) || segment.has(net::kTcpRst);
  if (segment.is_tcp() && decisive) {
    worker_.flows.move(expected.flow->service, flow, state_after(flow.state, false, segment.flags));
    flow.seen = now_;
  }
  return kUndecided;
}

}  // namespace hawser::property
