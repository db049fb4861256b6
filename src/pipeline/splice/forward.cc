// Translates segments between the two sides of a spliced connection.
#include "forward.h"

#include <algorithm>
#include <cstring>

#include "../link.h"
#include "../nat_rewrite.h"
#include "own.h"
#include "read.h"
#include "send.h"
#include "timestamps.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

// --- the header ----------------------------------------------------------------------------------

// Writes four bytes anywhere in the TCP header, with what that does to the checksum, whose words
// are counted from the header's begin.
void change(std::uint8_t* tcp, std::size_t at, std::uint32_t value,
            net::ChecksumDelta& delta) noexcept {
  if (at % 2 == 0) [[likely]] {
    const net::Big32 after(value);
    delta.change(load<net::Big32>(tcp + at), after);
    store(tcp + at, after);
    return;
  }
  const std::size_t begin = at & ~std::size_t{1};
  const std::size_t words = (at + 4 - begin + 1) / 2;
  std::array<net::Big16, 3> before{};
  for (std::size_t i = 0; i < words; ++i) before[i] = load<net::Big16>(tcp + begin + 2 * i);
  store(tcp + at, net::Big32(value));
  for (std::size_t i = 0; i < words; ++i) {
    delta.change(before[i], load<net::Big16>(tcp + begin + 2 * i));
  }
}

[[nodiscard]] std::uint32_t number_at(const std::uint8_t* tcp, std::size_t at) noexcept {
  return load<net::Big32>(tcp + at).host();
}

// The newer of two times (RFC 7323 section 3).
std::uint32_t newer(std::uint32_t a, std::uint32_t b) noexcept {
  return static_cast<std::int32_t>(a - b) > 0 ? a : b;
}

// What was held is older than what went before it, and would be taken for a segment of an earlier
// connection (PAWS, RFC 7323 section 5): it gets the newest time that its sender has shown.
// Backends that did not agree to timestamps get none.
void translate_timestamps(std::uint8_t* tcp, std::size_t at, const Side& sender, bool late,
                          net::ChecksumDelta& delta) noexcept {
  const std::uint32_t shift = sender.connection.timestamp_shift;
  Exchange& exchange = sender.exchange;
  if (sender.from_client && !sender.connection.server_timestamps) {
    constexpr std::uint32_t kNops = 0x01010101;
    exchange.client_timestamp = newer(number_at(tcp, at + 2), exchange.client_timestamp);
    for (const std::size_t part : {at, at + 4, at + 6}) change(tcp, part, kNops, delta);
  } else if (sender.from_client) {
    exchange.client_timestamp = newer(number_at(tcp, at + 2), exchange.client_timestamp);
    change(tcp, at + 2, exchange.client_timestamp, delta);
    const std::uint32_t echo = late ? exchange.sent_timestamp : number_at(tcp, at + 6);
    change(tcp, at + 6, echo - shift, delta);
  } else {
    exchange.sent_timestamp = newer(number_at(tcp, at + 2) + shift, exchange.sent_timestamp);
    change(tcp, at + 2, exchange.sent_timestamp, delta);
  }
}

void translate_sack(std::uint8_t* tcp, std::size_t at, std::size_t bytes, const Half& reverse,
                    net::ChecksumDelta& delta) noexcept {
  for (std::size_t edge = at + 2; edge + 4 <= at + bytes; edge += 4) {
    change(tcp, edge, to_sender(reverse, {number_at(tcp, edge)}).value, delta);
  }
}

// Timestamps and selective acknowledgements (RFC 7323, RFC 2018); the options were read before, so
// they are well-formed or none.
void translate_options(std::uint8_t* tcp, const Segment& segment, const Side& sender, bool late,
                       net::ChecksumDelta& delta) noexcept {
  if (!segment.options.timestamps && segment.options.sack_blocks == 0) return;
  if (late) l4::blank_sack({tcp, segment.header}, delta);
  std::size_t at = sizeof(net::TcpHeader);
  while (at + 1 < segment.header) {
    const std::uint8_t kind = tcp[at];
    if (kind == l4::kTcpOptionEnd) return;
    if (kind == l4::kTcpOptionNop) {
      ++at;
      continue;
    }
    const std::size_t length = tcp[at + 1];
    if (length < 2 || at + length > segment.header) return;
    if (kind == l4::kTcpOptionTimestamps && length == 10) {
      translate_timestamps(tcp, at, sender, late, delta);
    } else if (kind == l4::kTcpOptionSack) {
      translate_sack(tcp, at, length, sender.reverse(), delta);
    }
    at += length;
  }
}

// The window in the units that the other side was told. Its right edge never moves back, and what
// was open stays open by at least one unit.
std::uint16_t translate_window(const Segment& segment, Sequence acknowledged,
                               const Side& sender) noexcept {
  Half& reverse = sender.reverse();
  const std::uint32_t window = std::uint32_t{segment.window} << window_unit_of(sender);
  Sequence right = to_sender(reverse, segment.acknowledgement + window);
  if (right < acknowledged) right = acknowledged;
  const std::uint8_t unit = window_unit_to(sender.other());
  std::uint32_t units = (right - acknowledged) >> unit;
  if (acknowledged + (units << unit) < reverse.edge) {
    units = ((reverse.edge - acknowledged) + (1U << unit) - 1) >> unit;
  }
  if (segment.window != 0) units = std::max<std::uint32_t>(units, 1);
  units = std::min<std::uint32_t>(units, UINT16_MAX);
  reverse.edge = acknowledged + (units << unit);
  return static_cast<std::uint16_t>(units);
}

// Sequence, acknowledgement, window and options; all in one delta.
void translate_tcp(Packet& packet, const Segment& segment, Sequence sequence,
                   const Side& sender) noexcept {
  std::uint8_t* const at = packet.data + packet.l4_offset;
  net::ChecksumDelta delta;
  bool late = false;
  change(at, offsetof(net::TcpHeader, sequence), sequence.value, delta);
  if (segment.has(net::kTcpAck)) {
    Half& reverse = sender.reverse();
    Sequence acknowledged = to_sender(reverse, segment.acknowledgement);
    if (!sender.from_client && acknowledged < sender.connection.base) {
      acknowledged = sender.connection.base;
    }
    // A segment that was held, or overtaken, may know less than its receiver does: what it says may
    // even be about the backend before.
    late = acknowledged < reverse.acked;
    if (late) acknowledged = reverse.acked;
    if (reverse.buffer != 0 && acknowledged < told(reverse)) acknowledged = told(reverse);
    change(at, offsetof(net::TcpHeader, acknowledgement), acknowledged.value, delta);
    if (!segment.has(net::kTcpRst)) {
      const net::Big16 window(translate_window(segment, acknowledged, sender));
      std::uint8_t* const field = at + offsetof(net::TcpHeader, window);
      delta.change(load<net::Big16>(field), window);
      store(field, window);
    }
  }
  translate_options(at, segment, sender, late, delta);
  update_transport_checksum(packet, delta);
}

// As ends_to has them, from where they lie: an IpAddress is copied in pieces.
template <typename Traits>
bool translate_addresses(Packet& packet, const Side& receiver, const Context& context) noexcept {
  using Address = typename Traits::Address;
  const auto read = [](const auto& bytes) { return load<Address>(bytes.data()); };
  const Connection& connection = receiver.connection;
  const Snapshot& snapshot = context.snapshot;
  if (receiver.from_client) {
    const ServiceEntry& service = snapshot.services[connection.service.value];
    return translate<Traits>(packet, {.source = read(service.address.bytes),
                                      .source_port = service.port,
                                      .destination = read(connection.client),
                                      .destination_port = connection.client_port});
  }
  const BackendEntry& backend = snapshot.backends[connection.backend.value];
  return translate<Traits>(packet,
                           {.source = read(snapshot.nat_addresses[connection.local.address].bytes),
                            .source_port = net::Big16(connection.local.port),
                            .destination = read(backend.address.bytes),
                            .destination_port = backend.port});
}

// The whole header; the payload lies behind it as it came.
Verdict translate_header(Packet& packet, const Segment& segment, Sequence sequence,
                         const Side& sender, Context& context) noexcept {
  const Side receiver = sender.other();
  const bool alive = packet.family == net::Family::kIpv4
                         ? translate_addresses<Ipv4Traits>(packet, receiver, context)
                         : translate_addresses<Ipv6Traits>(packet, receiver, context);
  if (!alive) return kTtlExpired;
  translate_tcp(packet, segment, sequence, sender);
  return set_way(packet, receiver, context) ? kUndecided : kNextHopUnresolved;
}

Verdict forwarded(const Side& sender) noexcept {
  return sender.from_client ? kForwardSplice : kReturnSplice;
}

// --- splitting -----------------------------------------------------------------------------------

// Makes `piece`, whose headers are those of a translated segment, carry other bytes.
void become_piece(Packet& piece, const Segment& segment, Sequence sequence, std::size_t payload,
                  std::uint8_t flags) noexcept {
  std::uint8_t* const ip = piece.data + piece.l3_offset;
  std::uint8_t* const at = piece.data + piece.l4_offset;
  piece.l4_length = static_cast<std::uint16_t>(segment.header + payload);
  piece.length = static_cast<std::uint16_t>(piece.l4_offset + piece.l4_length);
  piece.contiguous = piece.length;
  auto tcp = load<net::TcpHeader>(at);
  tcp.sequence = net::Big32(sequence.value);
  tcp.flags = flags;
  tcp.checksum = {};
  store(at, tcp);
  net::IpAddress source;
  net::IpAddress destination;
  if (piece.family == net::Family::kIpv4) {
    auto header = load<net::Ipv4Header>(ip);
    header.total_length =
        net::Big16(static_cast<std::uint16_t>(piece.l4_offset - piece.l3_offset + piece.l4_length));
    header.checksum = {};
    store(ip, header);
    header.checksum = net::checksum({ip, header.header_length()});
    store(ip, header);
    source = header.source;
    destination = header.destination;
  } else {
    auto header = load<net::Ipv6Header>(ip);
    header.payload_length =
        net::Big16(static_cast<std::uint16_t>(piece.length - piece.l3_offset - sizeof(header)));
    store(ip, header);
    source = header.source;
    destination = header.destination;
  }
  store(at + offsetof(net::TcpHeader, checksum),
        net::checksum(
            {at, piece.l4_length},
            net::pseudo_header_sum(source, destination, net::kProtocolTcp, piece.l4_length)));
}

Packet* copy_of(const Packet& packet, Verdict verdict, Context& context) noexcept {
  Packet* copy = context.worker.outbox.make(verdict);
  if (copy == nullptr) return nullptr;
  if (copy->capacity < packet.length) {
    copy->verdict = kNoBuffer;
    return nullptr;
  }
  const Packet spare = *copy;
  *copy = packet;
  copy->data = spare.data;
  copy->handle = spare.handle;
  copy->capacity = spare.capacity;
  copy->verdict = verdict;
  std::memcpy(copy->data, packet.data, packet.length);
  return copy;
}

std::size_t piece_bytes(const Segment& segment, const Half& data) noexcept {
  const std::size_t options = segment.header - sizeof(net::TcpHeader);
  return data.mss > options + 64 ? data.mss - options : 64;
}

// Sends [from, to) of the payload as pieces of the receiver's size. The last one is the packet
// itself, since the others are made from it.
Verdict forward_pieces(Packet& packet, const Segment& segment, std::uint32_t from, std::uint32_t to,
                       const Side& sender, Context& context) noexcept {
  const Half& data = sender.data();
  const Sequence first = to_receiver(data, segment.sequence + from);
  const std::size_t total = to_receiver(data, segment.sequence + to) - first;
  const std::size_t most = piece_bytes(segment, data);
  std::array<std::uint8_t, limits::kMaxFrame + limits::kTextBytes> bytes;
  if (total > bytes.size()) return kTooBig;
  compose(data, segment.sequence + from, payload_of(packet, segment).subspan(from, to - from),
          first, {bytes.data(), total}, context.worker);
  const auto last_flags = static_cast<std::uint8_t>(
      to == segment.payload ? segment.flags : segment.flags & ~net::kTcpFin);
  const auto flags = static_cast<std::uint8_t>(segment.flags & ~(net::kTcpFin | net::kTcpPsh));
  if (const Verdict failed = translate_header(packet, segment, first, sender, context);
      failed != kUndecided) {
    return failed;
  }
  std::size_t at = 0;
  for (; total - at > most; at += most) {
    packet.length = static_cast<std::uint16_t>(packet.l4_offset + segment.header);
    Packet* piece = copy_of(packet, forwarded(sender), context);
    if (piece == nullptr) return kNoBuffer;  // its sender will send all of it again
    std::memcpy(piece->data + piece->l4_offset + segment.header, bytes.data() + at, most);
    become_piece(*piece, segment, first + static_cast<std::uint32_t>(at), most, flags);
    count_packet(*piece, !sender.from_client, sender.connection.backend, context);
  }
  if (packet.capacity < packet.l4_offset + segment.header + (total - at)) return kNoBuffer;
  std::memcpy(packet.data + packet.l4_offset + segment.header, bytes.data() + at, total - at);
  become_piece(packet, segment, first + static_cast<std::uint32_t>(at), total - at, last_flags);
  count_packet(packet, !sender.from_client, sender.connection.backend, context);
  return forwarded(sender);
}

}  // namespace

std::span<const std::uint8_t> edit_of(const Half& half, WorkerState& worker) noexcept {
  return worker.splice.texts.at(half.edit).first(half.edit_length);
}

void compose(const Half& half, Sequence bytes_at, std::span<const std::uint8_t> bytes, Sequence at,
             std::span<std::uint8_t> out, WorkerState& worker) noexcept {
  const Sequence first = to_receiver(half, bytes_at);
  const bool has_edit = half.edit_length != 0 && half.edit_at >= bytes_at &&
                        half.edit_at < bytes_at + static_cast<std::uint32_t>(bytes.size());
  std::size_t skip = at - first;
  std::size_t written = 0;
  const auto put = [&](std::span<const std::uint8_t> part) {
    if (skip >= part.size()) {
      skip -= part.size();
      return;
    }
    part = part.subspan(skip);
    skip = 0;
    const std::size_t count = std::min(part.size(), out.size() - written);
    if (count != 0) std::memcpy(out.data() + written, part.data(), count);
    written += count;
  };
  if (!has_edit) {
    put(bytes);
    return;
  }
  const std::size_t before = half.edit_at - bytes_at;
  put(bytes.first(before));
  put(edit_of(half, worker));
  put(bytes.subspan(before));
}

Verdict forward_range(Packet& packet, const Segment& segment, std::uint32_t from, std::uint32_t to,
                      bool keep, const Side& sender, Context& context) noexcept {
  Half& data = sender.data();
  Sequence begin = segment.sequence + from;
  const Sequence end = segment.sequence + to;
  const bool finishes = segment.has(net::kTcpFin) && to == segment.payload;
  if (keep) {
    Packet* copy = copy_of(packet, kNoBuffer, context);
    if (copy == nullptr) return kNoBuffer;
    copy->verdict = forward_range(*copy, segment, from, to, false, sender, context);
    return copy->verdict;
  }
  const bool edited =
      data.edit_length != 0 && from < to && data.edit_at >= begin && data.edit_at < end;
  const PortId out = sender.from_client
                         ? context.snapshot.backends[sender.connection.backend.value].port_out
                         : PortId(sender.connection.client_port_id);
  // The client does not know what the backend takes, nor the backend what was added to its options.
  const bool fits = l3_length(packet) <= context.snapshot.ports[out.value].mtu &&
                    segment.payload <= piece_bytes(segment, data);
  Verdict verdict = kUndecided;
  // A bare acknowledgement may lie behind bytes that are held, and would announce them.
  const bool bare = from == to && !finishes;
  if (bare && begin > data.end) begin = data.end;
  if (from == 0 && to == segment.payload && !edited && fits) [[likely]] {
    verdict = translate_header(packet, segment, to_receiver(data, begin), sender, context);
    if (verdict == kUndecided) {
      verdict = forwarded(sender);
      count_packet(packet, !sender.from_client, sender.connection.backend, context);
    }
  } else if (!is_intact(packet)) {
    verdict = kTransportBadChecksum;  // a new checksum would hide it
  } else {
    verdict = forward_pieces(packet, segment, from, to, sender, context);
  }
  const Sequence passed = end + (finishes ? 1U : 0U);
  // Of what was split, some may have left even when a buffer was missing for the rest.
  if (!bare && (kind_of(verdict) == VerdictKind::kForward || verdict == kNoBuffer)) {
    if (passed > data.end) data.end = passed;
    if (finishes) data.fin = true;
  }
  return verdict;
}

void drop_front(Packet& packet, Segment& segment, std::uint32_t bytes) noexcept {
  std::uint8_t* const payload = packet.data + packet.l4_offset + segment.header;
  segment.sequence = segment.sequence + bytes;
  segment.payload -= bytes;
  std::memmove(payload, payload + bytes, segment.payload);
  become_piece(packet, segment, segment.sequence, segment.payload, segment.flags);
}

bool take_acknowledgement(const Side& receiver, Sequence acknowledgement,
                          Context& context) noexcept {
  Half& half = receiver.reverse();
  if (half.edit_length != 0 && acknowledgement >= half.edit_at + half.shift + half.edit_length) {
    half.shift += half.edit_length;
    context.worker.splice.texts.release(half.edit);
    half.edit = 0;
    half.edit_length = 0;
  }
  const Sequence acked = to_sender(half, acknowledgement);
  if (acked <= half.acked) return false;
  half.acked = acked;
  if (half.owns) {
    receiver.connection.attempts = 0;
    release_owned(receiver.other(), context);
  }
  if (!receiver.from_client) {
    // Comparisons with the first byte must not wrap.
    Sequence& base = receiver.connection.base;
    if (acked - base > limits::kKnownAhead && acked > base) base = acked - limits::kKnownAhead / 2;
  }
  return true;
}

}  // namespace hawser::pipeline
