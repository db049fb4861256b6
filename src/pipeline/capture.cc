// Chooses and copies the packets of a capture.
#include "hawser/pipeline/capture.h"

#include <algorithm>
#include <cstring>

#include "headers.h"
#include "splice/side.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

// --- frames that no stage has read, or that were made --------------------------------------------

// Point into the frame.
struct RawAddresses {
  net::Family family = net::Family::kIpv4;
  const std::uint8_t* source = nullptr;
  const std::uint8_t* destination = nullptr;
  net::Big16 source_port;  // if it has ports and is no later fragment
};

// Where the IP header begins, and what it is; 0: there is none.
struct RawLink {
  std::size_t offset = 0;
  net::Big16 ether_type;
};

RawLink raw_link(const Packet& packet) noexcept {
  constexpr std::size_t kTagged = sizeof(net::EthernetHeader) + sizeof(net::VlanTag);
  if (packet.contiguous < kTagged) return {};
  const net::Big16 type = load<net::EthernetHeader>(packet.data).ether_type;
  if (type != net::kEtherTypeVlan) return {sizeof(net::EthernetHeader), type};
  return {kTagged, load<net::VlanTag>(packet.data + sizeof(net::EthernetHeader)).ether_type};
}

std::optional<RawAddresses> raw_addresses(const Packet& packet) noexcept {
  const RawLink link = raw_link(packet);
  const std::size_t bytes = packet.contiguous - link.offset;
  const std::uint8_t* const at = packet.data + link.offset;
  RawAddresses found;
  std::size_t transport = 0;
  if (link.ether_type == net::kEtherTypeIpv4 && bytes >= sizeof(net::Ipv4Header)) {
    const auto ip = load<net::Ipv4Header>(at);
    found.source = at + offsetof(net::Ipv4Header, source);
    found.destination = at + offsetof(net::Ipv4Header, destination);
    transport = ip.fragment_offset() == 0 ? ip.header_length() : bytes;
  } else if (link.ether_type == net::kEtherTypeIpv6 && bytes >= sizeof(net::Ipv6Header)) {
    found.family = net::Family::kIpv6;
    found.source = at + offsetof(net::Ipv6Header, source);
    found.destination = at + offsetof(net::Ipv6Header, destination);
    transport = sizeof(net::Ipv6Header);
  } else {
    return std::nullopt;
  }
  if (bytes >= transport + sizeof(net::Big16)) found.source_port = load<net::Big16>(at + transport);
  return found;
}

// ARP, neighbour discovery and echo are answered before flows are looked up, where they lie. Asked
// for every packet: two loads for nearly all.
bool is_answered_early(const Packet& packet) noexcept {
  constexpr std::size_t kType = offsetof(net::EthernetHeader, ether_type);
  constexpr std::size_t kProtocol =
      sizeof(net::EthernetHeader) + offsetof(net::Ipv4Header, protocol);
  if (packet.contiguous > kProtocol && load<net::Big16>(packet.data + kType) == net::kEtherTypeIpv4)
      [[likely]]
    return packet.data[kProtocol] == net::kProtocolIcmp;
  const RawLink link = raw_link(packet);
  if (link.ether_type == net::kEtherTypeArp) return true;
  const std::size_t bytes = packet.contiguous - link.offset;
  if (link.ether_type == net::kEtherTypeIpv4) {
    return bytes >= sizeof(net::Ipv4Header) &&
           load<net::Ipv4Header>(packet.data + link.offset).protocol == net::kProtocolIcmp;
  }
  if (link.ether_type != net::kEtherTypeIpv6 || bytes < sizeof(net::Ipv6Header)) return false;
  const std::uint8_t next = load<net::Ipv6Header>(packet.data + link.offset).next_header;
  return next != net::kProtocolTcp && next != net::kProtocolUdp;
}

net::IpAddress address_at(net::Family family, const std::uint8_t* at) noexcept {
  if (family == net::Family::kIpv4) return load<net::Ipv4Address>(at);
  return load<net::Ipv6Address>(at);
}

// --- clients -------------------------------------------------------------------------------------

// The client's address; null: nobody knows it.
const std::uint8_t* client_behind(const table::NatRecord& record, WorkerState& worker) noexcept {
  if (record.is_free()) return nullptr;
  if (!record.is_spliced()) return record.client.data();
  if (record.spliced() == SpliceTable::kNone) return nullptr;
  return worker.splice.connections.at(record.spliced()).client.data();
}

// Of a packet that has come as far as its flow.
const std::uint8_t* client_of_flow(const Packet& packet, const Context& context) noexcept {
  if (packet.direction == Direction::kToClient) {
    return client_behind(context.worker.nat.record({packet.nat_address, packet.nat_port}),
                         context.worker);
  }
  const bool ipv4 = packet.family == net::Family::kIpv4;
  const bool quoted = packet.part == Part::kQuoted;
  const std::size_t ip = quoted ? quote_offset(packet) : packet.l3_offset;
  if (quoted) {
    return packet.data + ip +
           (ipv4 ? offsetof(net::Ipv4Header, destination) : offsetof(net::Ipv6Header, destination));
  }
  return packet.data + ip +
         (ipv4 ? offsetof(net::Ipv4Header, source) : offsetof(net::Ipv6Header, source));
}

bool is_sent(Verdict verdict) noexcept {
  const VerdictKind kind = kind_of(verdict);
  return kind == VerdictKind::kForward || kind == VerdictKind::kReply;
}

}  // namespace

// --- clients -------------------------------------------------------------------------------------

CaptureClients::CaptureClients(const net::Prefix& prefix) noexcept
    : family_(prefix.address.family) {
  net::IpAddress ones;
  ones.family = family_;
  ones.bytes.fill(0xff);
  store(value_.data(), net::masked(prefix.address, prefix.length).bytes);
  store(mask_.data(), net::masked(ones, prefix.length).bytes);
}

bool CaptureClients::contains(net::Family family, const std::uint8_t* address) const noexcept {
  if (address == nullptr || family != family_) return false;
  if (family == net::Family::kIpv4) {
    const auto word = [](const auto& words) { return load<std::uint32_t>(words.data()); };
    return (load<std::uint32_t>(address) & word(mask_)) == word(value_);
  }
  const auto high = load<std::uint64_t>(address);
  const auto low = load<std::uint64_t>(address + sizeof(high));
  return (high & load<std::uint64_t>(mask_.data())) == load<std::uint64_t>(value_.data()) &&
         (low & load<std::uint64_t>(mask_.data() + 8)) == load<std::uint64_t>(value_.data() + 8);
}

Capture::Capture(const CaptureFilter& filter, std::size_t ring_bytes)
    : filter_(filter),
      by_verdict_(filter.verdicts.any()),
      all_flows_(filter.service == ServiceId() && filter.backends.empty() && !filter.clients),
      bytes_(std::make_unique<std::uint8_t[]>(limits::kBurst * filter.snap)),
      ring_(ring_bytes) {
  if (filter.clients) clients_.emplace(*filter.clients);
}

// --- what is wanted ------------------------------------------------------------------------------

bool Capture::wants_backend(BackendId id) const noexcept {
  if (filter_.backends.empty()) return true;
  return id.value < filter_.backends.size() && filter_.backends[id.value];
}

// New flows have no backend yet: they are wanted until it is known.
bool Capture::wants_flow(const Packet& packet, const Context& context) const noexcept {
  if (filter_.service != ServiceId() && packet.service != filter_.service) return false;
  if (packet.backend != BackendId() && !wants_backend(packet.backend)) return false;
  return !clients_ || clients_->contains(packet.family, client_of_flow(packet, context));
}

// A packet that no flow was looked up for: the client may be at either end of it.
bool Capture::wants_stranger(const Packet& packet) const noexcept {
  if (filter_.service != ServiceId() && packet.service != filter_.service) return false;
  if (!wants_backend(packet.backend)) return false;
  if (!clients_) return true;
  const std::optional<RawAddresses> raw = raw_addresses(packet);
  return raw && (clients_->contains(raw->family, raw->source) ||
                 clients_->contains(raw->family, raw->destination));
}

// What goes from a NAT address to a backend belongs to who has the local port; anything else that
// is made goes to a client.
Capture::Owner Capture::owner_of_made(const Packet& packet, const Context& context) noexcept {
  Owner owner{packet.service, packet.backend, packet.family, nullptr};
  const std::optional<RawAddresses> raw = raw_addresses(packet);
  if (!raw) return owner;
  owner.family = raw->family;
  const table::AddressEntry* const entry =
      context.snapshot.addresses.find({address_at(raw->family, raw->source)});
  if (entry == nullptr || entry->role != table::AddressRole::kNat) {
    owner.client = raw->destination;
    return owner;
  }
  const std::uint16_t port = raw->source_port.host();
  table::NatTable& nat = context.worker.nat;
  if (nat.owner(port) != context.worker.id) return owner;
  const table::NatRecord& record = nat.record({entry->slot, port});
  if (record.is_free()) return owner;
  owner.client = client_behind(record, context.worker);
  owner.service = record.service;
  owner.backend = record.backend();
  return owner;
}

bool Capture::wants_made(const Owner& owner) const noexcept {
  if (filter_.service != ServiceId() && owner.service != filter_.service) return false;
  if (!wants_backend(owner.backend)) return false;
  return !clients_ || clients_->contains(owner.family, owner.client);
}

// The worker that a packet is handed to sees it, too.
bool Capture::wants_verdict(Verdict verdict) const noexcept {
  if (!by_verdict_) return verdict != kHandOff;
  return filter_.verdicts[static_cast<std::size_t>(verdict)];
}

// What was held has been seen when it came, unless only what became of it is asked for.
bool Capture::shows_received(const Packet& packet, bool again) const noexcept {
  if (!filter_.received) return false;
  if (!again || kind_of(packet.verdict) == VerdictKind::kHold) return !again;
  return by_verdict_ && !wants_verdict(kHoldFragment) && !wants_verdict(kHoldRequest);
}

std::uint16_t Capture::stored(const Packet& packet) const noexcept {
  return std::min({filter_.snap, packet.length, packet.contiguous});
}

// --- the burst -----------------------------------------------------------------------------------

void Capture::set_aside(std::size_t index, const Packet& packet) noexcept {
  if (!asides_.take()) return;
  Aside& aside = aside_of_[index];
  aside = {packet.length, stored(packet)};
  std::memcpy(bytes_.get() + index * filter_.snap, packet.data, aside.stored);
  aside_ |= Mask{1} << index;
}

void Capture::begin(const Burst& burst, const Context& context) noexcept {
  known_ = wanted_ = chosen_ = aside_ = 0;
  packets_.refill(context.now_ms);
  asides_.refill(context.now_ms);
  keeps_ = filter_.received && !packets_.is_empty();
  // None of those belongs to a service.
  if (!keeps_ || filter_.service != ServiceId() || !filter_.backends.empty()) return;
  for (std::size_t i = 0; i < burst.size; ++i) {
    if (is_answered_early(burst.packets[i])) set_aside(i, burst.packets[i]);
  }
}

void Capture::look(const Burst& burst, const Context& context) noexcept {
  for (std::size_t i = 0; i < burst.size; ++i) {
    const Packet& packet = burst.packets[i];
    // Of those that have a verdict only this one is still to be written.
    if (!packet.undecided() && packet.verdict != kReplyReset) continue;
    const Mask bit = Mask{1} << i;
    known_ |= bit;
    if (!all_flows_ && !wants_flow(packet, context)) continue;
    wanted_ |= bit;
    // Now and not in the end, so that those left out need not be set aside.
    if (!is_its_turn()) continue;
    chosen_ |= bit;
    if (keeps_ && (aside_ & bit) == 0) set_aside(i, packet);
  }
}

void Capture::end(const Burst& burst, const Context& context) noexcept {
  for (std::size_t i = 0; i < burst.size; ++i) {
    const Packet& packet = burst.packets[i];
    const Mask bit = Mask{1} << i;
    if ((known_ & bit) != (wanted_ & bit) || !wants_verdict(packet.verdict)) continue;
    const bool wanted =
        (known_ & bit) != 0 ? wants_backend(packet.backend) : wants_stranger(packet);
    if (wanted) take(i, packet, burst.again, context.ticks);
  }
  ring_.publish();
}

bool Capture::is_its_turn() noexcept {
  if (++turn_ < filter_.sample) return false;
  turn_ = 0;
  return true;
}

bool Capture::passes(CaptureCounters& counters, bool chosen) noexcept {
  counters.matched.add(1);
  if (!chosen) {
    counters.sampled_out.add(1);
    return false;
  }
  if (packets_.take()) return true;
  counters.over_rate.add(1);
  return false;
}

// A packet of the burst that is wanted: as it came in, as it goes out, or both.
void Capture::take(std::size_t index, const Packet& packet, bool again,
                   std::uint64_t ticks) noexcept {
  const Mask bit = Mask{1} << index;
  const bool received = shows_received(packet, again);
  const bool sent = filter_.sent && is_sent(packet.verdict);
  if (!received && !sent) return;
  CaptureCounters& counters = counters_[packet.port_in.value];
  const bool chosen = (known_ & bit) != 0 ? (chosen_ & bit) != 0 : is_its_turn();
  if (!passes(counters, chosen)) return;
  // Where nothing has been written, it still lies as it came in.
  const bool untouched = (known_ & bit) == 0 && !is_sent(packet.verdict);
  const bool lost = received && !untouched && (aside_ & bit) == 0;
  if (lost) {
    counters.over_rate.add(1);
    return;
  }
  CaptureRecord came{.ticks = ticks,
                     .length = packet.length,
                     .stored = stored(packet),
                     .service = packet.service,
                     .port = packet.port_in,
                     .backend = packet.backend,
                     .verdict = packet.verdict};
  CaptureRecord goes = came;
  const std::uint8_t* bytes = packet.data;
  if ((aside_ & bit) != 0) {
    came.length = aside_of_[index].length;
    came.stored = aside_of_[index].stored;
    bytes = bytes_.get() + index * filter_.snap;
  }
  goes.port = packet.port_out;
  goes.sent = true;
  goes.paired = received;
  const std::size_t room = (received ? CaptureRing::size_of(came.stored) : 0) +
                           (sent ? CaptureRing::size_of(goes.stored) : 0);
  if (!ring_.has_room(room)) {
    counters.ring_full.add(1);
    return;
  }
  if (received) ring_.put(came, bytes);
  if (sent) ring_.put(goes, packet.data);
}

// --- beside the burst ----------------------------------------------------------------------------

// What was made and leaves, and what was held and ends here.
void Capture::take_made(std::span<const Packet> made, const Context& context) noexcept {
  if (made.empty()) return;
  packets_.refill(context.now_ms);
  for (const Packet& packet : made) {
    const bool sent = is_sent(packet.verdict);
    if (sent ? !filter_.sent : !shows_received(packet, true)) continue;
    if (!wants_verdict(packet.verdict)) continue;
    Owner owner;
    if (sent) owner = owner_of_made(packet, context);
    if (sent ? !wants_made(owner) : !wants_stranger(packet)) continue;
    const PortId port = sent ? packet.port_out : packet.port_in;
    CaptureCounters& counters = counters_[port.value];
    if (!passes(counters, is_its_turn())) continue;
    CaptureRecord record{.ticks = context.ticks,
                         .length = packet.length,
                         .stored = stored(packet),
                         .service = packet.service,
                         .port = port,
                         .backend = packet.backend,
                         .verdict = packet.verdict,
                         .sent = sent,
                         .made = sent};
    if (sent) {
      record.service = owner.service;
      record.backend = owner.backend;
    }
    if (ring_.has_room(CaptureRing::size_of(record.stored))) {
      ring_.put(record, packet.data);
    } else {
      counters.ring_full.add(1);
    }
  }
  ring_.publish();
}

}  // namespace hawser::pipeline
