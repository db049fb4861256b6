// The model: packets that open flows.
#include <algorithm>

#include "hawser/net/tcp.h"
#include "model_packets.h"

namespace hawser::property {

using enum pipeline::Verdict;

void ModelBurst::open_all() {
  for (ModelPorts& ports : worker_.flows.ports()) ports.begin();
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Expected& expected = expected_[i];
    if (expected.verdict != kUndecided || expected.to_client || expected.backend) continue;
    const Verdict verdict = open(i);
    expected_[i].verdict = verdict;
  }
  settle_unrecorded();
  settle_evicted();
  settle_spilled();
}

// Past how many owners the choices went that were taken over.
void ModelBurst::settle_spilled() {
  const std::uint64_t least = worker_.flows.spilled;
  if (observed_.spilled < least || observed_.spilled - least > uncertain_choices_) return;
  worker_.flows.spilled = observed_.spilled;
}

ModelBurst::Verdict ModelBurst::open(std::size_t number) {
  const Segment& segment = segments_[number];
  Expected& expected = expected_[number];
  // An earlier packet of this burst may have opened it.
  if (ModelFlow* flow = worker_.flows.find(*expected.flow)) {
    follow(segment, *flow, expected);
    return kUndecided;
  }
  if (segment.complaint) return place_complaint(number);
  const ModelService& service = worker_.config.service(expected.flow->service);
  if (service.is_nat() && segment.is_tcp() && !segment.is_pure_syn()) {
    return segment.has(net::kTcpRst) || segment.piece ? kNoFlow : kReplyReset;
  }
  const bool opens = !segment.is_tcp() || segment.is_pure_syn();
  bool stateless = false;
  if (opens) {
    const Verdict refused = check_limits(number, stateless);
    if (refused != kUndecided) return refused;
  }
  if (!service.is_nat()) return open_dsr(number, stateless);
  expected.backend = choose_new(number, *expected.flow);
  return expected.backend ? open_nat(number) : kNoBackend;
}

// No room without forgetting flows that are not idle.
bool ModelBurst::may_be_full(net::Family family) const {
  const std::size_t idle = worker_.flows.expired(family, now_).size();
  return worker_.flows.live(family) - idle >= worker_.size.in_two_buckets(family);
}

// Is there no room for one more flow, even after idle ones in the way were forgotten?
bool ModelBurst::is_full(net::Family family, bool found_full) {
  inserted_[static_cast<std::size_t>(family)] = true;
  if (worker_.size.always_room) return false;
  if (!worker_.size.is_exact(family)) return found_full && may_be_full(family);
  const std::size_t capacity = worker_.size.in_two_buckets(family);
  if (worker_.flows.live(family) < capacity) return false;
  worker_.flows.expire(worker_.flows.expired(family, now_));
  return worker_.flows.live(family) == capacity;
}

// The local port that the packet was really given, if it is one of those that were next.
Local ModelBurst::real_local(std::size_t number, std::uint8_t address) {
  const std::set<std::uint16_t>& next = worker_.flows.ports(address).next();
  const Local real = observed_.locals[number];
  if (real.address == address && next.contains(real.port)) return real;
  const Local due{.address = address, .port = *next.begin()};
  std::string text = "packet " + std::to_string(number) + " is due local port " +
                     std::to_string(due.address) + "/" + std::to_string(due.port);
  if (next.size() > 1) text += " or another of " + std::to_string(next.size());
  faults_.push_back(text + ", got " + std::to_string(real.address) + "/" +
                    std::to_string(real.port));
  return due;
}

ModelBurst::Verdict ModelBurst::open_nat(std::size_t number) {
  const Segment& segment = segments_[number];
  Expected& expected = expected_[number];
  const FlowKey key = *expected.flow;
  const net::Family family = segment.source.family;
  const NeighbourTarget& hop = worker_.config.backend(*expected.backend).next_hop;
  const std::vector<std::uint8_t> slots = worker_.network.nat_slots(hop.port, family);
  const std::uint64_t hash =
      hash_of(key.client, key.port, worker_.config.service(key.service).destination());
  for (std::size_t i = 0; i < slots.size() && !expected.local; ++i) {
    const std::uint8_t slot = slots[(hash % slots.size() + i) % slots.size()];
    if (worker_.flows.ports(slot).available()) expected.local = Local{.address = slot, .port = 0};
  }
  for (std::size_t i = 0; i < slots.size() && !expected.local; ++i) {
    if (reclaim(slots[i])) expected.local = Local{.address = slots[i], .port = 0};
  }
  if (!expected.local) return kNatPortsExhausted;
  const std::uint8_t address = expected.local->address;
  if (is_full(family, observed_.verdicts[number] == kFlowTableFull)) {
    worker_.flows.ports(address).pass();
    return kFlowTableFull;
  }
  expected.local = real_local(number, address);
  worker_.flows.ports(address).take(expected.local->port);
  worker_.flows.open(key, {.state = first_state(segment),
                           .seen = now_,
                           .backend = *expected.backend,
                           .local = expected.local});
  const bool routed = worker_.network.gateway(segment.port_in, family) != nullptr &&
                      !worker_.network.is_on_link(segment.port_in, segment.source);
  worker_.flows.locals()[*expected.local] = {.flow = key,
                                             .client_mac = segment.from,
                                             .client_port = segment.port_in,
                                             .by_gateway = routed,
                                             .seen = now_};
  ++worker_.flows.counters(*expected.backend).new_flows;
  return kUndecided;
}

// When no port is free: of so many local ports in turn, the flow that was over first ends.
bool ModelBurst::reclaim(std::uint8_t address) {
  const std::uint32_t ports = limits::kNatPorts / worker_.workers;
  const LocalUse* oldest = nullptr;
  for (std::size_t i = 0; i < limits::kReclaimLooks; ++i) {
    std::uint32_t& turn = worker_.turn[address];
    turn = (turn + 1) % ports;
    const auto port =
        static_cast<std::uint16_t>(limits::kFirstNatPort + turn * worker_.workers + worker_.self);
    const LocalUse* use = worker_.flows.find(Local{.address = address, .port = port});
    if (use == nullptr || !worker_.config.service(use->flow.service).present) continue;
    const ModelFlow& flow = *worker_.flows.find(use->flow);
    const bool over = flow.state == l4::FlowState::kTimeWait || flow.state == l4::FlowState::kReset;
    if (!over) continue;
    if (oldest == nullptr || flow.seen < worker_.flows.find(oldest->flow)->seen) oldest = use;
  }
  if (oldest == nullptr) return false;
  const FlowKey ended = oldest->flow;
  worker_.flows.forget(ended);
  ++worker_.flows.reclaimed;
  return true;
}

ModelBurst::Verdict ModelBurst::open_dsr(std::size_t number, bool stateless) {
  const Segment& segment = segments_[number];
  Expected& expected = expected_[number];
  const net::Family family = segment.source.family;
  const ModelService& service = worker_.config.service(expected.flow->service);
  const std::uint32_t slot = slot_of(slot_hash(*expected.flow, service), service);
  const std::optional<BackendIdentity> owner = service.owners[slot];
  const bool opens = !segment.is_tcp() || segment.is_pure_syn();
  const auto previous = worker_.config.previous_owner(service, slot, opens, now_ms_);
  // Only what opens a flow is chosen for anew; the rest has perhaps been elsewhere.
  const bool chooses = opens && !stateless;
  const std::optional<BackendIdentity> recorded = chooses    ? choose_new(number, *expected.flow)
                                                  : previous ? previous
                                                             : owner;
  const Unrecorded packet{.number = number,
                          .recorded = recorded,
                          .stateless = previous ? previous : owner,
                          .recorded_is_previous = !opens && previous,
                          .stateless_is_previous = previous.has_value()};
  // An earlier packet of the burst may have been recorded; then this one follows it.
  if (!recorded && !pending_.contains(*expected.flow)) return kNoBackend;
  if (!worker_.size.is_predictable(family)) {
    inserted_[static_cast<std::size_t>(family)] = true;
    pending_[*expected.flow].push_back(packet);
  } else if (stateless || is_full(family, false)) {
    go_stateless(packet);
  } else {
    record_from(*expected.flow, {packet}, 0);
  }
  return kUndecided;
}

void ModelBurst::go_stateless(const Unrecorded& packet) {
  Expected& expected = expected_[packet.number];
  if (packet.opens_nothing ? !packet.stateless : !packet.recorded) {
    expected.verdict = kNoBackend;
    return;
  }
  expected.backend = packet.stateless;
  if (packet.stateless_is_previous) ++worker_.flows.to_previous_owners;
  if (packet.opens_nothing) return;
  ++worker_.flows.stateless;
  ++worker_.flows.counters(*packet.stateless).new_flows;
}

// How many of the packets before `first` are forwarded all the same.
std::size_t ModelBurst::stateless_before(const std::vector<Unrecorded>& packets,
                                         std::size_t first) {
  const auto end = packets.begin() + static_cast<std::ptrdiff_t>(first);
  return static_cast<std::size_t>(
      std::count_if(packets.begin(), end, [](const Unrecorded& p) { return p.recorded; }));
}

// The state of a flow that the packet `first` of its packets opened and the others moved on.
l4::FlowState ModelBurst::state_from(const std::vector<Unrecorded>& packets,
                                     std::size_t first) const {
  l4::FlowState state = first_state(segments_[packets[first].number]);
  for (const Unrecorded& later : std::span(packets).subspan(first + 1)) {
    const Segment& segment = segments_[later.number];
    if (segment.is_of_flow()) state = state_after(state, true, segment.flags);
  }
  return state;
}

// The flow was recorded by the packet `first` of its packets; those before found no room.
void ModelBurst::record_from(const FlowKey& key, const std::vector<Unrecorded>& packets,
                             std::size_t first) {
  for (std::size_t i = 0; i < first; ++i) go_stateless(packets[i]);
  if (first == packets.size()) return;
  const BackendIdentity backend = *packets[first].recorded;
  if (packets[first].recorded_is_previous) ++worker_.flows.to_previous_owners;
  for (const Unrecorded& packet : std::span(packets).subspan(first)) {
    expected_[packet.number].backend = backend;
  }
  ++worker_.flows.counters(backend).new_flows;
  worker_.flows.open(key, {.state = state_from(packets, first),
                           .seen = now_,
                           .backend = backend,
                           .local = std::nullopt});
}

// Packets of dsr flows that found no room leave nothing but counts. A flow that is not in the table
// found none with any packet. One that is there had room at once, unless more packets were counted
// as stateless: then another flow made room between two packets of this one.
void ModelBurst::settle_unrecorded() {
  std::uint64_t expected = worker_.flows.stateless;
  for (const auto& [key, flow] : pending_) {
    if (observed_.flow(key)) continue;
    if (!may_be_full(key.client.family)) {
      faults_.push_back("flow " + to_string(key) + " was not recorded, but there was room");
    }
    expected += stateless_before(flow, flow.size());
  }
  Early early;
  if (observed_.stateless < expected ||
      !explain(pending_.cbegin(), observed_.stateless - expected, early)) {
    faults_.push_back("stateless packets: expected " + std::to_string(expected) + ", counted " +
                      std::to_string(observed_.stateless) + ", and no room made later explains it");
    early.assign(pending_.size(), 0);
  }
  std::size_t number = 0;
  for (const auto& [key, flow] : pending_) record_from(key, flow, early[number++]);
}

// Finds numbers of early packets that agree with all that was counted and with the flows' states.
bool ModelBurst::explain(Pending::const_iterator at, std::uint64_t unexplained,
                         Early& early) const {
  if (at == pending_.cend()) return unexplained == 0 && explains_new_flows(early);
  const auto& [key, flow] = *at;
  const std::optional<RealFlow> real = observed_.flow(key);
  if (!real) {
    early.push_back(flow.size());
    if (explain(std::next(at), unexplained, early)) return true;
    early.pop_back();
    return false;
  }
  for (std::size_t n = 0; n < flow.size(); ++n) {
    const std::size_t early_ones = stateless_before(flow, n);
    if (early_ones > unexplained) break;
    if (!flow[n].recorded) continue;
    // Without any early packets this is the only way, right or not; compare tells.
    const bool fits = state_from(flow, n) == real->state &&
                      worker_.config.backend(*flow[n].recorded).id == real->backend;
    if (n + unexplained > 0 && !fits) continue;
    early.push_back(n);
    if (explain(std::next(at), unexplained - early_ones, early)) return true;
    early.pop_back();
  }
  return false;
}

bool ModelBurst::explains_new_flows(const Early& early) const {
  std::map<BackendIdentity, std::uint64_t> opened;
  std::size_t number = 0;
  for (const auto& [key, flow] : pending_) {
    const std::size_t first = early[number++];
    for (std::size_t i = 0; i < first; ++i) {
      if (flow[i].recorded) ++opened[*flow[i].stateless];
    }
    if (first < flow.size()) ++opened[*flow[first].recorded];
  }
  for (const auto& [backend, flows] : opened) {
    if (worker_.flows.counters(backend).new_flows + flows != observed_.new_flows(backend)) {
      return false;
    }
  }
  return true;
}

// Idle flows that were in the way of new ones are gone now.
void ModelBurst::settle_evicted() {
  bool mixed = false;
  for (const net::Family family : {net::Family::kIpv4, net::Family::kIpv6}) {
    const std::uint64_t live =
        family == net::Family::kIpv4 ? observed_.live_ipv4 : observed_.live_ipv6;
    if (worker_.size.is_predictable(family) || !inserted_[static_cast<std::size_t>(family)] ||
        worker_.flows.live(family) == live) {
      continue;
    }
    std::vector<FlowKey> gone;
    for (const FlowKey& key : worker_.flows.expired(family, now_)) {
      if (!observed_.flow(key)) gone.push_back(key);
    }
    worker_.flows.expire(gone);
    mixed = mixed || !gone.empty();
  }
  for (ModelPorts& ports : worker_.flows.ports()) ports.settle(mixed);
}

}  // namespace hawser::property
