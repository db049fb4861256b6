// The table of verdicts: name, kind and meaning of each.
#include "hawser/pipeline/verdict.h"

#include "hawser/model/verdict_names.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;
using K = VerdictKind;

constexpr std::array<VerdictInfo, kVerdicts> kTable{{
    {kUndecided, K::kUndecided, "undecided", "left the pipeline without a decision: a bug"},
    {kForwardNat, K::kForward, "forward_nat", "to a backend, addresses translated"},
    {kForwardDsrL2, K::kForward, "forward_dsr_l2", "to a backend, MAC addresses rewritten"},
    {kForwardDsrIpip, K::kForward, "forward_dsr_ipip", "to a backend, inside another IP packet"},
    {kForwardDsrGue, K::kForward, "forward_dsr_gue", "to a backend, inside UDP"},
    {kForwardIcmp, K::kForward, "forward_icmp", "ICMP error to the backend whose packet it quotes"},
    {kForwardFragment, K::kForward, "forward_fragment",
     "second part of a packet that was split to fit"},
    {kForwardProxyHeader, K::kForward, "forward_proxy_header",
     "PROXY header sent to a backend, or sent again"},
    {kForwardSplice, K::kForward, "forward_splice", "of a spliced connection, to its backend"},
    {kReturnNat, K::kForward, "return_nat", "from a backend back to its client"},
    {kReturnIcmp, K::kForward, "return_icmp", "ICMP error to the client whose packet it quotes"},
    {kReturnSplice, K::kForward, "return_splice", "of a spliced connection, back to its client"},
    {kSpliceOwn, K::kForward, "splice_own",
     "made for a spliced connection: SYN, PROXY header, a head that came in pieces, an answer"},
    {kReplyArp, K::kReply, "reply_arp", "ARP request for an address of ours answered"},
    {kReplyNeighbour, K::kReply, "reply_neighbour", "neighbour solicitation for us answered"},
    {kReplyReset, K::kReply, "reply_reset",
     "TCP reset sent: the flow's backend is down, or a nat flow is not known"},
    {kReplyEcho, K::kReply, "reply_echo", "echo request for a service address answered"},
    {kReplyTooBig, K::kReply, "reply_too_big",
     "fragmentation-needed or packet-too-big sent: it does not fit the way on"},
    {kReplySynCookie, K::kReply, "reply_syn_cookie", "SYN for a spliced service answered"},
    {kReplyAcknowledge, K::kReply, "reply_acknowledge",
     "segment acknowledged in its receiver's stead, or challenged (RFC 5961)"},
    {kReplyAnswer, K::kReply, "reply_answer", "request answered by the balancer itself"},
    {kReplyFinish, K::kReply, "reply_finish", "connection without a request closed"},
    {kHandOff, K::kHandOff, "hand_off", "passed to the worker that owns the flow"},
    {kHoldFragment, K::kHold, "hold_fragment", "fragment kept until the first of its packet comes"},
    {kHoldRequest, K::kHold, "hold_request",
     "kept until its connection can take it: a backend answers, its turn comes"},
    {kPuntLocal, K::kPunt, "punt_local", "for an own address: to the kernel"},
    {kPuntNeighbour, K::kPunt, "punt_neighbour", "ARP or ND answer: to resolver and kernel"},
    {kPuntOther, K::kPunt, "punt_other", "neither for a service nor for us: to the kernel"},
    {kFrameTruncated, K::kDrop, "frame_truncated", "shorter than an Ethernet header"},
    {kFrameTooLong, K::kDrop, "frame_too_long", "longer than the largest frame accepted"},
    {kFrameNotForUs, K::kDrop, "frame_not_for_us",
     "unicast to another MAC address, or for a service by broadcast"},
    {kFrameUnknownVlan, K::kDrop, "frame_unknown_vlan", "tagged for a VLAN that is no port's"},
    {kIpv4Truncated, K::kDrop, "ipv4_truncated", "shorter than an IPv4 header"},
    {kIpv4BadVersion, K::kDrop, "ipv4_bad_version", "version field is not 4"},
    {kIpv4BadHeaderLength, K::kDrop, "ipv4_bad_header_length",
     "header length below 20 or beyond the packet"},
    {kIpv4BadTotalLength, K::kDrop, "ipv4_bad_total_length",
     "total length below the header or beyond the frame"},
    {kIpv4BadChecksum, K::kDrop, "ipv4_bad_checksum", "header checksum is wrong"},
    {kIpv4BadSource, K::kDrop, "ipv4_bad_source",
     "source is multicast, broadcast, loopback or zero"},
    {kIpv4SourceRoute, K::kDrop, "ipv4_source_route",
     "source route option in a packet for a service (RFC 7126)"},
    {kIpv6Truncated, K::kDrop, "ipv6_truncated", "shorter than an IPv6 header"},
    {kIpv6BadVersion, K::kDrop, "ipv6_bad_version", "version field is not 6"},
    {kIpv6BadPayloadLength, K::kDrop, "ipv6_bad_payload_length", "payload length beyond the frame"},
    {kIpv6BadSource, K::kDrop, "ipv6_bad_source", "source is multicast, loopback or unspecified"},
    {kIpv6Extension, K::kDrop, "ipv6_extension",
     "extension header that cannot be passed on: ESP, routing type 0, unknown"},
    {kIpv6ExtensionChain, K::kDrop, "ipv6_extension_chain",
     "extension headers beyond the packet, or too many"},
    {kFragmentTiny, K::kDrop, "fragment_tiny",
     "first fragment without its transport header, or one that overlaps it (RFC 1858)"},
    {kFragmentFirstMissing, K::kDrop, "fragment_first_missing",
     "fragment whose first did not come in time"},
    {kFragmentTableFull, K::kDrop, "fragment_table_full",
     "fragment before its first, and no room to hold it"},
    {kTcpTruncated, K::kDrop, "tcp_truncated", "shorter than a TCP header"},
    {kTcpBadHeaderLength, K::kDrop, "tcp_bad_header_length",
     "data offset below 20 or beyond the packet"},
    {kTcpBadFlags, K::kDrop, "tcp_bad_flags",
     "no flags, or SYN together with FIN or RST, or FIN with RST"},
    {kUdpTruncated, K::kDrop, "udp_truncated", "shorter than a UDP header"},
    {kUdpBadLength, K::kDrop, "udp_bad_length", "length below 8 or beyond the packet"},
    {kUdpNoChecksum, K::kDrop, "udp_no_checksum", "zero UDP checksum over IPv6 (RFC 8200 8.1)"},
    {kTransportBadChecksum, K::kDrop, "transport_bad_checksum",
     "the port found the TCP or UDP checksum wrong"},
    {kIcmpMalformed, K::kDrop, "icmp_malformed",
     "ICMP for a service that is truncated, or whose checksum is wrong"},
    {kIcmpUnsupported, K::kDrop, "icmp_unsupported",
     "ICMP for a service that is neither echo request nor an error"},
    {kIcmpRateLimited, K::kDrop, "icmp_rate_limited",
     "echo request or ICMP error beyond the rate that is answered"},
    {kArpMalformed, K::kDrop, "arp_malformed", "not IPv4 over Ethernet, or truncated"},
    {kNeighbourMalformed, K::kDrop, "neighbour_malformed",
     "neighbour discovery that fails the checks of RFC 4861 section 7.1"},
    {kSourceDenied, K::kDrop, "source_denied", "the service's prefix lists deny this source"},
    {kSourceRateExceeded, K::kDrop, "source_rate_exceeded",
     "new flow beyond the rate of its source prefix"},
    {kServiceFull, K::kDrop, "service_full", "new flow beyond the service's max_flows"},
    {kNewFlowRateExceeded, K::kDrop, "new_flow_rate_exceeded",
     "new nat flow beyond the service's new_flow_rate"},
    {kNoService, K::kDrop, "no_service",
     "for a service address, but no service has this port and protocol"},
    {kNoBackend, K::kDrop, "no_backend", "the service has no backend that takes new flows"},
    {kNoFlow, K::kDrop, "no_flow", "for a flow that is not known, and no new one may begin so"},
    {kTtlExpired, K::kDrop, "ttl_expired", "TTL or hop limit used up"},
    {kNextHopUnresolved, K::kDrop, "next_hop_unresolved",
     "MAC address of the backend or gateway not known yet"},
    {kFlowTableFull, K::kDrop, "flow_table_full", "new nat flow, but the flow table is full"},
    {kNatPortsExhausted, K::kDrop, "nat_ports_exhausted",
     "new nat flow, but no local port is free"},
    {kNatForeign, K::kDrop, "nat_foreign",
     "to a local port in use, but not from that flow's backend"},
    {kTooBig, K::kDrop, "too_big", "does not fit the way on, and can be neither told nor split"},
    {kNoBuffer, K::kDrop, "no_buffer", "needed a packet buffer, and none was free"},
    {kOpeningTableFull, K::kDrop, "opening_table_full",
     "new flow with client address, but too many are being opened"},
    {kOpeningAcknowledgement, K::kDrop, "opening_acknowledgement",
     "acknowledges only the PROXY header: nothing for the client"},
    {kSpliceHandshake, K::kDrop, "splice_handshake",
     "completes a handshake: nothing is kept until the first data"},
    {kSpliceFragment, K::kDrop, "splice_fragment", "fragment for a spliced service"},
    {kSpliceAcknowledgement, K::kDrop, "splice_acknowledgement",
     "acknowledges what was never sent (RFC 5961 section 5)"},
    {kSpliceOutOfWindow, K::kDrop, "splice_out_of_window", "beyond the window of its connection"},
    {kSpliceReset, K::kDrop, "splice_reset",
     "reset with another sequence number than the next, or more challenges than are sent"},
    {kSpliceDuplicate, K::kDrop, "splice_duplicate", "held already, or long acknowledged"},
    {kSpliceOver, K::kDrop, "splice_over", "for a spliced connection that is over"},
    {kSpliceTaken, K::kDrop, "splice_taken",
     "read whole: a buffer has its bytes, or it told only the balancer something"},
    {kHoldFull, K::kDrop, "hold_full", "no room to hold it; its sender sends it again"},
}};

constexpr bool table_is_in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].verdict) != i) return false;
    if (kTable[i].kind != kind_of(kTable[i].verdict)) return false;
  }
  return true;
}
static_assert(table_is_in_order());

// Operators' names leave out kUndecided, which no packet ends with.
constexpr bool names_are_shared() {
  if (model::kVerdictNames.size() + 1 != kTable.size()) return false;
  for (std::size_t i = 1; i < kTable.size(); ++i) {
    if (kTable[i].name != model::kVerdictNames[i - 1]) return false;
  }
  return true;
}
static_assert(names_are_shared());

}  // namespace

const std::array<VerdictInfo, kVerdicts> kVerdictTable = kTable;

std::string_view to_string(VerdictKind kind) noexcept {
  constexpr std::array<std::string_view, 7> kNames{"undecided", "forward", "reply", "hand_off",
                                                   "hold",      "punt",    "drop"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace hawser::pipeline
