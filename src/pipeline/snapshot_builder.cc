// From what hawserd wants to what workers decide by: ids, neighbours, tables.
#include "hawser/pipeline/snapshot_builder.h"

#include <algorithm>
#include <utility>

#include "hawser/base/contract.h"
#include "service_settings.h"
#include "splice_settings.h"

namespace hawser::pipeline {
SnapshotBuilder::SnapshotBuilder(std::vector<PortSetup> ports, std::size_t backend_capacity,
                                 std::uint16_t workers)
    : ports_(std::move(ports)), backend_capacity_(backend_capacity), workers_(workers) {
  HAWSER_REQUIRE(ports_.size() <= limits::kMaxPorts);
  for (std::size_t p = 0; p < ports_.size(); ++p) {
    const PortSetup& port = ports_[p];
    PortEntry entry;
    entry.mac = port.mac;
    entry.vlan = port.vlan;
    entry.mtu = port.mtu;
    entry.networks = port.addresses;
    for (const net::IpAddress& gateway : port.gateways) {
      const NeighbourId id = neighbour({PortId(static_cast<std::uint16_t>(p)), gateway});
      (gateway.is_ipv4() ? entry.gateway_ipv4 : entry.gateway_ipv6) = id;
    }
    for (const net::IpAddress& nat : port.nat_addresses) {
      HAWSER_REQUIRE(nat_addresses_.size() < limits::kMaxNatAddresses);
      (nat.is_ipv4() ? entry.nat_ipv4 : entry.nat_ipv6)
          .push_back(static_cast<std::uint8_t>(nat_addresses_.size()));
      nat_addresses_.push_back(nat);
    }
    port_entries_.push_back(std::move(entry));
  }
  group_by_device();
}

// Ports that share a device tell each other's VLANs; a frame may come in through any of them.
void SnapshotBuilder::group_by_device() {
  for (std::size_t p = 0; p < ports_.size(); ++p) {
    std::vector<std::pair<std::uint16_t, PortId>> vlans;
    bool tagged = ports_[p].vlan != 0;
    for (std::size_t q = 0; q < ports_.size(); ++q) {
      const bool same =
          p == q || (!ports_[p].device.empty() && ports_[p].device == ports_[q].device);
      if (!same) continue;
      tagged |= ports_[q].vlan != 0;
      vlans.emplace_back(ports_[q].vlan, PortId(static_cast<std::uint16_t>(q)));
    }
    if (tagged) port_entries_[p].vlans = std::move(vlans);
  }
}

std::optional<SnapshotBuilder::NextHop> SnapshotBuilder::next_hop(
    const net::IpAddress& address) const {
  for (std::size_t p = 0; p < ports_.size(); ++p) {
    if (port_entries_[p].is_on_link(address)) {
      return NextHop{PortId(static_cast<std::uint16_t>(p)), address};
    }
  }
  for (std::size_t p = 0; p < ports_.size(); ++p) {
    for (const net::IpAddress& gateway : ports_[p].gateways) {
      if (gateway.family != address.family) continue;
      return NextHop{PortId(static_cast<std::uint16_t>(p)), gateway};
    }
  }
  return std::nullopt;
}

NeighbourId SnapshotBuilder::neighbour(const NeighbourTarget& target) {
  const NeighbourId next(static_cast<std::uint32_t>(neighbours_.size()));
  const auto [entry, is_new] = neighbour_ids_.emplace(target, next);
  if (is_new) neighbours_.push_back(target);
  return entry->second;
}

void SnapshotBuilder::add_ports(Snapshot& snapshot) const {
  snapshot.ports = port_entries_;
  snapshot.nat_addresses = nat_addresses_;
}

void SnapshotBuilder::prime(std::vector<KnownTable> tables) {
  for (KnownTable& known : tables) {
    primed_[ServiceKey(known.address, known.port, known.protocol, known.forward)] =
        std::move(known.table);
  }
}

std::vector<KnownTable> SnapshotBuilder::grown_tables() const {
  std::vector<KnownTable> grown;
  for (const auto& [key, id] : service_ids_) {
    const TableHistory::Current* current = tables_.find(id);
    if (current == nullptr || current->first_build) continue;
    const auto& [address, port, protocol, forward] = key;
    grown.push_back({address, port, protocol, forward, current->table});
  }
  return grown;
}

std::unique_ptr<const Snapshot> SnapshotBuilder::empty() const {
  auto snapshot = std::make_unique<Snapshot>(model::FlowKey{});
  add_ports(*snapshot);
  snapshot->services.resize(1);
  snapshot->backends.resize(1);
  snapshot->service_names.resize(1);
  snapshot->backend_names.resize(1);
  index_destinations({}, *snapshot);
  return snapshot;
}

// An id is free when nobody wants its backend and no flow refers to it. A backend that the running
// snapshot still has may get flows until the next is published, so its id rests for one snapshot.
void SnapshotBuilder::free_unused_ids(const model::Desired& desired, const LiveFlows& live_flows) {
  std::set<ServiceKey> wanted_services;
  std::set<BackendKey> wanted_backends;
  for (const model::Service& service : desired.services) {
    const ServiceKey key(service.address, service.port, service.protocol, service.forward);
    wanted_services.insert(key);
    const auto id = service_ids_.find(key);
    if (id == service_ids_.end()) continue;
    for (const model::Backend& backend : service.backends) {
      wanted_backends.emplace(id->second.value, backend.name, backend.address, backend.port);
    }
  }
  std::set<std::uint16_t> services_in_use;
  for (auto entry = backend_ids_.begin(); entry != backend_ids_.end();) {
    auto& [key, backend] = *entry;
    const bool was_retired = std::exchange(backend.retired, !wanted_backends.contains(key));
    if (was_retired && backend.retired && live_flows(backend.id) == 0) {
      free_backends_.insert(backend.id.value);
      tables_.forget(backend.id);
      entry = backend_ids_.erase(entry);
      continue;
    }
    services_in_use.insert(std::get<0>(key));
    ++entry;
  }
  for (auto entry = service_ids_.begin(); entry != service_ids_.end();) {
    const bool wanted = wanted_services.contains(entry->first);
    if (wanted || services_in_use.contains(entry->second.value)) {
      ++entry;
      continue;
    }
    free_services_.insert(entry->second.value);
    tables_.forget(entry->second);
    splice_counters_.erase(entry->second);
    entry = service_ids_.erase(entry);
  }
}

Result<std::unique_ptr<const Snapshot>> SnapshotBuilder::build(const model::Desired& desired,
                                                               const LiveFlows& live_flows,
                                                               std::uint32_t now_ms) {
  if (Result<void> next = check_sequence(desired); !next) return next.error();
  if (Result<void> checked = check_content(desired); !checked) return checked.error();
  if (Result<void> prepared = prepare_splices(desired); !prepared) return prepared.error();
  reused_.clear();
  free_unused_ids(desired, live_flows);

  auto snapshot = std::make_unique<Snapshot>(desired.flow_key);
  snapshot->epoch = desired.epoch;
  snapshot->splice_keys = splice_keys_;
  add_ports(*snapshot);
  snapshot->services.resize(1);
  snapshot->service_names.resize(1);
  snapshot->backends.resize(1);
  snapshot->backend_names.resize(1);
  access_.begin(desired.prefix_lists);
  for (const model::Service& service : desired.services) add_service(service, now_ms, *snapshot);
  access_.end();
  add_retired(*snapshot);
  index_destinations(desired, *snapshot);
  services_ = desired.services;
  epoch_ = desired.epoch;
  flow_key_ = desired.flow_key;
  return std::unique_ptr<const Snapshot>(std::move(snapshot));
}

namespace {

template <typename T>
T& entry_at(std::vector<T>& entries, std::size_t index) {
  if (entries.size() <= index) entries.resize(index + 1);
  return entries[index];
}

// The lowest free id, or the next that was never used.
template <typename Id>
Id take_id(std::set<typename Id::underlying>& free, std::uint32_t& used) {
  if (free.empty()) return Id(static_cast<typename Id::underlying>(++used));
  return Id(free.extract(free.begin()).value());
}

}  // namespace

BackendId SnapshotBuilder::add_backend(const model::Backend& backend, ServiceId service,
                                       bool tunnel, Snapshot& snapshot) {
  const NextHop hop = *next_hop(backend.address);
  const BackendKey key(service.value, backend.name, backend.address, backend.port);
  auto known = backend_ids_.find(key);
  if (known == backend_ids_.end()) {
    const bool reused = !free_backends_.empty();
    KnownBackend fresh{.id = take_id<BackendId>(free_backends_, backends_used_),
                       .next_hop = neighbour({hop.port, hop.address})};
    if (reused) reused_.push_back(fresh.id);
    known = backend_ids_.emplace(key, fresh).first;
  }
  const BackendId id = known->second.id;
  entry_at(snapshot.backends, id.value) = {.address = backend.address,
                                           .port = net::Big16(backend.port),
                                           .service = service,
                                           .next_hop = known->second.next_hop,
                                           .port_out = hop.port,
                                           .admission = backend.admission,
                                           .weight = backend.weight,
                                           .departure = backend.departure};
  if (tunnel) {
    const PathId next(static_cast<std::uint32_t>(path_ids_.size() + 1));
    snapshot.backends[id.value].path = path_ids_.emplace(backend.address, next).first->second;
  }
  entry_at(snapshot.backend_names, id.value) = backend.name;
  return id;
}

Result<std::shared_ptr<SpliceService>> SnapshotBuilder::make_splice(const model::Service& service,
                                                                    const SpliceKeys& keys) const {
  const std::string where = "service \"" + service.name + "\": ";
  if (Result<void> sound = check_splice(service, keys); !sound) {
    return fail(where + sound.error().message);
  }
  if (service.forward != model::Forward::kSplice) return std::shared_ptr<SpliceService>();
  auto made = splice_settings(service, keys, workers_);
  if (!made) return fail(where + made.error().message);
  return made;
}

// Rules are checked before anything is built, and made once.
Result<void> SnapshotBuilder::prepare_splices(const model::Desired& desired) {
  SpliceKeys keys = splice_keys(desired);
  std::map<std::string, std::shared_ptr<SpliceService>> splices;
  for (const model::Service& service : desired.services) {
    auto made = make_splice(service, keys);
    if (!made) return made.error();
    if (*made != nullptr) splices.emplace(service.name, *std::move(made));
  }
  splice_keys_ = std::move(keys);
  splices_ = std::move(splices);
  return {};
}

// Homes by tag, and the counters of the service's last snapshot if it has as many rules.
void SnapshotBuilder::add_splice(const model::Service& service, ServiceId id, ServiceEntry& entry,
                                 const Snapshot& snapshot) {
  const std::shared_ptr<SpliceService> splice = splices_.at(service.name);
  std::vector<std::pair<TagKey, BackendId>> homes;
  for (const model::Backend& backend : service.backends) {
    const auto known =
        backend_ids_.at(BackendKey(id.value, backend.name, backend.address, backend.port));
    homes.push_back({{snapshot.backends[known.id.value].tag}, known.id});
  }
  splice->homes = table::OpenTable<TagKey, BackendId>(homes);
  splice->mtu = UINT16_MAX;
  for (const PortEntry& port : port_entries_) splice->mtu = std::min(splice->mtu, port.mtu);
  auto& counters = splice_counters_[id];
  const std::size_t rules = service.splice.rules.size();
  if (counters.empty() || counters.front()->rules.size() != rules) {
    counters.clear();
    for (std::uint16_t w = 0; w < workers_; ++w) {
      counters.push_back(std::make_shared<SpliceCounters>(rules));
    }
  }
  splice->counters = counters;
  entry.splice = splice;
}

// Backends that are gone but may still have flows: known, and down, so that their flows end.
void SnapshotBuilder::add_retired(Snapshot& snapshot) {
  for (const auto& [key, known] : backend_ids_) {
    const auto& [service, name, address, port] = key;
    entry_at(snapshot.services, service);
    entry_at(snapshot.service_names, service);
    if (!known.retired) continue;
    entry_at(snapshot.backends, known.id.value) = {
        .address = address,
        .port = net::Big16(port),
        .service = ServiceId(service),
        .next_hop = known.next_hop,
        .port_out = neighbours_[known.next_hop.value].port,
        .admission = model::Admission::kDown,
        .weight = 0};
    snapshot.services[service].leaving.push_back(known.id);
    entry_at(snapshot.backend_names, known.id.value) = name;
  }
}

void SnapshotBuilder::add_service(const model::Service& service, std::uint32_t now_ms,
                                  Snapshot& snapshot) {
  const ServiceKey key(service.address, service.port, service.protocol, service.forward);
  auto known = service_ids_.find(key);
  if (known == service_ids_.end()) {
    known = service_ids_.emplace(key, take_id<ServiceId>(free_services_, services_used_)).first;
    if (auto primed = primed_.extract(key))
      tables_.prime(known->second, std::move(primed.mapped()));
  }
  const ServiceId id = known->second;
  entry_at(snapshot.service_names, id.value) = service.name;
  ServiceEntry entry = settings_of(service, workers_);
  std::vector<std::pair<l4::ServerId, BackendId>> quic_servers;
  for (const model::Backend& backend : service.backends) {
    const BackendId backend_id =
        add_backend(backend, id, model::is_tunnel(service.forward), snapshot);
    if (service.forward == model::Forward::kSplice) {
      BackendEntry& tagged = snapshot.backends[backend_id.value];
      tagged.tag = affinity::backend_tag(splice_keys_.secret, service.name, backend.name);
      if (!backend.generation.empty()) {
        tagged.generation =
            affinity::generation_tag(splice_keys_.secret, service.name, backend.generation);
      }
    }
    if (!backend.quic_server_id.empty()) {
      quic_servers.push_back({*l4::server_id_from(bytes_of(backend.quic_server_id)), backend_id});
    }
    if (backend.admission != model::Admission::kServing) {
      entry.leaving.push_back(backend_id);
      continue;
    }
    entry.total_weight += backend.weight;
    entry.members.push_back(backend_id);
  }
  if (service.quic.server_id_length != 0) {
    entry.quic = std::make_shared<const QuicRoutes>(quic_parameters(service.quic), quic_servers);
  }
  entry.access = access_.rules(service.protection);
  if (service.forward == model::Forward::kSplice) add_splice(service, id, entry, snapshot);
  const TableHistory::Current& current = tables_.next(
      id, slots_wanted(service), members_of(service), entry.members, now_ms, snapshot.slots_moved);
  entry.table = current.table;
  entry.previous = current.previous;
  entry.changed_ms = current.changed_ms;
  entry_at(snapshot.services, id.value) = std::move(entry);
}

void SnapshotBuilder::index_destinations(const model::Desired& desired, Snapshot& snapshot) const {
  using table::AddressRole;
  std::vector<std::pair<table::Ipv4Endpoint, ServiceId>> ipv4;
  std::vector<std::pair<table::Ipv6Endpoint, ServiceId>> ipv6;
  std::vector<std::pair<table::AddressKey, table::AddressEntry>> addresses;
  for (const model::Service& service : desired.services) {
    const ServiceKey key(service.address, service.port, service.protocol, service.forward);
    const ServiceId id = service_ids_.at(key);
    const net::Big16 port(service.port);
    const std::uint8_t protocol = ip_protocol(service.protocol);
    if (service.address.is_ipv4()) {
      ipv4.push_back({{service.address.v4(), port, protocol}, id});
    } else {
      ipv6.push_back({{service.address.v6(), port, protocol}, id});
    }
    addresses.push_back({{service.address}, {.role = AddressRole::kService, .slot = 0}});
  }
  for (std::size_t slot = 0; slot < nat_addresses_.size(); ++slot) {
    addresses.push_back({{nat_addresses_[slot]},
                         {.role = AddressRole::kNat, .slot = static_cast<std::uint8_t>(slot)}});
  }
  for (const PortSetup& port : ports_) {
    for (const net::Prefix& own : port.addresses) {
      addresses.push_back({{own.address}, {.role = AddressRole::kOwn, .slot = 0}});
    }
  }
  snapshot.ipv4_services = table::Ipv4Services(ipv4);
  snapshot.ipv6_services = table::Ipv6Services(ipv6);
  snapshot.addresses = table::Addresses(addresses);
  std::vector<std::pair<table::AddressKey, PathId>> paths;
  for (const auto& [address, id] : path_ids_) paths.push_back({{address}, id});
  snapshot.paths = table::OpenTable<table::AddressKey, PathId>(paths);
}

}  // namespace hawser::pipeline
