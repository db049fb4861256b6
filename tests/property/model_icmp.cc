// The model: ICMP errors about packets of flows.
#include "hawser/net/icmp.h"
#include "model_packets.h"

namespace hawser::property {

using enum pipeline::Verdict;

// RFC 792, RFC 4443, RFC 5508 section 4.2: the quoted packet says which flow is meant, seen from
// the other end.
void ModelBurst::read_complaints() {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    Segment& segment = segments_[i];
    if (!segment.complaint) continue;
    segment.source_port = segment.destination_port = 0;
    segment.flags = 0;
    if (frame_fault(segment) != kUndecided || fault_of(segment) != kUndecided) continue;
    if (!is_for_flows(segment.destination)) continue;
    expected_[i].verdict = complaint_fault(segment);
    if (expected_[i].verdict != kUndecided) continue;
    const Segment& quoted = *segment.complaint->quoted;
    segment.source = quoted.destination;
    segment.source_port = quoted.destination_port;
    segment.destination_port = quoted.source_port;
    segment.protocol = quoted.protocol;
  }
}

ModelBurst::Verdict ModelBurst::complaint_fault(const Segment& segment) {
  constexpr std::size_t kPorts = 8;
  const Complaint& complaint = *segment.complaint;
  if (complaint.bad_checksum) return kIcmpMalformed;
  if (!net::is_icmp_error(segment.source.family, complaint.type)) return kIcmpUnsupported;
  const bool told = complaint.quoted_bytes >= ip_bytes(*complaint.quoted) + kPorts;
  return told && complaint.quoted->source == segment.destination ? kUndecided : kIcmpMalformed;
}

// About a flow that is not known; it opens none.
ModelBurst::Verdict ModelBurst::place_complaint(std::size_t number) {
  Expected& expected = expected_[number];
  const ModelService& service = worker_.config.service(expected.flow->service);
  if (service.is_nat()) return kNoFlow;
  const std::uint32_t slot = slot_of(slot_hash(*expected.flow, service), service);
  const auto previous =
      worker_.config.previous_owner(service, slot, !segments_[number].is_tcp(), now_ms_);
  const Unrecorded packet{.number = number,
                          .recorded = std::nullopt,
                          .stateless = previous ? previous : service.owners[slot],
                          .recorded_is_previous = false,
                          .stateless_is_previous = previous.has_value(),
                          .opens_nothing = true};
  // An earlier packet of the burst may have been recorded; then this one follows it.
  const auto earlier = pending_.find(*expected.flow);
  if (earlier == pending_.end()) {
    go_stateless(packet);
    return expected.verdict;
  }
  earlier->second.push_back(packet);
  return kUndecided;
}

// The quoted packet is turned round with the flow: whoever gets it must know it as his own.
void ModelBurst::turn_quoted(Segment& out) {
  if (!out.complaint) return;
  Segment quoted = *out.complaint->quoted;
  quoted.source = out.destination;
  quoted.source_port = out.destination_port;
  quoted.destination = out.source;
  quoted.destination_port = out.source_port;
  out.complaint->quoted = std::make_shared<const Segment>(quoted);
}

}  // namespace hawser::property
