// Answers SYNs without state, and begins connections at their first data.
#include "open.h"

#include <algorithm>

#include "../admission.h"
#include "../flows.h"
#include "answer.h"
#include "finish.h"
#include "hawser/l4/syn_cookie.h"
#include "mapping.h"
#include "own.h"
#include "read.h"
#include "send.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

l4::SynTuple tuple_of(const Packet& packet) noexcept {
  const bool ipv4 = packet.family == net::Family::kIpv4;
  return {.client = ipv4 ? net::IpAddress(source_address<Ipv4Traits>(packet))
                         : net::IpAddress(source_address<Ipv6Traits>(packet)),
          .service = destination(packet),
          .client_port = packet.source_port,
          .service_port = packet.destination_port};
}

// Segments must fit every way that the connection may take.
std::uint16_t room_of(const Packet& packet, const ServiceEntry& service,
                      const Context& context) noexcept {
  const bool ipv4 = packet.family == net::Family::kIpv4;
  return std::min(segment_room(packet.port_in, ipv4, context),
                  segment_room(service.splice->mtu, ipv4));
}

Verdict answer_syn(Packet& packet, const Segment& segment, const Context& context) noexcept {
  const ServiceEntry& service = context.snapshot.services[packet.service.value];
  constexpr std::uint16_t kDefaultIpv4 = 536;  // RFC 9293 section 3.7.1
  constexpr std::uint16_t kDefaultIpv6 = 1220;
  const std::uint16_t unsaid = packet.family == net::Family::kIpv4 ? kDefaultIpv4 : kDefaultIpv6;
  const l4::SynOffer offer{.mss = segment.options.mss.value_or(unsaid),
                           .window_scale = segment.options.window_scale,
                           .sack = segment.options.sack_permitted,
                           .timestamps = segment.options.timestamps.has_value()};
  const l4::SynAnswer answer =
      l4::make_syn_cookie(context.snapshot.splice_keys.syn, tuple_of(packet), segment.sequence,
                          offer, l4::syn_window(context.unix_seconds));
  OwnSegment own;
  own.sequence = answer.sequence;
  own.acknowledgement = segment.sequence + 1;
  own.flags = net::kTcpSyn | net::kTcpAck;
  own.window = limits::kReadingWindow;
  own.mss = room_of(packet, service, context);
  own.sack = answer.kept.sack;
  if (answer.kept.window_scale) own.window_scale = limits::kOfferedWindowScale;
  if (offer.timestamps) {
    own.timestamps = {answer.timestamp, segment.options.timestamps->value};
  }
  return reply(packet, own, kReplySynCookie, context);
}

std::optional<l4::SynOffer> agreed(const Packet& packet, const Segment& segment, std::uint32_t back,
                                   const Context& context) noexcept {
  std::optional<std::uint32_t> echo;
  if (segment.options.timestamps) echo = segment.options.timestamps->echo;
  return l4::check_syn_cookie(context.snapshot.splice_keys.syn, tuple_of(packet),
                              segment.sequence - 1U - back, segment.acknowledgement - 1U - back,
                              echo, l4::syn_window(context.unix_seconds));
}

// --- the record ----------------------------------------------------------------------------------

void fill_identity(const Packet& packet, Connection& connection, const Context& context) noexcept {
  const net::IpAddress client = tuple_of(packet).client;
  const PortEntry& port = context.snapshot.ports[packet.port_in.value];
  connection.client = client.bytes;
  connection.client_port = packet.source_port;
  connection.service = packet.service;
  connection.client_mac = load<net::EthernetHeader>(packet.data).source;
  connection.client_port_id = static_cast<std::uint8_t>(packet.port_in.value);
  connection.by_gateway = port.gateway(packet.family).has_value() && !port.is_on_link(client);
  connection.ipv4 = client.is_ipv4();
  connection.seen = context.now;
}

void fill_halves(const Packet& packet, const Segment& segment, const l4::SynOffer& offer,
                 const Side& client, const Context& context) noexcept {
  Connection& connection = client.connection;
  const ServiceEntry& service = context.snapshot.services[packet.service.value];
  connection.timestamps = offer.timestamps;
  connection.sack = offer.sack;
  connection.base = segment.sequence;
  Half& up = connection.up;
  up.next = up.end = up.acked = up.own_at = segment.sequence;
  up.edge = segment.sequence + limits::kReadingWindow;
  up.mss = room_of(packet, service, context);
  Half& down = connection.down;
  down.next = down.end = down.acked = down.own_at = segment.acknowledgement;
  down.scaled = offer.window_scale.has_value();
  down.shift_count = offer.window_scale.value_or(0);
  down.mss = std::min(offer.mss, room_of(packet, service, context));
  down.edge = segment.acknowledgement + (std::uint32_t{segment.window} << down.shift_count);
  down.limit = down.edge;
  if (segment.options.timestamps) {
    client.exchange.client_timestamp = segment.options.timestamps->value;
    client.exchange.sent_timestamp = segment.options.timestamps->echo;
  }
}

template <typename Traits, typename Table>
bool record_flow(const Packet& packet, Table& flows, std::uint32_t number,
                 Context& context) noexcept {
  const auto key =
      key_of<Table>(source_address<Traits>(packet), packet.source_port, packet.service);
  const table::FlowMeta meta(context.now, l4::FlowState::kSpliced, BackendId(), number);
  return make_room(flows, key, packet.hash, meta, context) != nullptr;
}

// A new connection; none when no record is free.
std::optional<SpliceTable::Number> add(const Packet& packet, Context& context) noexcept {
  WorkerState& worker = context.worker;
  const auto number = worker.splice.connections.add();
  if (number == SpliceTable::kNone) return std::nullopt;
  fill_identity(packet, worker.splice.connections.at(number), context);
  const bool recorded = packet.family == net::Family::kIpv4
                            ? record_flow<Ipv4Traits>(packet, worker.ipv4, number, context)
                            : record_flow<Ipv6Traits>(packet, worker.ipv6, number, context);
  if (!recorded) {
    worker.splice.connections.release(number);
    return std::nullopt;
  }
  worker.service_flows[packet.service.value].add(1);
  return number;
}

Refusal refusal_of(const Packet& packet, const ServiceEntry& service, Context& context) noexcept {
  if (!is_within_source_rate(packet, service, context)) return Refusal::kSourceRate;
  if (is_full(packet.service, service, context.worker)) return Refusal::kServiceFull;
  if (!is_within_new_flow_rate(packet.service, service, context)) return Refusal::kNewFlowRate;
  return Refusal::kNone;
}

Answer refused(Refusal refusal, const ServiceEntry& service) noexcept {
  Answer answer = answer_with(refusal);
  if (service.splice->layer7 == model::Layer7::kTls) answer.status = 0;
  return answer;
}

// The first data. Whatever it comes to without a backend needs no record: the same data brings the
// same answer again.
Verdict begin(Packet& packet, const Segment& segment, const l4::SynOffer& offer,
              Context& context) noexcept {
  const ServiceEntry& service = context.snapshot.services[packet.service.value];
  const auto answer_now = [&](const Answer& answer) {
    return answer_stateless(packet, segment, answer, offer.window_scale.has_value(), context);
  };
  if (!is_intact(packet)) return kTransportBadChecksum;
  if (const Refusal refusal = refusal_of(packet, service, context); refusal != Refusal::kNone) {
    return answer_now(refused(refusal, service));
  }
  const auto number = add(packet, context);
  if (!number) return answer_now(refused(Refusal::kNoRoom, service));
  const Side client = side_of(context.worker, *number, true);
  client.connection.phase = SplicePhase::kReading;
  fill_halves(packet, segment, offer, client, context);
  const Reading reading = read(packet, segment, client, context);
  switch (reading.read) {
    case Read::kPlaced:
    case Read::kHold:
      return hold(packet, segment, client, context.worker);
    case Read::kTaken: {
      if (segment.has(net::kTcpFin) && client.connection.phase == SplicePhase::kReading) {
        const Verdict verdict = answer_now(answer_with(Refusal::kHeadCut));
        forget_connection(*number, context);
        return verdict;
      }
      return taken(packet, segment, client, context);
    }
    case Read::kAnswered: {
      const Verdict verdict = answer_now(reading.answer);
      forget_connection(*number, context);
      return verdict;
    }
    case Read::kReset:
      break;
  }
  forget_connection(*number, context);
  return kReplyReset;
}

// The client closes without having asked anything.
Verdict finish_unused(Packet& packet, const Segment& segment, const l4::SynOffer& offer,
                      const Context& context) noexcept {
  OwnSegment own;
  own.sequence = segment.acknowledgement;
  own.acknowledgement = segment.sequence + 1;
  own.flags = net::kTcpFin | net::kTcpAck;
  own.window = reading_window(offer.window_scale.has_value());
  if (segment.options.timestamps) {
    own.timestamps = {segment.options.timestamps->echo, segment.options.timestamps->value};
  }
  return reply(packet, own, kReplyFinish, context);
}

// Data or a FIN that returns no cookie.
Verdict turn_away(const Packet& packet, Context& context) noexcept {
  const bool persistent =
      context.worker.splice.strangers.is_persistent(packet.hash, context.now_ms);
  return persistent ? kReplyReset : kNoFlow;
}

}  // namespace

bool begins_anew(const Packet& packet, const Segment& segment, const Context& context) noexcept {
  return segment.payload != 0 && segment.has(net::kTcpAck) &&
         !segment.has(net::kTcpSyn | net::kTcpRst) && agreed(packet, segment, 0, context);
}

Verdict hear_unknown(Packet& packet, const Segment& segment, Context& context) noexcept {
  if (is_pure_syn(packet)) return answer_syn(packet, segment, context);
  if (segment.has(net::kTcpRst) || !segment.has(net::kTcpAck)) return kNoFlow;
  const auto offer = agreed(packet, segment, 0, context);
  if (segment.payload != 0) {
    return offer ? begin(packet, segment, *offer, context) : turn_away(packet, context);
  }
  if (segment.has(net::kTcpFin)) {
    return offer ? finish_unused(packet, segment, *offer, context) : turn_away(packet, context);
  }
  return offer || agreed(packet, segment, 1, context) ? kSpliceHandshake : kNoFlow;
}

}  // namespace hawser::pipeline
