// From what hawserd wants to what workers decide by: ids, neighbours, tables.
#include "hawser/pipeline/snapshot_builder.h"

#include <algorithm>
#include <utility>

#include "hawser/base/contract.h"
#include "hawser/net/ipv4.h"

namespace hawser::pipeline {
namespace {

constexpr std::uint64_t kIdentitySeed = 0x686177736572;  // "hawser"

std::uint8_t ip_protocol(model::Protocol protocol) {
  return protocol == model::Protocol::kTcp ? net::kProtocolTcp : net::kProtocolUdp;
}

std::array<std::uint16_t, l4::kFlowStates> timeouts_by_state(const model::Timeouts& timeouts) {
  using enum l4::FlowState;
  std::array<std::uint16_t, l4::kFlowStates> result{};
  const auto set = [&](l4::FlowState state, std::uint16_t seconds) {
    result[static_cast<std::size_t>(state)] = seconds;
  };
  set(kSynSent, timeouts.handshake);
  set(kSynReceived, timeouts.handshake);
  set(kEstablished, timeouts.established);
  set(kClientFin, timeouts.closing);
  set(kServerFin, timeouts.closing);
  set(kTimeWait, timeouts.closing);
  set(kReset, std::min(timeouts.closing, limits::kResetLingerSeconds));
  set(kUdp, timeouts.udp);
  return result;
}

}  // namespace

SnapshotBuilder::SnapshotBuilder(std::vector<PortSetup> ports, std::size_t backend_capacity)
    : ports_(std::move(ports)), backend_capacity_(backend_capacity) {
  HAWSER_REQUIRE(ports_.size() <= limits::kMaxPorts);
  for (std::size_t p = 0; p < ports_.size(); ++p) {
    const PortSetup& port = ports_[p];
    PortEntry entry;
    entry.mac = port.mac;
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
    tables_.erase(entry->first);
    entry = service_ids_.erase(entry);
  }
}

Result<std::unique_ptr<const Snapshot>> SnapshotBuilder::build(const model::Desired& desired,
                                                               const LiveFlows& live_flows) {
  if (Result<void> checked = check(desired); !checked) return checked.error();
  reused_.clear();
  free_unused_ids(desired, live_flows);

  auto snapshot = std::make_unique<Snapshot>(desired.flow_key);
  snapshot->epoch = desired.epoch;
  add_ports(*snapshot);
  snapshot->services.resize(1);
  snapshot->service_names.resize(1);
  snapshot->backends.resize(1);
  snapshot->backend_names.resize(1);
  for (const model::Service& service : desired.services) add_service(service, *snapshot);
  add_retired(*snapshot);
  index_destinations(desired, *snapshot);
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

std::uint8_t affinity_prefix(const model::Service& service) {
  return service.address.is_ipv4() ? service.affinity.ipv4_prefix : service.affinity.ipv6_prefix;
}

}  // namespace

BackendId SnapshotBuilder::add_backend(const model::Backend& backend, ServiceId service,
                                       Snapshot& snapshot) {
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
                                           .admission = backend.admission};
  entry_at(snapshot.backend_names, id.value) = backend.name;
  return id;
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
        .admission = model::Admission::kDown};
    entry_at(snapshot.backend_names, known.id.value) = name;
  }
}

void SnapshotBuilder::add_service(const model::Service& service, Snapshot& snapshot) {
  const ServiceKey key(service.address, service.port, service.protocol, service.forward);
  auto known = service_ids_.find(key);
  if (known == service_ids_.end()) {
    known = service_ids_.emplace(key, take_id<ServiceId>(free_services_, services_used_)).first;
  }
  const ServiceId id = known->second;
  std::vector<table::Member> members;
  std::vector<BackendId> member_ids;
  for (const model::Backend& backend : service.backends) {
    const BackendId backend_id = add_backend(backend, id, snapshot);
    if (backend.admission != model::Admission::kServing) continue;
    members.push_back(
        {.identity = hash::name_hash(backend.name, kIdentitySeed), .weight = backend.weight});
    member_ids.push_back(backend_id);
  }
  entry_at(snapshot.service_names, id.value) = service.name;
  entry_at(snapshot.services, id.value) = {
      .address = service.address,
      .port = net::Big16(service.port),
      .protocol = ip_protocol(service.protocol),
      .forward = service.forward,
      .affinity = service.affinity.by,
      .on_down = service.on_down,
      .affinity_prefix = affinity_prefix(service),
      .timeout = timeouts_by_state(service.timeouts),
      .table = next_table(key, service, std::move(members), snapshot.slots_moved),
      .members = std::move(member_ids)};
}

// The table that follows the one before with the fewest moves; the same one if nothing changed.
std::shared_ptr<const table::Maglev> SnapshotBuilder::next_table(const ServiceKey& key,
                                                                 const model::Service& service,
                                                                 std::vector<table::Member> members,
                                                                 std::uint64_t& slots_moved) {
  const std::uint32_t slots = service.table_slots != 0
                                  ? service.table_slots
                                  : table::Maglev::default_slots(service.backends.size());
  std::shared_ptr<const table::Maglev>& table = tables_[key];
  if (table == nullptr || table->slots() != slots) {
    slots_moved += slots;
    table = table::Maglev::build(std::move(members), slots);
  } else if (!std::equal(members.begin(), members.end(), table->members().begin(),
                         table->members().end())) {
    auto next = table::Maglev::update(*table, std::move(members));
    slots_moved += next->moved_from(*table);
    table = std::move(next);
  }
  return table;
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
}

}  // namespace hawser::pipeline
