// The pipeline on buffers of its own.
#include "world.h"

#include <algorithm>

namespace hawser::property {
namespace {

constexpr std::size_t kBackendCapacity = 512;
constexpr std::size_t kNeighbourCapacity = 256;
// Around the frame, bytes: room for what the pipeline puts in front, and for answers that grow.
constexpr std::size_t kHeadroom = 128;
constexpr std::size_t kTailroom = 64;

// The workers' clock, wrapping.
std::uint32_t milliseconds(Milliseconds now) {
  return static_cast<std::uint32_t>(now);
}

RealFlow real_flow(const table::FlowMeta& meta) {
  RealFlow flow{.state = meta.state(),
                .seen = meta.seen().seconds,
                .backend = meta.backend(),
                .local = std::nullopt};
  if (meta.nat() != table::FlowMeta::kNoNat) {
    const auto index = table::NatIndex::unpack(meta.nat());
    flow.local = Local{.address = index.address, .port = index.port};
  }
  return flow;
}

// Calls `use(table, key, hash)` with the table where a flow is or would be.
template <typename Use>
auto with_table(pipeline::WorkerState& state, const hash::FlowHash& hash, const FlowKey& key,
                const ModelService& service, Use&& use) {
  const net::Big16 from(key.port);
  const net::Big16 to(service.wanted.port);
  const std::uint32_t protocol = service.is_tcp() ? 6U : 17U;
  const net::IpAddress& address = service.wanted.address;
  if (key.client.is_ipv4()) {
    return use(state.ipv4, pipeline::Ipv4Flows::Key{key.client.v4(), from, service.id},
               hash(hash::Ipv4Tuple{key.client.v4(), address.v4(), from, to, protocol}));
  }
  return use(state.ipv6, pipeline::Ipv6Flows::Key{key.client.v6(), from, service.id},
             hash(hash::Ipv6Tuple{key.client.v6(), address.v6(), from, to, protocol}));
}

template <typename Table>
void dump_table(Table& table, World::Dump& dump) {
  for (std::size_t bucket = 0; bucket < table.buckets(); ++bucket) {
    table.visit_bucket(bucket, [&](const auto& flow) {
      dump.emplace(
          std::tuple(net::IpAddress(flow.client), flow.client_port.host(), flow.service.value),
          real_flow(flow.meta));
    });
  }
}

}  // namespace

World::World(const Network& network, const Shape& shape, std::uint32_t first_port)
    : builder_(network.ports, kBackendCapacity, shape.workers),
      snapshot_(builder_.empty()),
      macs_(kNeighbourCapacity),
      workers_(shape.present.size()) {
  const std::size_t addresses = builder_.nat_addresses();
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    Worker& worker = workers_[w];
    worker.ipv4.resize(shape.size.ipv4_buckets);
    worker.ipv6.resize(shape.size.ipv6_buckets);
    worker.nat.resize(table::NatTable::records_needed(addresses, shape.workers));
    worker.backends = std::vector<stats::BackendCounters>(kBackendCapacity);
    worker.others_backends = std::vector<std::atomic<std::uint32_t>>(kBackendCapacity);
    worker.others_services = std::vector<std::atomic<std::uint32_t>>(limits::kMaxServices + 1);
    worker.state = std::make_unique<pipeline::WorkerState>(
        WorkerId(shape.present[w]), worker.ipv4, worker.ipv6, worker.nat, addresses, shape.workers,
        worker.backends, first_port);
    worker.state->others = {.backends = worker.others_backends, .services = worker.others_services};
  }
}

Result<void> World::publish(const model::Desired& desired, Milliseconds now) {
  const auto live_flows = [this](BackendId id) {
    std::uint64_t flows = 0;
    for (const Worker& worker : workers_) flows += worker.backends[id.value].flows.read();
    return flows;
  };
  auto built = builder_.build(desired, live_flows, milliseconds(now));
  if (!built) return built.error();
  for (Worker& worker : workers_) {
    for (const BackendId id : builder_.reused()) worker.backends[id.value].clear();
  }
  snapshot_ = *std::move(built);
  return {};
}

void World::tell(const std::map<NeighbourTarget, net::MacAddress>& macs) {
  const auto targets = builder_.neighbours();
  for (std::uint32_t id = 0; id < targets.size(); ++id) {
    const auto known = macs.find(targets[id]);
    if (known == macs.end()) {
      macs_.clear(pipeline::NeighbourId(id));
    } else {
      macs_.set(pipeline::NeighbourId(id), known->second);
    }
  }
}

void World::tell(std::size_t worker, const OthersFlows& others) {
  Worker& told = workers_[worker];
  for (std::size_t id = 0; id < others.backends.size(); ++id) {
    told.others_backends[id] = others.backends[id];
  }
  for (std::size_t id = 0; id < others.services.size(); ++id) {
    told.others_services[id] = others.services[id];
  }
}

pipeline::Context World::context(std::size_t worker, Milliseconds now) {
  return {.snapshot = *snapshot_,
          .worker = *workers_[worker].state,
          .neighbours = macs_,
          .now = CoarseTime{static_cast<std::uint16_t>(seconds_of(now))},
          .now_ms = milliseconds(now)};
}

void World::run(std::size_t worker, Milliseconds now, std::span<const Segment> segments,
                std::vector<Frame>& frames, pipeline::Burst& burst) {
  for (const std::uint8_t* data : no_longer_held_) held_.erase(data);
  no_longer_held_.clear();
  burst.size = static_cast<std::uint32_t>(segments.size());
  frames.resize(segments.size());
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::vector<std::uint8_t> bytes = frame_of(segments[i]);
    Frame& frame = frames[i];
    frame.begin = kHeadroom;
    frame.buffer.assign(kHeadroom + bytes.size() + kTailroom, 0);
    std::copy(bytes.begin(), bytes.end(), frame.buffer.begin() + kHeadroom);
    pipeline::Packet& packet = burst.packets[i];
    packet = {};
    packet.data = frame.buffer.data() + kHeadroom;
    packet.length = static_cast<std::uint16_t>(bytes.size());
    packet.contiguous = static_cast<std::uint16_t>(bytes.size());
    packet.capacity = static_cast<std::uint16_t>(bytes.size() + kTailroom);
    packet.port_in = segments[i].port_in;
    if (segments[i].found_bad_by_the_port) {
      packet.transport_checksum = pipeline::ChecksumSeen::kBad;
    }
  }
  pipeline::Context at = context(worker, now);
  pipeline::run(burst, at);
  keep_held(frames, burst);
}

// The pipeline keeps these; their bytes stay where they are.
void World::keep_held(std::vector<Frame>& frames, const pipeline::Burst& burst) {
  for (std::size_t i = 0; i < burst.size; ++i) {
    if (burst.packets[i].verdict != pipeline::Verdict::kHoldFragment) continue;
    held_[burst.packets[i].data] = std::move(frames[i].buffer);
  }
}

bool World::run_released(std::size_t worker, Milliseconds now, pipeline::Burst& burst) {
  if (!workers_[worker].state->outbox.take_released(burst)) return false;
  std::vector<const std::uint8_t*> released;
  for (const pipeline::Packet& packet : burst.span()) released.push_back(packet.data);
  pipeline::Context at = context(worker, now);
  pipeline::run(burst, at);
  for (std::size_t i = 0; i < burst.size; ++i) {
    const bool again = burst.packets[i].verdict == pipeline::Verdict::kHoldFragment;
    if (!again) no_longer_held_.push_back(released[i]);
  }
  return true;
}

std::size_t World::tick(std::size_t worker, Milliseconds now) {
  pipeline::Context at = context(worker, now);
  pipeline::tick(at);
  pipeline::Outbox& outbox = workers_[worker].state->outbox;
  const std::size_t finished = outbox.finished().size();
  for (const pipeline::Packet& packet : outbox.finished()) held_.erase(packet.data);
  outbox.clear_finished();
  return finished;
}

void World::sweep(std::size_t worker, Milliseconds now, std::uint64_t microseconds) {
  pipeline::Context at = context(worker, now);
  pipeline::sweep(at, microseconds);
}

std::optional<RealFlow> World::find(std::size_t worker, const FlowKey& key,
                                    const ModelService& service) {
  const auto find = [](auto& table, const auto& at, std::uint64_t hash) -> std::optional<RealFlow> {
    const auto* flow = table.find(at, hash);
    return flow == nullptr ? std::nullopt : std::optional(real_flow(flow->meta));
  };
  return with_table(*workers_[worker].state, snapshot_->flow_hash, key, service, find);
}

bool World::has_room(std::size_t worker, const FlowKey& key, const ModelService& service) {
  const auto has_two = [](auto& table, const auto& at, std::uint64_t hash) {
    std::size_t taken = 0;
    table.visit_candidates(at, hash, [&](const auto&) { ++taken; });
    return taken + 2 <= 2 * std::decay_t<decltype(table)>::kPerBucket;
  };
  return with_table(*workers_[worker].state, snapshot_->flow_hash, key, service, has_two);
}

World::Dump World::dump(std::size_t worker) {
  Dump all;
  dump_table(workers_[worker].state->ipv4, all);
  dump_table(workers_[worker].state->ipv6, all);
  return all;
}

}  // namespace hawser::property
