// A dataplane without NICs, as one row describes it.
#include "world.h"

#include <stdexcept>

namespace hawser::spec {
namespace {

constexpr std::size_t kBackendCapacity = 64;
constexpr std::size_t kServiceCapacity = 64;
constexpr std::size_t kNeighbourCapacity = 256;
constexpr std::uint64_t kUnixSeconds = 1'800'000'000;  // at second 0 of a row

// Any key will do: no row may depend on it.
model::FlowKey flow_key() {
  model::FlowKey key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i * 7 + 1);
  return key;
}

void put(Json& json, const std::string& name, std::uint64_t value) {
  if (value != 0) json[name] = value;
}

Json backend_counters(const stats::BackendCounters& counters) {
  Json json = Json::object();
  put(json, "flows", counters.flows.read());
  put(json, "new_flows", counters.new_flows.read());
  put(json, "packets_in", counters.packets_in.read());
  put(json, "bytes_in", counters.bytes_in.read());
  put(json, "packets_out", counters.packets_out.read());
  put(json, "bytes_out", counters.bytes_out.read());
  put(json, "refused", counters.refused.read());
  put(json, "timed_out", counters.timed_out.read());
  put(json, "reset", counters.reset.read());
  put(json, "aborted", counters.aborted.read());
  put(json, "server_errors", counters.server_errors.read());
  put(json, "requests", counters.requests.read());
  return json;
}

Json splice_counters_of(const pipeline::SpliceCounters& counters) {
  Json json = Json::object();
  put(json, "requests", counters.requests.read());
  put(json, "sessions_new", counters.sessions_new.read());
  put(json, "sessions_kept", counters.sessions_kept.read());
  put(json, "sessions_moved", counters.sessions_moved.read());
  put(json, "retries", counters.retries.read());
  put(json, "resplices", counters.resplices.read());
  put(json, "tunnels", counters.tunnels.read());
  for (const pipeline::RefusalInfo& refusal : pipeline::kRefusalTable) {
    put(json, "refused_" + std::string(refusal.name),
        counters.refusals[static_cast<std::size_t>(refusal.refusal)].read());
  }
  for (const l7::HttpFaultInfo& fault : l7::kHttpFaultTable) {
    put(json, "fault_" + std::string(fault.name),
        counters.faults[static_cast<std::size_t>(fault.fault)].read());
  }
  for (std::size_t i = 0; i < affinity::kCookieFaults; ++i) {
    put(json, "cookie_" + std::string(affinity::to_string(static_cast<affinity::CookieFault>(i))),
        counters.cookies[i].read());
  }
  for (std::size_t i = 0; i < counters.rules.size(); ++i) {
    put(json, "rule_" + std::to_string(i), counters.rules[i].read());
  }
  return json;
}

template <typename Table>
void wipe(Table& flows, pipeline::WorkerState& worker) {
  for (std::size_t bucket = 0; bucket < flows.buckets(); ++bucket) {
    flows.visit_bucket(bucket, [&](auto& flow) {
      const std::uint32_t nat = flow.meta.nat();
      if (nat != table::FlowMeta::kNoNat) worker.nat.release(table::NatIndex::unpack(nat));
      worker.backends[flow.meta.backend().value].flows.subtract(1);
      worker.service_flows[flow.service.value].subtract(1);
      flows.release(flow);
    });
  }
}

}  // namespace

World::World(const Setup& setup, FramePool& pool)
    : pool_(pool),
      spares_(setup.spares),
      builder_(setup.ports, kBackendCapacity, setup.workers),
      macs_(kNeighbourCapacity),
      workers_(setup.workers) {
  for (std::uint16_t id = 0; id < setup.workers; ++id) {
    Worker& worker = workers_[id];
    worker.ipv4.resize(setup.ipv4_buckets);
    worker.ipv6.resize(setup.ipv6_buckets);
    worker.nat.resize(table::NatTable::records_needed(builder_.nat_addresses(), setup.workers));
    worker.backends = std::vector<stats::BackendCounters>(kBackendCapacity);
    worker.connections.resize(setup.spliced + 1);
    worker.exchanges.resize(setup.spliced + 1);
    worker.heads.resize(setup.heads * limits::kMaxHttpHead);
    worker.texts.resize(setup.texts * limits::kTextBytes);
    const pipeline::SpliceMemory splice{worker.connections, worker.exchanges, worker.heads,
                                        worker.texts, id + 1U};
    worker.state = std::make_unique<pipeline::WorkerState>(
        WorkerId(id), worker.ipv4, worker.ipv6, worker.nat, builder_.nat_addresses(), setup.workers,
        worker.backends, 0U, 0U, setup.openings, splice);
    worker.others_backends = std::vector<std::atomic<std::uint32_t>>(kBackendCapacity);
    worker.others_services = std::vector<std::atomic<std::uint32_t>>(kServiceCapacity);
    if (setup.workers > 1) {
      worker.state->others = {.backends = worker.others_backends,
                              .services = worker.others_services};
    }
  }
  for (const NeighbourStep& neighbour : setup.neighbours) {
    if (neighbour.mac) known_macs_[neighbour.target] = *neighbour.mac;
  }
  publish(setup.first);
}

void World::publish(const SnapshotStep& step) {
  const model::Desired desired{.epoch = Epoch(++epoch_),
                               .flow_key = flow_key(),
                               .cookie_keys = step.cookie_keys,
                               .services = step.services,
                               .prefix_lists = step.prefix_lists};
  auto built = builder_.build(
      desired,
      [&](BackendId id) {
        std::uint64_t flows = 0;
        for (const Worker& worker : workers_) flows += worker.backends[id.value].flows.read();
        return flows;
      },
      static_cast<std::uint32_t>(now_ms_));
  if (!built) throw std::runtime_error("snapshot refused: " + built.error().message);
  for (Worker& worker : workers_) {
    for (const BackendId id : builder_.reused()) worker.backends[id.value].clear();
  }
  snapshot_ = std::move(built).value();
  if (snapshot_->services.size() > kServiceCapacity) throw std::runtime_error("too many services");
  note_names(step.services);
  tell_neighbours();
}

void World::tell_neighbours() {
  const auto targets = builder_.neighbours();
  for (std::uint32_t id = 0; id < targets.size(); ++id) {
    const auto known = known_macs_.find(targets[id]);
    if (known == known_macs_.end()) {
      macs_.clear(pipeline::NeighbourId(id));
    } else {
      macs_.set(pipeline::NeighbourId(id), known->second);
    }
  }
}

// What the main core would sum up for this worker, without its delay.
void World::tell_load(std::uint16_t worker) {
  Worker& told = workers_.at(worker);
  const auto sum_up = [&](std::vector<std::atomic<std::uint32_t>>& sums, const auto& flows_of) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      std::uint64_t sum = 0;
      for (const Worker& other : workers_) {
        if (&other != &told) sum += flows_of(other, i);
      }
      sums[i].store(static_cast<std::uint32_t>(sum));
    }
  };
  sum_up(told.others_backends,
         [](const Worker& other, std::size_t id) { return other.backends[id].flows.read(); });
  sum_up(told.others_services,
         [](const Worker& other, std::size_t id) { return other.state->service_flows[id].read(); });
}

void World::apply(const SnapshotStep& step) {
  now_ms_ = step.at_ms.value_or(now_ms_);
  publish(step);
}

void World::apply(const NeighbourStep& step) {
  known_macs_.erase(step.target);
  if (step.mac) known_macs_[step.target] = *step.mac;
  tell_neighbours();
}

void World::apply(const SweepStep& step) {
  pipeline::Context swept = context(step.worker, step.at_ms);
  pipeline::sweep(swept, step.microseconds);
}

void World::apply(const WipeStep& step) {
  pipeline::WorkerState& state = *workers_.at(step.worker).state;
  wipe(state.ipv4, state);
  wipe(state.ipv6, state);
}

void World::run(pipeline::Burst& burst, std::uint16_t worker, std::uint64_t at_ms) {
  pipeline::Context at = context(worker, at_ms);
  tell_load(worker);
  pipeline::run(burst, at);
}

void World::tick(std::uint16_t worker, std::uint64_t at_ms) {
  pipeline::Context at = context(worker, at_ms);
  pipeline::tick(at);
}

pipeline::Outbox& World::outbox(std::uint16_t worker) {
  return workers_.at(worker).state->outbox;
}

void World::restock(std::uint16_t worker) {
  pipeline::Outbox& stocked = outbox(worker);
  while (limits::kSpares - stocked.spares_wanted() < spares_) {
    GuardedFrame* frame = pool_.take();
    pipeline::Packet spare;
    spare.data = frame->place({}, limits::kMaxFrame);
    spare.handle = frame;
    spare.capacity = limits::kMaxFrame;
    stocked.add_spare(spare);
  }
}

pipeline::Context World::context(std::uint16_t worker, std::uint64_t at_ms) {
  now_ms_ = at_ms;
  return {.snapshot = *snapshot_,
          .worker = *workers_.at(worker).state,
          .neighbours = macs_,
          .now = CoarseTime{static_cast<std::uint16_t>(at_ms / 1000)},
          .now_ms = static_cast<std::uint32_t>(at_ms),
          .now_us = static_cast<std::uint32_t>(at_ms * 1000),
          .unix_seconds = kUnixSeconds + at_ms / 1000};
}

// "web4/b1"; a removed backend keeps its name until another has its id.
void World::note_names(const std::vector<model::Service>& services) {
  for (std::size_t id = 1; id < snapshot_->backends.size(); ++id) {
    const pipeline::BackendEntry& backend = snapshot_->backends[id];
    for (const model::Service& service : services) {
      if (backend.service == ServiceId()) continue;
      if (snapshot_->service_names[backend.service.value] != service.name) continue;
      names_[id] = service.name + "/" + snapshot_->backend_names[id];
    }
  }
}

Json World::counters(std::uint16_t worker) const {
  const Worker& counted = workers_.at(worker);
  const pipeline::WorkerState& state = *counted.state;
  Json verdicts = Json::object();
  for (const pipeline::VerdictInfo& info : pipeline::kVerdictTable) {
    put(verdicts, std::string(info.name),
        state.verdicts[static_cast<std::size_t>(info.verdict)].read());
  }
  Json backends = Json::object();
  for (std::size_t id = 0; id < counted.backends.size(); ++id) {
    Json one = backend_counters(counted.backends[id]);
    const auto name = names_.find(id);
    const bool named = name != names_.end();
    if (!one.empty()) backends[named ? name->second : "backend#" + std::to_string(id)].update(one);
  }
  Json all = {{"verdicts", verdicts}, {"backends", backends}};
  put(all, "flows_ipv4", state.ipv4.live());
  put(all, "flows_ipv6", state.ipv6.live());
  put(all, "nat_ports_used", state.nat.used());
  put(all, "stateless", state.stateless.read());
  put(all, "expired", state.expired.read());
  put(all, "proxy_header_lost", state.proxy_header_lost.read());
  put(all, "path_mtus_learned", state.path_mtus_learned.read());
  put(all, "nat_ports_reclaimed", state.nat_ports_reclaimed.read());
  put(all, "spilled", state.spilled.read());
  put(all, "previous_owner", state.previous_owner.read());
  put(all, "splice_edits", state.splice.edits.read());
  put(all, "owned_resent", state.splice.owned_resent.read());
  put(all, "owned_lost", state.splice.owned_lost.read());
  const Json splice = splice_counters(worker);
  if (!splice.empty()) all["splice"] = splice;
  return all;
}

// By the name of the service.
Json World::splice_counters(std::uint16_t worker) const {
  Json all = Json::object();
  for (const pipeline::ServiceEntry& service : snapshot_->services) {
    if (service.splice == nullptr) continue;
    Json one = splice_counters_of(service.splice->counters_of(WorkerId(worker)));
    if (!one.empty()) all[service.splice->name] = one;
  }
  return all;
}

// Live flows are counted by table, by backend and by service: all must agree. Spliced connections
// without a backend are nobody's yet, or no more.
void World::check_flows(const Worker& worker, std::vector<std::string>& lines) const {
  const pipeline::WorkerState& state = *worker.state;
  std::vector<std::uint64_t> by_service(snapshot_->services.size());
  std::uint64_t all = 0;
  for (std::size_t id = 0; id < worker.backends.size(); ++id) {
    const std::uint64_t flows = worker.backends[id].flows.read();
    all += flows;
    if (id >= snapshot_->backends.size()) continue;
    by_service[snapshot_->backends[id].service.value] += flows;
  }
  for (const pipeline::Connection& connection : worker.connections) {
    if (connection.phase == pipeline::SplicePhase::kFree || connection.counted) continue;
    ++all;
    ++by_service.at(connection.service.value);
  }
  const std::string self = "worker " + std::to_string(state.id.value) + ": ";
  const std::uint64_t live = state.ipv4.live() + state.ipv6.live();
  if (all != live) {
    lines.push_back(self + "backends count " + std::to_string(all) + " flows, tables " +
                    std::to_string(live));
  }
  for (std::size_t id = 1; id < by_service.size(); ++id) {
    const std::uint64_t counted = state.service_flows[id].read();
    if (counted == by_service[id]) continue;
    lines.push_back(self + "service " + snapshot_->service_names[id] + " counts " +
                    std::to_string(counted) + " flows, its backends " +
                    std::to_string(by_service[id]));
  }
}

std::vector<std::string> World::contradictions() const {
  std::vector<std::string> lines;
  std::size_t kept = 0;
  for (const Worker& worker : workers_) {
    check_flows(worker, lines);
    kept += limits::kSpares - worker.state->outbox.spares_wanted() + worker.state->held.size() +
            worker.state->splice.held.held();
  }
  if (pool_.out() != kept) {
    lines.push_back(std::to_string(pool_.out()) + " buffers are out, of which the workers have " +
                    std::to_string(kept));
  }
  return lines;
}

}  // namespace hawser::spec
