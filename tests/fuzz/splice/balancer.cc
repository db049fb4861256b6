// Gives frames to the pipeline and does what their verdicts say.
#include "balancer.h"

#include <stdexcept>

#include "network/segment.h"

namespace hawser::simulation {
namespace {

using pipeline::Verdict;
using pipeline::VerdictKind;

constexpr std::size_t kBackends = 64;
constexpr std::size_t kNeighbours = 64;
constexpr std::size_t kBuckets = 64;
constexpr std::uint64_t kUnixSeconds = 1'800'000'000;  // at time 0

std::vector<pipeline::PortSetup> ports(std::uint16_t mtu) {
  const auto prefix = [](const char* text) { return net::parse_prefix(text).value(); };
  const auto address = [](const char* text) { return net::parse_address(text).value(); };
  return {{.name = "uplink",
           .device = "uplink",
           .mtu = mtu,
           .mac = Balancer::own_mac(),
           .addresses = {prefix("10.0.0.2/16"), prefix("fd00::2/64")},
           .gateways = {},
           .nat_addresses = {address("10.0.0.10"), address("fd00::10")}}};
}

model::FlowKey flow_key() {
  model::FlowKey key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i * 7 + 1);
  return key;
}

// What no honest packet of this network becomes.
bool is_due(Verdict verdict, bool damaged) {
  switch (pipeline::kind_of(verdict)) {
    case VerdictKind::kUndecided:
    case VerdictKind::kHandOff:
    case VerdictKind::kPunt:
      return false;
    case VerdictKind::kForward:
      return verdict == Verdict::kForwardSplice || verdict == Verdict::kReturnSplice ||
             verdict == Verdict::kSpliceOwn;
    case VerdictKind::kReply:
      return true;
    case VerdictKind::kHold:
      return verdict == Verdict::kHoldRequest;
    case VerdictKind::kDrop:
      break;
  }
  if (verdict == Verdict::kTransportBadChecksum) return damaged;
  return verdict >= Verdict::kSpliceHandshake || verdict == Verdict::kNoFlow ||
         verdict == Verdict::kNatForeign || verdict == Verdict::kNoBuffer;
}

}  // namespace

net::MacAddress Balancer::own_mac() {
  return {{0x02, 0, 0, 0, 0, 0x01}};
}

net::MacAddress Balancer::mac_of(const net::IpAddress& address) {
  const std::size_t last = address.size() - 1;
  return {{0x02, 0, 0, 0x01, address.bytes[last - 1], address.bytes[last]}};
}

Balancer::Balancer(const BalancerSize& size, Milliseconds now, bool damaged, spec::FramePool& pool)
    : size_(size),
      damaged_(damaged),
      pool_(pool),
      builder_(ports(size.mtu), kBackends),
      macs_(kNeighbours),
      ipv4_(kBuckets),
      ipv6_(kBuckets),
      nat_(table::NatTable::records_needed(builder_.nat_addresses(), 1)),
      backends_(kBackends),
      connections_(size.connections + 1),
      exchanges_(size.connections + 1),
      heads_(size.heads * limits::kMaxHttpHead),
      texts_(size.texts * limits::kTextBytes) {
  pool_.recall();
  worker_ = std::make_unique<pipeline::WorkerState>(
      WorkerId(0), ipv4_, ipv6_, nat_, builder_.nat_addresses(), std::uint16_t{1}, backends_, 0U,
      static_cast<std::uint32_t>(now), limits::kOpenings,
      pipeline::SpliceMemory{connections_, exchanges_, heads_, texts_, 1});
}

void Balancer::publish(std::vector<model::Service> services, Milliseconds now) {
  model::Desired desired{.epoch = Epoch(++epoch_),
                         .flow_key = flow_key(),
                         .cookie_keys = {{.id = 1, .secret = {1, 2, 3}}},
                         .services = std::move(services)};
  auto built = builder_.build(
      desired, [this](BackendId id) { return backends_[id.value].flows.read(); },
      static_cast<std::uint32_t>(now));
  if (!built) throw std::runtime_error("snapshot refused: " + built.error().message);
  snapshot_ = *std::move(built);
  const auto targets = builder_.neighbours();
  for (std::uint32_t id = 0; id < targets.size(); ++id) {
    macs_.set(pipeline::NeighbourId(id), mac_of(targets[id].address));
  }
}

pipeline::Context Balancer::context(Milliseconds now) {
  const auto milliseconds = static_cast<std::uint64_t>(now);
  return {.snapshot = *snapshot_,
          .worker = *worker_,
          .neighbours = macs_,
          .now = CoarseTime{static_cast<std::uint16_t>(milliseconds / 1000)},
          .now_ms = static_cast<std::uint32_t>(milliseconds),
          .now_us = static_cast<std::uint32_t>(milliseconds * 1000),
          .unix_seconds = kUnixSeconds + milliseconds / 1000};
}

void Balancer::restock() {
  pipeline::Outbox& outbox = worker_->outbox;
  while (limits::kSpares - outbox.spares_wanted() < size_.spares) {
    spec::GuardedFrame* frame = pool_.take();
    pipeline::Packet spare;
    spare.data = frame->place({}, limits::kMaxFrame);
    spare.handle = frame;
    spare.capacity = limits::kMaxFrame;
    outbox.add_spare(spare);
  }
}

void Balancer::run(const std::vector<Frame>& frames, Milliseconds now, std::vector<Frame>& out) {
  for (std::size_t at = 0; at < frames.size();) {
    pipeline::Burst burst;
    while (at < frames.size() && burst.size < limits::kBurst) {
      const Frame& frame = frames[at++];
      spec::GuardedFrame* buffer = pool_.take();
      pipeline::Packet& packet = burst.packets[burst.size++];
      packet = {};
      packet.data = buffer->place(frame, limits::kMaxFrame);
      packet.handle = buffer;
      packet.length = packet.contiguous = static_cast<std::uint16_t>(frame.size());
      packet.capacity = limits::kMaxFrame;
    }
    run_burst(burst, now, out);
    while (worker_->outbox.take_released(burst)) run_burst(burst, now, out);
  }
}

void Balancer::run_burst(pipeline::Burst& burst, Milliseconds now, std::vector<Frame>& out) {
  restock();
  pipeline::Context at = context(now);
  pipeline::run(burst, at);
  // What was made on the way goes first: pieces of a segment come before its end.
  take_finished(out);
  for (const pipeline::Packet& packet : burst.span()) take(packet, out);
}

void Balancer::tick(Milliseconds now, std::vector<Frame>& out) {
  restock();
  pipeline::Context at = context(now);
  pipeline::tick(at);
  take_finished(out);
  pipeline::Burst burst;
  while (worker_->outbox.take_released(burst)) run_burst(burst, now, out);
}

void Balancer::sweep(Milliseconds now) {
  pipeline::Context at = context(now);
  pipeline::sweep(at, 60'000'000);
}

void Balancer::take_finished(std::vector<Frame>& out) {
  for (const pipeline::Packet& packet : worker_->outbox.finished()) take(packet, out);
  worker_->outbox.clear_finished();
}

void Balancer::take(const pipeline::Packet& packet, std::vector<Frame>& out) {
  ++packets_;
  const VerdictKind kind = pipeline::kind_of(packet.verdict);
  if (!is_due(packet.verdict, damaged_)) {
    violations_.push_back("a packet became " + std::string(pipeline::info(packet.verdict).name));
  }
  if (kind == VerdictKind::kHold) return;
  if (kind == VerdictKind::kForward || kind == VerdictKind::kReply) {
    out.emplace_back(packet.data, packet.data + packet.length);
    check(out.back(), packet);
  }
  auto* frame = static_cast<spec::GuardedFrame*>(packet.handle);
  if (!pool_.give_back(frame)) violations_.emplace_back("a buffer came back twice");
  if (!frame->headroom_kept()) violations_.emplace_back("written before the headroom");
}

void Balancer::check(const Frame& frame, const pipeline::Packet& packet) {
  const std::string name(pipeline::info(packet.verdict).name);
  const auto segment = adversary::find_tcp(frame);
  if (!segment) {
    violations_.push_back(name + ": what leaves is no TCP segment");
    return;
  }
  // Damage must stay visible; what is made here is never damaged.
  if (!adversary::checksums_right(frame, *segment) &&
      !(damaged_ &&
        (packet.verdict == Verdict::kForwardSplice || packet.verdict == Verdict::kReturnSplice))) {
    violations_.push_back(name + ": a wrong checksum leaves");
  }
  if (frame.size() > adversary::kEthernetLength + size_.mtu) {
    violations_.push_back(name + ": " + std::to_string(frame.size()) + " bytes leave");
  }
}

std::vector<std::string> Balancer::describe_refusals() const {
  std::vector<std::string> lines;
  for (const pipeline::ServiceEntry& service : snapshot_->services) {
    if (service.splice == nullptr) continue;
    const pipeline::SpliceCounters& counters = service.splice->counters_of(WorkerId(0));
    const auto note = [&](std::string_view name, const stats::Counter& counter) {
      if (counter.read() == 0) return;
      lines.push_back("counted " + service.splice->name + " " + std::string(name) + " " +
                      std::to_string(counter.read()));
    };
    for (const auto& refusal : pipeline::kRefusalTable) {
      note(refusal.name, counters.refusals[static_cast<std::size_t>(refusal.refusal)]);
    }
    for (const auto& fault : l7::kHttpFaultTable) {
      note(fault.name, counters.faults[static_cast<std::size_t>(fault.fault)]);
    }
  }
  return lines;
}

std::vector<std::string> Balancer::leftovers() const {
  std::vector<std::string> lines;
  const auto must_be_none = [&lines](std::uint64_t count, const char* what) {
    if (count != 0) lines.push_back(std::to_string(count) + " " + what + " are left");
  };
  must_be_none(live(), "connections");
  must_be_none(worker_->ipv4.live() + worker_->ipv6.live(), "flows");
  must_be_none(worker_->nat.used(), "local ports");
  must_be_none(worker_->splice.heads.used(), "head buffers");
  must_be_none(worker_->splice.texts.used(), "texts");
  must_be_none(worker_->splice.held.held(), "held packets");
  must_be_none(worker_->splice.left_behind.size(), "backend connections left behind");
  for (const stats::BackendCounters& backend : backends_) {
    must_be_none(backend.flows.read(), "flows of a backend");
  }
  return lines;
}

std::vector<std::string> Balancer::contradictions() const {
  std::vector<std::string> lines;
  std::uint64_t counted = 0;
  for (const stats::Counter& counter : worker_->verdicts) counted += counter.read();
  if (counted != packets_) {
    lines.push_back(std::to_string(packets_) + " packets had a verdict, counted are " +
                    std::to_string(counted));
  }
  const std::size_t kept =
      limits::kSpares - worker_->outbox.spares_wanted() + worker_->splice.held.held();
  if (pool_.out() != kept) {
    lines.push_back(std::to_string(pool_.out()) + " buffers are out, kept are " +
                    std::to_string(kept));
  }
  return lines;
}

std::vector<std::string> Balancer::describe_live() const {
  std::vector<std::string> lines;
  for (std::size_t number = 1; number < connections_.size(); ++number) {
    const pipeline::Connection& connection = connections_[number];
    if (connection.phase == pipeline::SplicePhase::kFree) continue;
    const auto half = [](const pipeline::Half& at) {
      return "next " + std::to_string(at.next.value) + " end " + std::to_string(at.end.value) +
             " acked " + std::to_string(at.acked.value) + " state " +
             std::to_string(static_cast<int>(at.state)) + " buffer " + std::to_string(at.buffer) +
             "+" + std::to_string(at.buffered) + " own_at " + std::to_string(at.own_at.value) +
             (at.fin ? " fin" : "") + (at.owns ? " owns" : "");
    };
    lines.push_back("record " + std::to_string(number) + " client port " +
                    std::to_string(connection.client_port.host()) + " phase " +
                    std::to_string(static_cast<int>(connection.phase)) + ", held " +
                    std::to_string(exchanges_[number].held_count) +
                    (exchanges_[number].awaiting ? ", awaiting" : "") +
                    (exchanges_[number].decided ? ", decided" : "") +
                    "; up: " + half(connection.up) + "; down: " + half(connection.down));
  }
  return lines;
}

}  // namespace hawser::simulation
