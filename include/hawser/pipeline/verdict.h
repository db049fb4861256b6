// Verdicts: everything that can become of a packet. Verdict = counter = trace label = row in the
// packet tests; there is no drop without a name.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace hawser::pipeline {

enum class VerdictKind : std::uint8_t {
  kUndecided,  // still on its way
  kForward,    // rewritten, leaves through port_out
  kReply,      // turned into an answer, leaves through the port it came from
  kHandOff,    // belongs to another worker
  kHold,       // kept by the pipeline; comes back with a verdict of its own
  kPunt,       // to the kernel through the exception TAP; neighbours also to the resolver
  kDrop,       // freed
};

enum class Verdict : std::uint8_t {
  kUndecided,
  // forward
  kForwardNat,
  kForwardDsrL2,
  kForwardDsrIpip,
  kForwardDsrGue,
  kForwardIcmp,
  kForwardFragment,
  kForwardProxyHeader,
  kForwardSplice,
  kReturnNat,
  kReturnIcmp,
  kReturnSplice,
  kSpliceOwn,
  // reply
  kReplyArp,
  kReplyNeighbour,
  kReplyReset,
  kReplyEcho,
  kReplyTooBig,
  kReplySynCookie,
  kReplyAcknowledge,
  kReplyAnswer,
  kReplyFinish,
  // hand-off
  kHandOff,
  // hold
  kHoldFragment,
  kHoldRequest,
  // punt
  kPuntLocal,
  kPuntNeighbour,
  kPuntOther,
  // drop: the frame
  kFrameTruncated,
  kFrameTooLong,
  kFrameNotForUs,
  kFrameUnknownVlan,
  // drop: IPv4
  kIpv4Truncated,
  kIpv4BadVersion,
  kIpv4BadHeaderLength,
  kIpv4BadTotalLength,
  kIpv4BadChecksum,
  kIpv4BadSource,
  kIpv4SourceRoute,
  // drop: IPv6
  kIpv6Truncated,
  kIpv6BadVersion,
  kIpv6BadPayloadLength,
  kIpv6BadSource,
  kIpv6Extension,
  kIpv6ExtensionChain,
  // drop: fragments
  kFragmentTiny,
  kFragmentFirstMissing,
  kFragmentTableFull,
  // drop: transport
  kTcpTruncated,
  kTcpBadHeaderLength,
  kTcpBadFlags,
  kUdpTruncated,
  kUdpBadLength,
  kUdpNoChecksum,
  kTransportBadChecksum,
  // drop: ICMP for services
  kIcmpMalformed,
  kIcmpUnsupported,
  kIcmpRateLimited,
  // drop: neighbours
  kArpMalformed,
  kNeighbourMalformed,
  // drop: defences
  kSourceDenied,
  kSourceRateExceeded,
  kServiceFull,
  kNewFlowRateExceeded,
  // drop: decisions
  kNoService,
  kNoBackend,
  kNoFlow,
  kTtlExpired,
  kNextHopUnresolved,
  kFlowTableFull,
  kNatPortsExhausted,
  kNatForeign,
  kTooBig,
  kNoBuffer,
  kOpeningTableFull,
  kOpeningAcknowledgement,
  // drop: spliced connections
  kSpliceHandshake,
  kSpliceFragment,
  kSpliceAcknowledgement,
  kSpliceOutOfWindow,
  kSpliceReset,
  kSpliceDuplicate,
  kSpliceOver,
  kSpliceTaken,
  kHoldFull,
  kCount,
};

inline constexpr std::size_t kVerdicts = static_cast<std::size_t>(Verdict::kCount);

struct VerdictInfo {
  Verdict verdict;
  VerdictKind kind;
  std::string_view name;
  std::string_view help;
};

// In the order of the enumerators (asserted in verdict.cc).
extern const std::array<VerdictInfo, kVerdicts> kVerdictTable;

// The kind is needed per packet: it follows from the order of the enumerators.
[[nodiscard]] constexpr VerdictKind kind_of(Verdict verdict) noexcept {
  if (verdict >= Verdict::kFrameTruncated) return VerdictKind::kDrop;
  if (verdict >= Verdict::kPuntLocal) return VerdictKind::kPunt;
  if (verdict >= Verdict::kHoldFragment) return VerdictKind::kHold;
  if (verdict >= Verdict::kHandOff) return VerdictKind::kHandOff;
  if (verdict >= Verdict::kReplyArp) return VerdictKind::kReply;
  if (verdict >= Verdict::kForwardNat) return VerdictKind::kForward;
  return VerdictKind::kUndecided;
}

[[nodiscard]] std::string_view to_string(VerdictKind kind) noexcept;
[[nodiscard]] inline const VerdictInfo& info(Verdict verdict) noexcept {
  return kVerdictTable[static_cast<std::size_t>(verdict)];
}

}  // namespace hawser::pipeline
