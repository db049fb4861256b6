// Translates ICMP errors about spliced connections.
#include "icmp.h"

#include <algorithm>

#include "../link.h"
#include "../quote_rewrite.h"
#include "mapping.h"
#include "send.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

// The number of the quoted segment, in the numbers of who sent its bytes. The message's checksum
// covers it, and the quoted one that the quote may reach.
template <typename Header>
void translate_quoted_sequence(Packet& packet, const Half& half) noexcept {
  const auto quoted = load<Header>(packet.data + quote_offset(packet));
  std::uint8_t* const tcp =
      packet.data + quote_offset(packet) + quoted_header_length(packet, quoted);
  const std::uint8_t* const end = packet.data + packet.l4_offset + packet.l4_length;
  constexpr std::size_t kSequence = offsetof(net::TcpHeader, sequence);
  constexpr std::size_t kChecksum = offsetof(net::TcpHeader, checksum);
  if (tcp + kSequence + sizeof(net::Big32) > end) return;
  const auto before = load<net::Big32>(tcp + kSequence);
  const net::Big32 after(to_sender(half, {before.host()}).value);
  net::ChecksumDelta message;
  message.change(before, after);
  store(tcp + kSequence, after);
  if (tcp + kChecksum + sizeof(net::Big16) <= end) {
    net::ChecksumDelta covered;
    covered.change(before, after);
    const auto sum = load<net::Big16>(tcp + kChecksum);
    const net::Big16 changed = covered.apply(sum);
    message.change(sum, changed);
    store(tcp + kChecksum, changed);
  }
  auto header = load<net::IcmpHeader>(packet.data + packet.l4_offset);
  header.checksum = message.apply(header.checksum);
  store(packet.data + packet.l4_offset, header);
}

template <typename Traits>
bool translate_error(Packet& packet, const Ends& ends, const Half& half) noexcept {
  using Address = typename Traits::Address;
  translate_quoted_sequence<typename Traits::Header>(packet, half);
  return translate_quote<Traits>(packet,
                                 {.source = load<Address>(ends.source.bytes.data()),
                                  .source_port = ends.source_port,
                                  .destination = load<Address>(ends.destination.bytes.data()),
                                  .destination_port = ends.destination_port});
}

// A router's word that segments of this size do not fit: what we split or send ourselves heeds it
// too (RFC 1191 section 4, RFC 8201 section 4).
void heed_size(const Packet& packet, Half& half) noexcept {
  constexpr std::uint8_t kUnreachable = 3;
  constexpr std::uint8_t kFragmentationNeeded = 4;
  constexpr std::uint8_t kPacketTooBig = 2;
  constexpr std::size_t kIpv4Least = 576;
  const std::uint8_t* const at = packet.data + packet.l4_offset;
  const bool ipv4 = packet.family == net::Family::kIpv4;
  const auto header = load<net::IcmpHeader>(at);
  if (ipv4 && (header.type != kUnreachable || header.code != kFragmentationNeeded)) return;
  if (!ipv4 && header.type != kPacketTooBig) return;
  const std::size_t told = ipv4 ? load<net::Big16>(at + 6).host() : load<net::Big32>(at + 4).host();
  const std::size_t mtu = std::max(told, ipv4 ? kIpv4Least : limits::kMinMtu);
  // A word of more than a packet can have is no news.
  if (mtu <= UINT16_MAX) half.mss = std::min(half.mss, segment_room(mtu, ipv4));
}

}  // namespace

Verdict splice_error(Packet& packet, SpliceTable::Number number, Context& context) noexcept {
  if (number == SpliceTable::kNone) return kSpliceOver;
  const bool to_backend = packet.direction == Direction::kToBackend;
  // Who sent the bytes that the error is about gets it.
  const Side sender = side_of(context.worker, number, !to_backend);
  const Connection& connection = sender.connection;
  const bool joined = connection.phase == SplicePhase::kOpen ||
                      (connection.phase == SplicePhase::kOver && connection.local.port != 0);
  if (!joined) return kSpliceOver;
  heed_size(packet, sender.data());
  const Ends ends = ends_to(sender, context);
  const bool alive = packet.family == net::Family::kIpv4
                         ? translate_error<Ipv4Traits>(packet, ends, sender.data())
                         : translate_error<Ipv6Traits>(packet, ends, sender.data());
  if (!alive) return kTtlExpired;
  if (!set_way(packet, sender, context)) return kNextHopUnresolved;
  count_packet(packet, !to_backend, connection.backend, context);
  return to_backend ? kForwardIcmp : kReturnIcmp;
}

}  // namespace hawser::pipeline
