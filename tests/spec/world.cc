// A dataplane without NICs, as one row describes it.
#include "world.h"

#include <stdexcept>

namespace hawser::spec {
namespace {

constexpr std::size_t kBackendCapacity = 64;
constexpr std::size_t kNeighbourCapacity = 256;

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
  return json;
}

}  // namespace

World::World(const Setup& setup)
    : builder_(setup.ports, kBackendCapacity), macs_(kNeighbourCapacity), workers_(setup.workers) {
  for (std::uint16_t id = 0; id < setup.workers; ++id) {
    Worker& worker = workers_[id];
    worker.ipv4.resize(setup.ipv4_buckets);
    worker.ipv6.resize(setup.ipv6_buckets);
    worker.nat.resize(table::NatTable::records_needed(builder_.nat_addresses(), setup.workers));
    worker.backends = std::vector<stats::BackendCounters>(kBackendCapacity);
    worker.state = std::make_unique<pipeline::WorkerState>(WorkerId(id), worker.ipv4, worker.ipv6,
                                                           worker.nat, builder_.nat_addresses(),
                                                           setup.workers, worker.backends);
  }
  for (const NeighbourStep& neighbour : setup.neighbours) {
    if (neighbour.mac) known_macs_[neighbour.target] = *neighbour.mac;
  }
  publish(setup.services);
}

void World::publish(const std::vector<model::Service>& services) {
  const model::Desired desired{
      .epoch = Epoch(++epoch_), .flow_key = flow_key(), .services = services};
  auto built = builder_.build(desired, [&](BackendId id) {
    std::uint64_t flows = 0;
    for (const Worker& worker : workers_) flows += worker.backends[id.value].flows.read();
    return flows;
  });
  if (!built) throw std::runtime_error("snapshot refused: " + built.error().message);
  for (Worker& worker : workers_) {
    for (const BackendId id : builder_.reused()) {
      stats::BackendCounters& counters = worker.backends[id.value];
      for (stats::Counter* counter :
           {&counters.flows, &counters.new_flows, &counters.packets_in, &counters.bytes_in,
            &counters.packets_out, &counters.bytes_out}) {
        counter->subtract(counter->read());
      }
    }
  }
  snapshot_ = std::move(built).value();
  note_names(services);
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

void World::apply(const SnapshotStep& step) {
  publish(step.services);
}

void World::apply(const NeighbourStep& step) {
  known_macs_.erase(step.target);
  if (step.mac) known_macs_[step.target] = *step.mac;
  tell_neighbours();
}

void World::apply(const SweepStep& step) {
  pipeline::Context swept = context(step.worker, step.at);
  pipeline::sweep(swept, step.microseconds);
}

void World::run(pipeline::Burst& burst, std::uint16_t worker, std::uint16_t seconds) {
  pipeline::Context at = context(worker, seconds);
  pipeline::run(burst, at);
}

pipeline::Context World::context(std::uint16_t worker, std::uint16_t seconds) {
  return {.snapshot = *snapshot_,
          .worker = *workers_.at(worker).state,
          .neighbours = macs_,
          .now = CoarseTime{seconds}};
}

// "web4/b1"; a removed backend keeps its name until another has its id.
void World::note_names(const std::vector<model::Service>& services) {
  for (std::size_t id = 1; id < snapshot_->backends.size(); ++id) {
    const pipeline::BackendEntry& backend = snapshot_->backends[id];
    for (const model::Service& service : services) {
      if (backend.service == ServiceId()) continue;
      if (snapshot_->service_names.at(backend.service.value) != service.name) continue;
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
  return all;
}

}  // namespace hawser::spec
