// Snapshot: everything a worker decides by, immutable, replaced whole by one pointer.
//
// Built by SnapshotBuilder on the main core. Workers load the pointer once a burst and may not keep
// it longer; the old one is freed when all have moved on. Ids index the vectors directly.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hawser/base/strong.h"
#include "hawser/hash/flow_hash.h"
#include "hawser/l4/tcp_state.h"
#include "hawser/model/service.h"
#include "hawser/net/address.h"
#include "hawser/pipeline/neighbour_macs.h"
#include "hawser/table/maglev.h"
#include "hawser/table/service_table.h"

namespace hawser::pipeline {

// A port as the pipeline needs to know it. Fixed for the life of the process.
struct PortEntry {
  net::MacAddress mac;
  std::vector<net::Prefix> networks;  // on-link
  std::optional<NeighbourId> gateway_ipv4;
  std::optional<NeighbourId> gateway_ipv6;
  std::vector<std::uint8_t> nat_ipv4;  // slots of its NAT addresses
  std::vector<std::uint8_t> nat_ipv6;

  [[nodiscard]] const std::optional<NeighbourId>& gateway(net::Family family) const noexcept {
    return family == net::Family::kIpv4 ? gateway_ipv4 : gateway_ipv6;
  }
  [[nodiscard]] const std::vector<std::uint8_t>& nat(net::Family family) const noexcept {
    return family == net::Family::kIpv4 ? nat_ipv4 : nat_ipv6;
  }
  [[nodiscard]] bool is_on_link(const net::IpAddress& address) const noexcept {
    for (const net::Prefix& network : networks) {
      if (network.contains(address)) return true;
    }
    return false;
  }
};

struct ServiceEntry {
  net::IpAddress address;
  net::Big16 port;
  std::uint8_t protocol = 0;  // IP protocol number
  model::Forward forward = model::Forward::kNat;
  model::AffinityBy affinity = model::AffinityBy::kFlow;
  model::DownPolicy on_down = model::DownPolicy::kReset;
  std::uint8_t affinity_prefix = 0;  // bits of the client address that count
  // Idle seconds after which a flow in this state is forgotten. All zero: the service is gone.
  std::array<std::uint16_t, l4::kFlowStates> timeout{};
  std::shared_ptr<const table::Maglev> table;  // null: the service is gone
  std::vector<BackendId> members;              // by index of the table's members
};

struct alignas(64) BackendEntry {
  net::IpAddress address;
  net::Big16 port;
  ServiceId service;  // 0: nobody has this id
  NeighbourId next_hop;
  PortId port_out;
  model::Admission admission = model::Admission::kDown;
};
static_assert(sizeof(BackendEntry) == 64);

struct Snapshot {
  explicit Snapshot(const hash::FlowHash::Key& key) : flow_hash(key) {}

  hash::FlowHash flow_hash;
  table::Ipv4Services ipv4_services;
  table::Ipv6Services ipv6_services;
  table::Addresses addresses;
  std::vector<ServiceEntry> services;         // by ServiceId; [0] is nobody
  std::vector<BackendEntry> backends;         // by BackendId; [0] is nobody
  std::vector<PortEntry> ports;               // by PortId
  std::vector<net::IpAddress> nat_addresses;  // by slot
  Epoch epoch;
  std::uint64_t slots_moved = 0;  // over all tables, against the snapshot before

  // For people and queries only; same indexes as above.
  std::vector<std::string> service_names;
  std::vector<std::string> backend_names;
};

}  // namespace hawser::pipeline
