// The segments of a connection that opens: PROXY protocol by sequence arithmetic, and TOA.
#include "opening.h"

#include <algorithm>

#include "hawser/l4/proxy_header.h"
#include "hawser/l4/tcp_options.h"
#include "hawser/l4/toa.h"
#include "link.h"
#include "nat_rewrite.h"
#include "own_packet.h"
#include "proxy_segment.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;
using l4::Sequence;
using table::Opening;
using table::OpeningPhase;

std::size_t ordinal_of(const Packet& packet, const WorkerState& worker) noexcept {
  return worker.nat.ordinal({packet.nat_address, packet.nat_port});
}

net::TcpHeader tcp_of(const Packet& packet) noexcept {
  return load<net::TcpHeader>(packet.data + packet.l4_offset);
}

std::span<std::uint8_t> tcp_bytes(const Packet& packet) noexcept {
  return {packet.data + packet.l4_offset, tcp_of(packet).header_length()};
}

// Options of a segment whose header lies in one piece; none otherwise, or when they are malformed.
l4::TcpOptions options_of(const Packet& packet) noexcept {
  const auto header = tcp_bytes(packet);
  if (packet.contiguous < packet.l4_offset + header.size()) return {};
  return l4::read_tcp_options(header.subspan(sizeof(net::TcpHeader))).value_or(l4::TcpOptions{});
}

std::uint32_t payload_of(const Packet& packet) noexcept {
  return packet.l4_length - tcp_of(packet).header_length();
}

void set_sequence(Packet& packet, Sequence sequence) noexcept {
  net::TcpHeader tcp = tcp_of(packet);
  net::ChecksumDelta delta;
  const net::Big32 changed(sequence.value);
  delta.change(tcp.sequence, changed);
  tcp.sequence = changed;
  store(packet.data + packet.l4_offset, tcp);
  update_transport_checksum(packet, delta);
}

void set_acknowledgement(Packet& packet, Sequence acknowledgement) noexcept {
  net::TcpHeader tcp = tcp_of(packet);
  net::ChecksumDelta delta;
  const net::Big32 changed(acknowledgement.value);
  delta.change(tcp.acknowledgement, changed);
  tcp.acknowledgement = changed;
  store(packet.data + packet.l4_offset, tcp);
  update_transport_checksum(packet, delta);
}

// First byte of the client after its SYN; a header lies before it.
Sequence client_begin(const Opening& opening) noexcept {
  return opening.client_isn + 1;
}

// Data in a SYN (RFC 7413) would lie where the header goes; the client sends it again.
void cut_payload(Packet& packet) noexcept {
  const std::uint32_t payload = payload_of(packet);
  if (payload == 0) return;
  if (packet.contiguous < packet.l4_offset + packet.l4_length) return;
  const std::uint64_t cut =
      net::sum_bytes({packet.data + packet.l4_offset + tcp_of(packet).header_length(), payload});
  net::ChecksumDelta transport;
  transport.change(net::Big16::from_raw(net::fold(cut)), net::Big16());
  shrink(packet, payload, transport);
  update_transport_checksum(packet, transport);
}

// What the client is sent as the backend's SYN-ACK.
void remember_answer(const net::TcpHeader& tcp, const l4::TcpOptions& options,
                     Opening& opening) noexcept {
  opening.answer_flags = tcp.flags;
  opening.answer_window = tcp.window.host();
  opening.answer_mss = options.mss.value_or(0);
  opening.answer_sack = options.sack_permitted;
  opening.answer_scaled = options.window_scale.has_value();
  opening.answer_scale = options.window_scale.value_or(0);
}

OwnSegment answer_of(const Opening& opening) noexcept {
  OwnSegment answer;
  answer.sequence = opening.server_next - 1U;
  answer.acknowledgement = client_begin(opening);
  answer.flags = opening.answer_flags;
  answer.window = opening.answer_window;
  answer.mss = opening.answer_mss;
  answer.sack = opening.answer_sack;
  if (opening.timestamps) answer.timestamps = {opening.timestamp_echo, opening.timestamp};
  if (opening.answer_scaled) answer.window_scale = opening.answer_scale;
  return answer;
}

// The client has the SYN-ACK. What is delivered need not be remembered for long then.
void note_joined(Opening& opening, Context& context) noexcept {
  if (opening.client_joined || opening.phase == OpeningPhase::kSyn) return;
  opening.client_joined = true;
  if (opening.phase == OpeningPhase::kDelivered) {
    context.worker.openings.arm(opening, context.now_ms + limits::kDeliveredMilliseconds);
  }
}

void add_toa(Packet& packet, std::size_t room) noexcept {
  const net::IpAddress client = packet.family == net::Family::kIpv4
                                    ? net::IpAddress(source_address<Ipv4Traits>(packet))
                                    : net::IpAddress(source_address<Ipv6Traits>(packet));
  const std::size_t bytes = l4::toa_length(client.family);
  const std::size_t header = tcp_of(packet).header_length();
  if (!l4::option_fits(header, bytes) || l3_length(packet) + bytes > room) return;
  std::array<std::uint8_t, l4::kToaIpv6> option{};
  const std::size_t length = l4::write_toa(option, client, packet.source_port);
  net::ChecksumDelta transport;
  insert_option(packet, {option.data(), length}, transport);
  update_transport_checksum(packet, transport);
}

}  // namespace

bool begin_opening(const Packet& syn, const ServiceEntry& service, Context& context) noexcept {
  WorkerState& worker = context.worker;
  const std::size_t ordinal = ordinal_of(syn, worker);
  Opening* opening = worker.openings.find(ordinal);
  if (opening == nullptr) {
    opening = worker.openings.add(ordinal, {syn.nat_address, syn.nat_port});
  }
  if (opening == nullptr) return false;
  const net::TcpHeader tcp = tcp_of(syn);
  const l4::TcpOptions options = options_of(syn);
  opening->service = syn.service;
  opening->client_isn = {tcp.sequence.host()};
  opening->phase = OpeningPhase::kSyn;
  opening->attempts = 0;
  opening->client_joined = false;
  opening->window = tcp.window.host();
  opening->window_shift = options.window_scale.value_or(0);
  opening->timestamps = options.timestamps.has_value();
  opening->timestamp = options.timestamps.value_or(l4::TcpTimestamps{}).value;
  opening->header_bytes = service.client_address == model::ClientAddress::kProxyV2
                              ? static_cast<std::uint8_t>(l4::proxy_header_length(syn.family))
                              : std::uint8_t{0};
  worker.openings.arm(*opening, context.now_ms + limits::kOpeningMilliseconds);
  return true;
}

Verdict answer_again(Packet& packet, const ServiceEntry& service, Context& context) noexcept {
  if (packet.part != Part::kWhole || !is_pure_syn(packet)) return kUndecided;
  Opening* opening = context.worker.openings.find(ordinal_of(packet, context.worker));
  if (opening == nullptr || opening->header_bytes == 0) return kUndecided;
  if (Sequence{tcp_of(packet).sequence.host()} != opening->client_isn) return kUndecided;
  const auto timestamps = options_of(packet).timestamps;
  if (timestamps && static_cast<std::int32_t>(timestamps->value - opening->timestamp) > 0) {
    opening->timestamp = timestamps->value;
  }
  if (opening->phase == OpeningPhase::kSyn || opening->client_joined) return kUndecided;
  if (packet.capacity < kBareSegment) return kNoBuffer;
  const table::NatRecord& record = context.worker.nat.record(opening->local);
  net::IpAddress client;
  client.bytes = record.client;
  client.family = packet.family;
  const Ends ends{.source = service.address,
                  .destination = client,
                  .source_port = service.port,
                  .destination_port = record.client_port};
  static_cast<void>(begin_segment(packet, ends, answer_of(*opening), 0));
  finish_segment(packet, ends);
  return kReturnNat;
}

void introduce_to_backend(Packet& packet, const ServiceEntry& service, std::size_t room,
                          Context& context) noexcept {
  if (packet.part != Part::kWhole) return;
  const std::size_t ordinal = ordinal_of(packet, context.worker);
  Opening* opening = context.worker.openings.find(ordinal);
  if (opening == nullptr) return;
  const net::TcpHeader tcp = tcp_of(packet);
  const Sequence sequence{tcp.sequence.host()};
  const bool syn = (tcp.flags & net::kTcpSyn) != 0;
  const bool reset = (tcp.flags & net::kTcpRst) != 0;
  if (!syn) note_joined(*opening, context);
  if (syn && sequence != opening->client_isn) {
    // The client begins anew before the backend has answered; later, the backend will object.
    if (opening->phase != OpeningPhase::kSyn) return;
    static_cast<void>(begin_opening(packet, service, context));
  }
  if (service.client_address == model::ClientAddress::kToa) {
    if (syn || reset || opening->phase == OpeningPhase::kSyn) return;
    if (Sequence{tcp.acknowledgement.host()} <= opening->server_next) {
      add_toa(packet, room);
    } else {
      context.worker.openings.release(ordinal);  // the backend has its socket, and has spoken
    }
    return;
  }
  if (syn) {
    cut_payload(packet);
    set_sequence(packet, sequence - opening->header_bytes);
  } else if (reset && opening->phase != OpeningPhase::kDelivered &&
             sequence == client_begin(*opening)) {
    // The backend waits for the header: a reset is believed there only (RFC 5961 section 3.2).
    set_sequence(packet, sequence - opening->header_bytes);
  }
}

Verdict hear_backend(Packet& packet, Context& context) noexcept {
  if (packet.part != Part::kWhole) return kUndecided;
  Opening* opening = context.worker.openings.find(ordinal_of(packet, context.worker));
  if (opening == nullptr) return kUndecided;
  const net::TcpHeader tcp = tcp_of(packet);
  const bool syn = (tcp.flags & net::kTcpSyn) != 0;
  const bool acknowledges = (tcp.flags & net::kTcpAck) != 0;
  if (syn && acknowledges) {
    const l4::TcpOptions options = options_of(packet);
    opening->server_next = Sequence{tcp.sequence.host()} + 1;
    opening->timestamps = opening->timestamps && options.timestamps.has_value();
    opening->timestamp_echo = options.timestamps.value_or(l4::TcpTimestamps{}).value;
    remember_answer(tcp, options, *opening);
    if (!options.window_scale) opening->window_shift = 0;
    if (opening->phase == OpeningPhase::kSyn) opening->phase = OpeningPhase::kDelivering;
  }
  if (opening->header_bytes == 0 || !acknowledges) return kUndecided;
  const Sequence acknowledged{tcp.acknowledgement.host()};
  const Sequence begin = client_begin(*opening);
  if (acknowledged >= begin) {
    if (opening->phase == OpeningPhase::kDelivering) {
      opening->phase = OpeningPhase::kDelivered;
      // The backend has its connection and repeats no SYN-ACK any more: only we still can.
      const bool waits = !opening->client_joined && !context.worker.openings.is_crowded();
      context.worker.openings.arm(
          *opening,
          context.now_ms + (waits ? limits::kOpeningMilliseconds : limits::kDeliveredMilliseconds));
    }
    return kUndecided;
  }
  const bool nothing_else =
      (tcp.flags & (net::kTcpSyn | net::kTcpFin | net::kTcpRst)) == 0 && payload_of(packet) == 0;
  if (nothing_else) return kOpeningAcknowledgement;
  set_acknowledgement(packet, begin);
  net::ChecksumDelta delta;
  if (packet.contiguous >= packet.l4_offset + tcp.header_length() &&
      l4::blank_sack(tcp_bytes(packet), delta)) {
    update_transport_checksum(packet, delta);
  }
  if (syn && opening->phase == OpeningPhase::kDelivering) send_header(*opening, context);
  return kUndecided;
}

void tick_openings(Context& context) noexcept {
  WorkerState& worker = context.worker;
  worker.openings.expire(context.now_ms, [&](Opening& opening) {
    const bool again = opening.header_bytes != 0 && opening.phase == OpeningPhase::kDelivering;
    if (again && opening.attempts < limits::kProxyHeaderAttempts) {
      send_header(opening, context);
      return;
    }
    if (again) worker.proxy_header_lost.add(1);
    worker.openings.release(worker.nat.ordinal(opening.local));
  });
}

}  // namespace hawser::pipeline
