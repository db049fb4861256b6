// The table of verdicts: name, kind and meaning of each.
#include "hawser/pipeline/verdict.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;
using K = VerdictKind;

constexpr std::array<VerdictInfo, kVerdicts> kTable{{
    {kUndecided, K::kUndecided, "undecided", "left the pipeline without a decision: a bug"},
    {kForwardNat, K::kForward, "forward_nat", "to a backend, addresses translated"},
    {kForwardDsrL2, K::kForward, "forward_dsr_l2", "to a backend, MAC addresses rewritten"},
    {kReturnNat, K::kForward, "return_nat", "from a backend back to its client"},
    {kReplyArp, K::kReply, "reply_arp", "ARP request for an address of ours answered"},
    {kReplyNeighbour, K::kReply, "reply_neighbour", "neighbour solicitation for us answered"},
    {kReplyReset, K::kReply, "reply_reset",
     "TCP reset sent: the flow's backend is down, or a nat flow is not known"},
    {kHandOff, K::kHandOff, "hand_off", "passed to the worker that owns the flow"},
    {kPuntLocal, K::kPunt, "punt_local", "for an own address: to the kernel"},
    {kPuntNeighbour, K::kPunt, "punt_neighbour", "ARP or ND answer: to resolver and kernel"},
    {kPuntOther, K::kPunt, "punt_other", "neither for a service nor for us: to the kernel"},
    {kFrameTruncated, K::kDrop, "frame_truncated", "shorter than an Ethernet header"},
    {kFrameTooLong, K::kDrop, "frame_too_long", "longer than the largest frame accepted"},
    {kFrameNotForUs, K::kDrop, "frame_not_for_us",
     "unicast to another MAC address, or for a service by broadcast"},
    {kIpv4Truncated, K::kDrop, "ipv4_truncated", "shorter than an IPv4 header"},
    {kIpv4BadVersion, K::kDrop, "ipv4_bad_version", "version field is not 4"},
    {kIpv4BadHeaderLength, K::kDrop, "ipv4_bad_header_length",
     "header length below 20 or beyond the packet"},
    {kIpv4BadTotalLength, K::kDrop, "ipv4_bad_total_length",
     "total length below the header or beyond the frame"},
    {kIpv4BadChecksum, K::kDrop, "ipv4_bad_checksum", "header checksum is wrong"},
    {kIpv4BadSource, K::kDrop, "ipv4_bad_source",
     "source is multicast, broadcast, loopback or zero"},
    {kIpv4Fragment, K::kDrop, "ipv4_fragment", "fragment for a service: not forwarded"},
    {kIpv6Truncated, K::kDrop, "ipv6_truncated", "shorter than an IPv6 header"},
    {kIpv6BadVersion, K::kDrop, "ipv6_bad_version", "version field is not 6"},
    {kIpv6BadPayloadLength, K::kDrop, "ipv6_bad_payload_length", "payload length beyond the frame"},
    {kIpv6BadSource, K::kDrop, "ipv6_bad_source", "source is multicast, loopback or unspecified"},
    {kIpv6Extension, K::kDrop, "ipv6_extension", "extension header for a service: not forwarded"},
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
    {kArpMalformed, K::kDrop, "arp_malformed", "not IPv4 over Ethernet, or truncated"},
    {kNeighbourMalformed, K::kDrop, "neighbour_malformed",
     "neighbour discovery that fails the checks of RFC 4861 section 7.1"},
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
}};

constexpr bool table_is_in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].verdict) != i) return false;
    if (kTable[i].kind != kind_of(kTable[i].verdict)) return false;
  }
  return true;
}
static_assert(table_is_in_order());

}  // namespace

const std::array<VerdictInfo, kVerdicts> kVerdictTable = kTable;

std::string_view to_string(VerdictKind kind) noexcept {
  constexpr std::array<std::string_view, 6> kNames{"undecided", "forward", "reply",
                                                   "hand_off",  "punt",    "drop"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace hawser::pipeline
