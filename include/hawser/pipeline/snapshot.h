// Snapshot: everything a worker decides by, immutable, replaced whole by one pointer.
//
// Built by SnapshotBuilder on the main core. Workers load the pointer once a burst and may not keep
// it longer; the old one is freed when all have moved on. Ids index the vectors directly.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "hawser/base/limits.h"
#include "hawser/base/strong.h"
#include "hawser/hash/flow_hash.h"
#include "hawser/l4/quic.h"
#include "hawser/l4/tcp_state.h"
#include "hawser/l4/token_bucket.h"
#include "hawser/model/service.h"
#include "hawser/net/address.h"
#include "hawser/pipeline/names.h"
#include "hawser/pipeline/neighbour_macs.h"
#include "hawser/pipeline/path_mtus.h"
#include "hawser/pipeline/splice_service.h"
#include "hawser/table/maglev.h"
#include "hawser/table/prefix_table.h"
#include "hawser/table/service_table.h"

namespace hawser::pipeline {

// A port as the pipeline needs to know it. Fixed for the life of the process.
struct PortEntry {
  net::MacAddress mac;
  std::uint16_t vlan = 0;  // 0: untagged
  std::uint16_t mtu = 1500;
  // All ports of this device by their VLAN, this one too; a single untagged port has no list.
  std::vector<std::pair<std::uint16_t, PortId>> vlans;
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
  // The source of tunnel packets that leave here; null without an address of that family.
  [[nodiscard]] const net::IpAddress* tunnel_source(net::Family family) const noexcept {
    for (const net::Prefix& network : networks) {
      if (network.address.family == family) return &network.address;
    }
    return nullptr;
  }
  [[nodiscard]] bool is_on_link(const net::IpAddress& address) const noexcept {
    for (const net::Prefix& network : networks) {
      if (network.contains(address)) return true;
    }
    return false;
  }
};

using PreviousOwners = table::OpenTable<table::SlotKey, BackendId>;

// Which backend a QUIC connection ID names.
struct QuicRoutes {
  QuicRoutes(const l4::QuicLbParameters& parameters,
             std::span<const std::pair<l4::ServerId, BackendId>> servers)
      : codec(parameters), backends(servers) {}

  l4::QuicLb codec;
  table::OpenTable<l4::ServerId, BackendId> backends;
};

// Which sources may use a service.
struct AccessRules {
  std::shared_ptr<const table::PrefixTable> table;
  bool unlisted_denied = false;  // there is an allow list and no deny list
};

// What is read for each packet comes first, in one cache line.
struct alignas(64) ServiceEntry {
  net::IpAddress address;
  net::Big16 port;
  std::uint8_t protocol = 0;  // IP protocol number
  bool plain = false;  // flows are found by tuple alone, whoever the client: recognise may do it
  model::Forward forward = model::Forward::kNat;
  model::ClientAddress client_address = model::ClientAddress::kNone;
  model::AffinityBy affinity = model::AffinityBy::kFlow;
  model::DownPolicy on_down = model::DownPolicy::kReset;
  std::uint8_t affinity_prefix = 0;  // bits of the client address that count
  net::Big16 gue_port;
  // Idle seconds after which a flow in this state is forgotten. All zero: the service is gone.
  std::array<std::uint16_t, l4::kFlowStates> timeout{};
  std::shared_ptr<const table::Maglev> table;  // null: the service is gone
  std::vector<BackendId> members;              // by index of the table's members
  // Who owned a slot before its last change, for slots that the table marks as changed.
  std::shared_ptr<const PreviousOwners> previous;
  std::uint32_t changed_ms = 0;             // when the table last changed, on the workers' clock
  std::vector<BackendId> leaving;           // backends that take no new flows but may have old ones
  std::uint64_t total_weight = 0;           // of the members
  std::uint32_t bounded_load_permille = 0;  // 0: no bound
  std::uint64_t max_flows = 0;              // 0: no limit
  l4::Rate new_flow_rate;                   // of one worker
  model::SourceRate source_rate;
  AccessRules access;
  std::shared_ptr<const QuicRoutes> quic;       // null: no routing by connection ID
  std::shared_ptr<const SpliceService> splice;  // null: not read, or the service is gone
};

struct alignas(64) BackendEntry {
  net::IpAddress address;
  net::Big16 port;
  ServiceId service;  // 0: nobody has this id
  NeighbourId next_hop;
  PortId port_out;
  model::Admission admission = model::Admission::kDown;
  std::uint32_t weight = 0;
  PathId path;                   // of tunnels; 0: none
  std::uint32_t tag = 0;         // in session cookies
  std::uint16_t generation = 0;  // tag of its generation; 0: none
  model::Departure departure;    // while it drains

  // Draining sessions and flows are let go part by part; `hash` is all that tells one from another.
  [[nodiscard]] static std::uint16_t slice_of(std::uint64_t hash) noexcept {
    return static_cast<std::uint16_t>(hash::mix(hash + 0x6472'6169'6eULL) % limits::kSlices);
  }
  // A flow that began may go on here.
  [[nodiscard]] bool keeps_flow(std::uint64_t hash) const noexcept {
    if (admission == model::Admission::kServing) [[likely]]
      return true;
    return admission == model::Admission::kDraining && slice_of(hash) >= departure.flows;
  }
  // A session that has its home here may stay.
  [[nodiscard]] bool keeps_session(std::uint64_t id) const noexcept {
    if (admission == model::Admission::kServing) [[likely]]
      return true;
    return admission == model::Admission::kDraining && slice_of(id) >= departure.sessions;
  }
};
static_assert(sizeof(BackendEntry) == 64);

struct Snapshot {
  explicit Snapshot(const hash::FlowHash::Key& key) : flow_hash(key) {}

  hash::FlowHash flow_hash;
  SpliceKeys splice_keys;
  table::Ipv4Services ipv4_services;
  table::Ipv6Services ipv6_services;
  table::Addresses addresses;
  table::OpenTable<table::AddressKey, PathId> paths;  // by address of tunnel backends
  std::vector<ServiceEntry> services;                 // by ServiceId; [0] is nobody
  std::vector<BackendEntry> backends;                 // by BackendId; [0] is nobody
  std::vector<PortEntry> ports;                       // by PortId
  std::vector<net::IpAddress> nat_addresses;          // by slot
  Epoch epoch;
  std::uint64_t slots_moved = 0;  // over all tables, against the snapshot before

  // For people and queries only; same indexes as above.
  Names service_names;
  Names backend_names;
};

}  // namespace hawser::pipeline
