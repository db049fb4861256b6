// Which ids services and backends have, and when others may have them.
//
// An id is free when nobody wants its owner and no flow refers to it. A backend that the running
// snapshot still has may get flows until the next is published, so its id rests for one snapshot.
#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "hawser/pipeline/snapshot_builder.h"

namespace hawser::pipeline {
namespace {

// The lowest free id, or the next that was never used.
template <typename Id>
Id take_id(std::set<typename Id::underlying>& free, std::uint32_t& used) {
  if (free.empty()) return Id(static_cast<typename Id::underlying>(++used));
  return Id(free.extract(free.begin()).value());
}

}  // namespace

NeighbourId SnapshotBuilder::neighbour(const NeighbourTarget& target) {
  const NeighbourId next(static_cast<std::uint32_t>(neighbours_.size()));
  const auto [entry, is_new] = neighbour_ids_.emplace(target, next);
  if (is_new) neighbours_.push_back(target);
  return entry->second;
}

ServiceId SnapshotBuilder::service_id(const model::Service& service) {
  const ServiceKey key = key_of(service);
  if (const auto known = service_ids_.find(key); known != service_ids_.end()) return known->second;
  const auto id = take_id<ServiceId>(free_services_, services_used_);
  service_ids_.emplace(key, id);
  if (auto primed = primed_.extract(key)) tables_.prime(id, std::move(primed.mapped()));
  return id;
}

const SnapshotBuilder::KnownBackend& SnapshotBuilder::known_backend(const model::Backend& backend,
                                                                    ServiceId service,
                                                                    const NextHop& hop) {
  BackendKey key(service.value, backend.name, backend.address, backend.port);
  const auto known = backend_ids_.lower_bound(key);
  if (known != backend_ids_.end() && known->first == key) return known->second;
  const bool reused = !free_backends_.empty();
  const KnownBackend fresh{.id = take_id<BackendId>(free_backends_, backends_used_),
                           .next_hop = neighbour({hop.port, hop.address})};
  if (reused) reused_.push_back(fresh.id);
  return backend_ids_.emplace_hint(known, std::move(key), fresh)->second;
}

// Those of the changed services that are not wanted any more, and those of services that are gone.
void SnapshotBuilder::retire(const Plan& plan) {
  for (const Change& change : plan.changes) {
    const ServiceKey key = key_of(*change.service);
    unwanted_.erase(key);
    const auto id = service_ids_.find(key);
    if (id != service_ids_.end()) retire_all_but(id->second, change.service);
  }
  for (const model::Service* service : plan.gone) {
    const ServiceKey key = key_of(*service);
    const ServiceId id = service_ids_.at(key);
    unwanted_.insert(key);
    retire_all_but(id, nullptr);
    ServiceEntry entry;
    add_retired(id, entry);
    image_.services[id.value] = std::move(entry);
    image_.service_names.set(id.value, "");
  }
}

// `wanted` null: none of its backends is.
void SnapshotBuilder::retire_all_but(ServiceId service, const model::Service* wanted) {
  std::unordered_map<std::string_view, const model::Backend*> by_name;
  if (wanted != nullptr) {
    for (const model::Backend& backend : wanted->backends) by_name.emplace(backend.name, &backend);
  }
  for (auto entry = backend_ids_.lower_bound(first_of(service));
       entry != backend_ids_.end() && is_of(entry->first, service); ++entry) {
    auto& [key, known] = *entry;
    const auto& [id, name, address, port] = key;
    const auto found = by_name.find(name);
    const bool stays =
        found != by_name.end() && found->second->address == address && found->second->port == port;
    const bool was_retired = std::exchange(known.retired, !stays);
    if (was_retired && stays) retired_.erase(key);
    if (!was_retired && !stays) retired_.emplace(key, Retired{.id = known.id, .rested = false});
  }
}

// Backends that are gone but may still have flows: known, and down, so that their flows end.
void SnapshotBuilder::add_retired(ServiceId service, ServiceEntry& entry) {
  for (auto at = backend_ids_.lower_bound(first_of(service));
       at != backend_ids_.end() && is_of(at->first, service); ++at) {
    const auto& [key, known] = *at;
    const auto& [id, name, address, port] = key;
    if (!known.retired) continue;
    image_.backends[known.id.value] = {.address = address,
                                       .port = net::Big16(port),
                                       .service = service,
                                       .next_hop = known.next_hop,
                                       .port_out = neighbours_[known.next_hop.value].port,
                                       .admission = model::Admission::kDown,
                                       .weight = 0};
    entry.leaving.push_back(known.id);
  }
}

void SnapshotBuilder::free_unused_ids(const LiveFlows& live_flows) {
  std::map<ServiceId, std::vector<BackendId>> freed;
  for (auto entry = retired_.begin(); entry != retired_.end();) {
    auto& [key, retired] = *entry;
    if (!std::exchange(retired.rested, true) || live_flows(retired.id) != 0) {
      ++entry;
      continue;
    }
    const BackendId id = retired.id;
    const ServiceId service(std::get<0>(key));
    free_backends_.insert(id.value);
    backend_ids_.erase(key);
    image_.backends[id.value] = {};
    image_.backend_names.set(id.value, "");
    freed[service].push_back(id);
    entry = retired_.erase(entry);
  }
  for (auto& [service, ids] : freed) forget_freed(service, ids);
  free_unused_services();
}

// Nothing of the service refers to these ids any more.
void SnapshotBuilder::forget_freed(ServiceId service, std::vector<BackendId>& ids) {
  std::sort(ids.begin(), ids.end());
  tables_.forget(service, ids);
  ServiceEntry& left = image_.services[service.value];
  std::erase_if(left.leaving,
                [&](BackendId id) { return std::binary_search(ids.begin(), ids.end(), id); });
  if (left.table == nullptr) return;
  const TableHistory::Current& current = *tables_.find(service);
  left.table = current.table;
  left.previous = current.previous;
}

void SnapshotBuilder::free_unused_services() {
  for (auto key = unwanted_.begin(); key != unwanted_.end();) {
    const ServiceId id = service_ids_.at(*key);
    const auto backend = backend_ids_.lower_bound(first_of(id));
    if (backend != backend_ids_.end() && is_of(backend->first, id)) {
      ++key;
      continue;
    }
    free_services_.insert(id.value);
    tables_.forget(id);
    changed_tables_.insert(*key);
    splice_counters_.erase(id);
    service_ids_.erase(*key);
    key = unwanted_.erase(key);
  }
}

}  // namespace hawser::pipeline
