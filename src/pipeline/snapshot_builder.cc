// From what hawserd wants to what workers decide by: ids, neighbours, tables.
#include "hawser/pipeline/snapshot_builder.h"

#include <algorithm>
#include <utility>

#include "hawser/base/contract.h"
#include "service_settings.h"

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
  image_ = *empty();
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

std::vector<KnownTable> SnapshotBuilder::take_changed_tables() {
  std::vector<KnownTable> changed;
  for (const ServiceKey& key : std::exchange(changed_tables_, {})) {
    const auto id = service_ids_.find(key);
    const TableHistory::Current* current =
        id == service_ids_.end() ? nullptr : tables_.find(id->second);
    const bool grown = current != nullptr && !current->first_build;
    const auto& [address, port, protocol, forward] = key;
    changed.push_back({address, port, protocol, forward, grown ? current->table : nullptr});
  }
  return changed;
}

std::unique_ptr<const Snapshot> SnapshotBuilder::empty() const {
  auto snapshot = std::make_unique<Snapshot>(model::FlowKey{});
  snapshot->ports = port_entries_;
  snapshot->nat_addresses = nat_addresses_;
  snapshot->services.resize(1);
  snapshot->backends.resize(1);
  snapshot->service_names.set(0, "");
  snapshot->backend_names.set(0, "");
  index_destinations({}, *snapshot);
  return snapshot;
}

Result<std::unique_ptr<const Snapshot>> SnapshotBuilder::build(const model::Desired& desired,
                                                               const LiveFlows& live_flows,
                                                               std::uint32_t now_ms) {
  if (Result<void> next = check_sequence(desired); !next) return next.error();
  Result<Plan> plan = this->plan(desired);
  if (!plan) return plan.error();
  reused_.clear();
  retire(*plan);
  free_unused_ids(live_flows);

  if (epoch_ == Epoch()) image_.flow_hash = hash::FlowHash(desired.flow_key);
  image_.epoch = desired.epoch;
  image_.slots_moved = 0;
  image_.splice_keys = std::move(plan->keys);
  access_.begin(desired.prefix_lists);
  for (Change& change : plan->changes) add_service(change, now_ms);
  access_.end();
  if (!plan->same_destinations || path_ids_.size() != paths_indexed_) {
    index_destinations(desired.services, image_);
    paths_indexed_ = path_ids_.size();
  }
  services_ = desired.services;
  cookie_keys_ = desired.cookie_keys;
  epoch_ = desired.epoch;
  flow_key_ = desired.flow_key;
  return std::unique_ptr<const Snapshot>(std::make_unique<Snapshot>(image_));
}

namespace {

template <typename T>
T& entry_at(std::vector<T>& entries, std::size_t index) {
  if (entries.size() <= index) entries.resize(index + 1);
  return entries[index];
}

}  // namespace

BackendId SnapshotBuilder::add_backend(const model::Backend& backend, ServiceId service,
                                       bool tunnel) {
  const NextHop hop = *next_hop(backend.address);
  const KnownBackend& known = known_backend(backend, service, hop);
  BackendEntry& entry = entry_at(image_.backends, known.id.value);
  entry = {.address = backend.address,
           .port = net::Big16(backend.port),
           .service = service,
           .next_hop = known.next_hop,
           .port_out = hop.port,
           .admission = backend.admission,
           .weight = backend.weight,
           .departure = backend.departure};
  if (tunnel) {
    const PathId next(static_cast<std::uint32_t>(path_ids_.size() + 1));
    entry.path = path_ids_.emplace(backend.address, next).first->second;
  }
  image_.backend_names.set(known.id.value, backend.name);
  return known.id;
}

// Homes by tag, and the counters of the service's last snapshot if it has as many rules.
void SnapshotBuilder::add_splice(const Change& change, ServiceId id, ServiceEntry& entry) {
  const model::Service& service = *change.service;
  const std::shared_ptr<SpliceService> splice = change.splice;
  std::vector<std::pair<TagKey, BackendId>> homes;
  for (const model::Backend& backend : service.backends) {
    const auto known =
        backend_ids_.at(BackendKey(id.value, backend.name, backend.address, backend.port));
    homes.push_back({{image_.backends[known.id.value].tag}, known.id});
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

void SnapshotBuilder::add_service(Change& change, std::uint32_t now_ms) {
  const model::Service& service = *change.service;
  const ServiceId id = service_id(service);
  ServiceEntry entry = settings_of(service, workers_);
  std::vector<std::pair<l4::ServerId, BackendId>> quic_servers;
  for (const model::Backend& backend : service.backends) {
    const BackendId backend_id = add_backend(backend, id, model::is_tunnel(service.forward));
    if (service.forward == model::Forward::kSplice) {
      BackendEntry& tagged = image_.backends[backend_id.value];
      tagged.tag = affinity::backend_tag(image_.splice_keys.secret, service.name, backend.name);
      if (!backend.generation.empty()) {
        tagged.generation =
            affinity::generation_tag(image_.splice_keys.secret, service.name, backend.generation);
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
  add_retired(id, entry);
  if (service.quic.server_id_length != 0) {
    entry.quic = std::make_shared<const QuicRoutes>(quic_parameters(service.quic), quic_servers);
  }
  entry.access = access_.rules(service.protection);
  if (service.forward == model::Forward::kSplice) add_splice(change, id, entry);
  entry.plain = entry.quic == nullptr && entry.splice == nullptr && entry.access.table == nullptr;
  image_.slots_moved += change.step.slots_moved;
  if (change.step.table != nullptr) changed_tables_.insert(key_of(service));
  const TableHistory::Current& current =
      tables_.next(id, std::move(change.step), entry.members, now_ms);
  entry.table = current.table;
  entry.previous = current.previous;
  entry.changed_ms = current.changed_ms;
  entry_at(image_.services, id.value) = std::move(entry);
  image_.service_names.set(id.value, service.name);
}

void SnapshotBuilder::index_destinations(const model::ServiceList& services,
                                         Snapshot& snapshot) const {
  using table::AddressRole;
  std::vector<std::pair<table::Ipv4Endpoint, ServiceId>> ipv4;
  std::vector<std::pair<table::Ipv6Endpoint, ServiceId>> ipv6;
  std::vector<std::pair<table::AddressKey, table::AddressEntry>> addresses;
  for (const model::Service& service : services) {
    const ServiceId id = service_ids_.at(key_of(service));
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
