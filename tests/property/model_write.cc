// The model: what leaves. Values change; segment.cc writes the frame anew.
#include "hawser/net/tcp.h"
#include "model_packets.h"

namespace hawser::property {

using enum pipeline::Verdict;

std::optional<net::MacAddress> ModelBurst::mac(const NeighbourTarget& target) const {
  const auto found = worker_.macs.find(target);
  if (found == worker_.macs.end()) return std::nullopt;
  return found->second;
}

ModelBurst::Verdict ModelBurst::write(std::size_t number, Expected& expected) {
  return expected.to_client ? write_to_client(number, expected)
                            : write_to_backend(number, expected);
}

ModelBurst::Verdict ModelBurst::write_to_backend(std::size_t number, Expected& expected) {
  const Segment& segment = segments_[number];
  const ModelBackend& backend = worker_.config.backend(*expected.backend);
  const model::Forward forward = worker_.config.service(expected.flow->service).wanted.forward;
  const std::optional<net::MacAddress> to = mac(backend.next_hop);
  if (!to) return kNextHopUnresolved;
  if (forward == model::Forward::kNat) renumber(number, expected);
  if (forward != model::Forward::kDsrL2 && segment.ttl <= 1) return kTtlExpired;
  expected.port_out = backend.next_hop.port;
  Segment& out = expected.out;
  out.from = worker_.network.ports[expected.port_out.value].mac;
  out.to = *to;
  if (forward != model::Forward::kDsrL2) --out.ttl;
  if (forward == model::Forward::kNat) {
    out.source = worker_.network.nat_addresses[expected.local->address];
    out.source_port = expected.local->port;
    out.destination = backend.address;
    out.destination_port = backend.port;
    turn_quoted(out);
  }
  if (model::is_tunnel(forward)) put_into_tunnel(number, expected);
  ModelCounters& counters = worker_.flows.counters(*expected.backend);
  ++counters.packets_in;
  counters.bytes_in += frame_length(out);
  if (segment.complaint) return kForwardIcmp;
  constexpr std::array<Verdict, 4> kByForward{kForwardNat, kForwardDsrL2, kForwardDsrIpip,
                                              kForwardDsrGue};
  return kByForward[static_cast<std::size_t>(forward)];
}

void ModelBurst::put_into_tunnel(std::size_t number, Expected& expected) {
  const ModelBackend& backend = worker_.config.backend(*expected.backend);
  const ModelService& service = worker_.config.service(expected.flow->service);
  Segment& out = expected.out;
  Tunnel outer{.destination = backend.address};
  for (const net::Prefix& own : worker_.network.ports[expected.port_out.value].addresses) {
    if (own.address.family == backend.address.family) outer.source = own.address;
  }
  if (service.wanted.forward == model::Forward::kDsrGue) outer.gue_port = service.wanted.gue_port;
  // Only what may be fragmented outside needs a number of its own.
  if (out.source.is_ipv4()) outer.dont_fragment = out.dont_fragment;
  if (backend.address.is_ipv4() && !outer.dont_fragment) {
    outer.identification = static_cast<std::uint16_t>(worker_.next_identification());
  }
  spread(number, *expected.flow, outer);
  out.outer = outer;
}

// Flow label and source port are free, as long as all packets of a flow have the same.
void ModelBurst::spread(std::size_t number, const FlowKey& key, Tunnel& outer) {
  constexpr std::size_t kIp = 14;
  const std::span<const std::uint8_t> frame = observed_.frame(number);
  const std::size_t udp = kIp + (outer.source.is_ipv4() ? 20 : 40);
  if (frame.size() < udp + 8) return;  // compare tells
  Entropy& known = worker_.entropy[key];
  if (!outer.source.is_ipv4()) {
    outer.flow_label = std::uint32_t{frame[kIp + 1] & 0xfU} << 16U |
                       std::uint32_t{frame[kIp + 2]} << 8U | frame[kIp + 3];
    if (!known.flow_label) known.flow_label = outer.flow_label;
    outer.flow_label = *known.flow_label;
  }
  if (outer.gue_port != 0) {
    outer.source_port = static_cast<std::uint16_t>(frame[udp] << 8U | frame[udp + 1]);
    if (!known.port) known.port = outer.source_port;
    outer.source_port = *known.port;
    // RFC 6335 section 6: the dynamic range.
    if (outer.source_port < 49152) faults_.push_back("source port of GUE below 49152");
  }
}

ModelBurst::Verdict ModelBurst::write_to_client(std::size_t number, Expected& expected) {
  const Segment& segment = segments_[number];
  const LocalUse* use = worker_.flows.find(*expected.local);
  if (use == nullptr) return kNoFlow;  // a later packet of the burst ended it
  renumber(number, expected);
  if (segment.ttl <= 1) return kTtlExpired;
  const ModelService& service = worker_.config.service(use->flow.service);
  expected.port_out = use->client_port;
  Segment& out = expected.out;
  --out.ttl;
  out.source = service.wanted.address;
  out.source_port = service.wanted.port;
  out.destination = use->flow.client;
  out.destination_port = use->flow.port;
  turn_quoted(out);
  out.from = worker_.network.ports[expected.port_out.value].mac;
  out.to = use->client_mac;
  if (use->by_gateway) {
    const net::IpAddress& gateway =
        *worker_.network.gateway(use->client_port, use->flow.client.family);
    out.to = mac({use->client_port, gateway}).value_or(use->client_mac);
  }
  ModelCounters& counters = worker_.flows.counters(*expected.backend);
  ++counters.packets_out;
  counters.bytes_out += frame_length(out);
  return segment.complaint ? kReturnIcmp : kReturnNat;
}

// RFC 9293 section 3.10.7.1.
void ModelBurst::write_reset(const Segment& segment, Expected& expected) const {
  Segment out;
  out.port_in = segment.port_in;
  out.from = segment.to;
  out.to = segment.from;
  out.source = segment.destination;
  out.destination = segment.source;
  out.source_port = segment.destination_port;
  out.destination_port = segment.source_port;
  out.protocol = segment.protocol;
  out.dont_fragment = true;
  if (segment.has(net::kTcpAck)) {
    out.flags = net::kTcpRst;
    out.sequence = segment.acknowledgement;
  } else {
    const std::uint32_t occupied = segment.payload + (segment.has(net::kTcpSyn) ? 1U : 0U) +
                                   (segment.has(net::kTcpFin) ? 1U : 0U);
    out.flags = net::kTcpRst | net::kTcpAck;
    out.acknowledgement = segment.sequence + occupied;
  }
  expected.port_out = segment.port_in;
  expected.out = out;
}

}  // namespace hawser::property
