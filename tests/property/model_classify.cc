// The model: to whom does a packet belong?
#include "hawser/net/tcp.h"
#include "model_packets.h"

namespace hawser::property {

using enum pipeline::Verdict;

std::string to_string(const FlowKey& key) {
  return net::endpoint_to_string(key.client, key.port) + " of service #" +
         std::to_string(key.service);
}

std::vector<Expected> ModelBurst::run() {
  read_complaints();
  join_all();
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (expected_[i].verdict != kUndecided) continue;
    expected_[i].verdict = classify(segments_[i], expected_[i]);
  }
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (expected_[i].verdict == kUndecided) {
      expected_[i].verdict = look_up(segments_[i], expected_[i]);
    }
  }
  open_all();
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    Expected& expected = expected_[i];
    expected.out = originals_[i];
    if (expected.verdict == kReplyReset) write_reset(segments_[i], expected);
    if (expected.verdict == kUndecided) expected.verdict = write(i, expected);
    ++worker_.flows.verdicts[static_cast<std::size_t>(expected.verdict)];
  }
  return std::move(expected_);
}

// What is wrong with a packet above IP, as far as segments can be wrong.
ModelBurst::Verdict ModelBurst::fault_of(const Segment& segment) const {
  if (segment.to.is_multicast()) return kFrameNotForUs;
  if (segment.complaint) return kUndecided;
  if (segment.piece) return piece_fault(segment);
  if (segment.is_tcp()) {
    const int decisive = (segment.has(net::kTcpSyn) ? 1 : 0) + (segment.has(net::kTcpFin) ? 1 : 0) +
                         (segment.has(net::kTcpRst) ? 1 : 0);
    if (decisive > 1 || (decisive == 0 && !segment.has(net::kTcpAck))) return kTcpBadFlags;
  } else if (segment.without_checksum && !segment.source.is_ipv4()) {
    return kUdpNoChecksum;
  }
  return segment.found_bad_by_the_port ? kTransportBadChecksum : kUndecided;
}

// What ends a packet's way before anybody asks whom it is for.
ModelBurst::Verdict ModelBurst::frame_fault(const Segment& segment) const {
  const pipeline::PortSetup& port = worker_.network.ports[segment.port_in.value];
  if (segment.to != port.mac && !segment.to.is_multicast()) return kFrameNotForUs;
  return segment.source.is_ipv4() && segment.header_error != 0 ? kIpv4BadChecksum : kUndecided;
}

ModelBurst::Verdict ModelBurst::classify(const Segment& segment, Expected& expected) const {
  const Verdict frame = frame_fault(segment);
  if (frame != kUndecided) return frame;
  const Verdict fault = fault_of(segment);
  const auto service =
      worker_.config.find(segment.destination, segment.destination_port, segment.is_tcp());
  if (service && fault == kUndecided) {
    expected.flow =
        FlowKey{.client = segment.source, .port = segment.source_port, .service = *service};
    // Any router may complain.
    return !segment.complaint &&
                   worker_.config.is_denied(segment.source, worker_.config.service(*service).wanted)
               ? kSourceDenied
               : kUndecided;
  }
  for (const pipeline::PortSetup& setup : worker_.network.ports) {
    for (const net::Prefix& own : setup.addresses) {
      if (own.address == segment.destination) return kPuntLocal;
    }
  }
  if (worker_.config.is_service_address(segment.destination)) {
    return fault == kUndecided ? kNoService : fault;
  }
  for (std::size_t slot = 0; slot < worker_.network.nat_addresses.size(); ++slot) {
    if (worker_.network.nat_addresses[slot] != segment.destination) continue;
    if (fault != kUndecided) return fault;
    return classify_reply(segment, static_cast<std::uint8_t>(slot), expected);
  }
  return kPuntOther;
}

// Local ports are dealt to workers in turn, as long as there is one for each.
ModelBurst::Verdict ModelBurst::classify_reply(const Segment& segment, std::uint8_t slot,
                                               Expected& expected) const {
  const std::uint32_t port = segment.destination_port;
  if (port < limits::kFirstNatPort) return kNoFlow;
  const std::uint32_t ordinal = port - limits::kFirstNatPort;
  if (ordinal / worker_.workers >= limits::kNatPorts / worker_.workers) return kNoFlow;
  expected.to_client = true;
  expected.local = Local{.address = slot, .port = segment.destination_port};
  expected.owner = WorkerId(static_cast<std::uint16_t>(ordinal % worker_.workers));
  return expected.owner.value == worker_.self ? kUndecided : kHandOff;
}

}  // namespace hawser::property
