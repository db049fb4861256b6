// SnapshotBuilder: from what hawserd wants to what workers decide by.
//
// Keeps what must outlive one snapshot: ids (a flow refers to its service and backend by id, so an
// id is reused only when no flow has it any more), neighbours, and the tables that the next ones
// start from. Main core only; allocates.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "hawser/base/result.h"
#include "hawser/model/desired.h"
#include "hawser/pipeline/access_cache.h"
#include "hawser/pipeline/preview.h"
#include "hawser/pipeline/snapshot.h"
#include "hawser/pipeline/table_history.h"

namespace hawser::pipeline {

// A port as the process found it.
struct PortSetup {
  std::string name;
  std::string device;      // ports of one device differ in their VLAN
  std::uint16_t vlan = 0;  // 0: untagged
  std::uint16_t mtu = 1500;
  net::MacAddress mac;
  std::vector<net::Prefix> addresses;
  std::vector<net::IpAddress> gateways;
  std::vector<net::IpAddress> nat_addresses;
};

// Whom the resolver must find: an address on a port's link.
struct NeighbourTarget {
  PortId port;
  net::IpAddress address;
  friend auto operator<=>(const NeighbourTarget&, const NeighbourTarget&) = default;
};

// A service's table, apart from any snapshot.
struct KnownTable {
  net::IpAddress address;
  std::uint16_t port = 0;
  model::Protocol protocol = model::Protocol::kTcp;
  model::Forward forward = model::Forward::kNat;
  std::shared_ptr<const table::Maglev> table;
};

class SnapshotBuilder {
 public:
  // Live flows of a backend over all workers.
  using LiveFlows = std::function<std::uint64_t(BackendId)>;

  // `backend_capacity` bounds backend ids (limits::kMaxBackends, less in tests). `workers` share
  // the rates that services allow.
  SnapshotBuilder(std::vector<PortSetup> ports, std::size_t backend_capacity,
                  std::uint16_t workers = 1);

  // Checks `desired` whole and builds it, or says why not and changes nothing. Refused: an epoch
  // not above the last, another flow key, duplicate names, overlapping services, an address that is
  // ours, families that the way of forwarding cannot mix, unreachable backends, `nat` without NAT
  // address, a tunnel without source address, unknown prefix lists, limits. `now_ms` is the
  // workers' millisecond clock.
  [[nodiscard]] Result<std::unique_ptr<const Snapshot>> build(const model::Desired& desired,
                                                              const LiveFlows& live_flows,
                                                              std::uint32_t now_ms = 0);

  // What build() would do with `candidate`, or why it would refuse it. The epoch and the flow key
  // do not count. Costs what building the services that differ costs.
  [[nodiscard]] Result<Preview> preview(const model::Desired& candidate,
                                        const LiveFlows& live_flows) const;

  // Tables that ran before this process did: the first snapshot's follow from them. Before the
  // first build only.
  void prime(std::vector<KnownTable> tables);
  // The tables of the last build that cannot be built again from the snapshot alone.
  [[nodiscard]] std::vector<KnownTable> grown_tables() const;

  // The snapshot before the first: no services, but own addresses. Never fails.
  [[nodiscard]] std::unique_ptr<const Snapshot> empty() const;

  // Backend ids that the last build gave to new backends after others had them. Nobody writes their
  // counters now: the caller zeroes them before it publishes the snapshot.
  [[nodiscard]] std::span<const BackendId> reused() const noexcept { return reused_; }

  // Every neighbour ever needed, by NeighbourId.
  [[nodiscard]] std::span<const NeighbourTarget> neighbours() const noexcept { return neighbours_; }
  [[nodiscard]] std::size_t nat_addresses() const noexcept { return nat_addresses_.size(); }

 private:
  using ServiceKey = std::tuple<net::IpAddress, std::uint16_t, model::Protocol, model::Forward>;
  using BackendKey = std::tuple<std::uint16_t, std::string, net::IpAddress, std::uint16_t>;
  struct NextHop {
    PortId port;
    net::IpAddress address;
  };

  struct KnownBackend {
    BackendId id;
    NeighbourId next_hop;
    bool retired = false;  // not wanted by the last snapshot
  };

  [[nodiscard]] Result<void> check_sequence(const model::Desired& desired) const;
  [[nodiscard]] Result<void> check_content(const model::Desired& desired) const;
  [[nodiscard]] Result<void> check_capacity(const model::Desired& desired) const;
  [[nodiscard]] Result<void> check_service(const model::Service& service) const;
  [[nodiscard]] Result<void> check_own_address(const model::Service& service) const;
  [[nodiscard]] Result<void> check_backend(const model::Service& service,
                                           const model::Backend& backend) const;
  [[nodiscard]] std::optional<NextHop> next_hop(const net::IpAddress& address) const;
  [[nodiscard]] NeighbourId neighbour(const NeighbourTarget& target);
  void add_ports(Snapshot& snapshot) const;
  void free_unused_ids(const model::Desired& desired, const LiveFlows& live_flows);
  [[nodiscard]] Result<void> prepare_splices(const model::Desired& desired);
  // Null for a service that is not read.
  [[nodiscard]] Result<std::shared_ptr<SpliceService>> make_splice(const model::Service& service,
                                                                   const SpliceKeys& keys) const;
  // Slots by identity of their owner; `table` may be null.
  static std::unordered_map<std::uint64_t, std::uint32_t> slots_of(const table::Maglev* table);
  [[nodiscard]] static ServiceKey key_of(const model::Service& service);
  [[nodiscard]] const table::Maglev* table_of(const ServiceKey& key) const;
  void preview_service(const model::Service* before, const model::Service* after,
                       const LiveFlows& live_flows, Preview& preview) const;
  void preview_before(const model::Service& before, const model::Service* after,
                      const LiveFlows& live_flows, std::vector<PreviewedBackend>& rows) const;
  [[nodiscard]] std::uint64_t flows_of(ServiceId service, const model::Backend& backend,
                                       const LiveFlows& live_flows) const;
  void add_service(const model::Service& service, std::uint32_t now_ms, Snapshot& snapshot);
  void add_splice(const model::Service& service, ServiceId id, ServiceEntry& entry,
                  const Snapshot& snapshot);
  void group_by_device();
  BackendId add_backend(const model::Backend& backend, ServiceId service, bool tunnel,
                        Snapshot& snapshot);
  void add_retired(Snapshot& snapshot);
  void index_destinations(const model::Desired& desired, Snapshot& snapshot) const;

  std::vector<PortSetup> ports_;
  std::vector<net::IpAddress> nat_addresses_;
  std::vector<PortEntry> port_entries_;
  std::size_t backend_capacity_;
  std::uint16_t workers_;

  std::map<ServiceKey, ServiceId> service_ids_;
  std::map<BackendKey, KnownBackend> backend_ids_;
  std::set<std::uint16_t> free_services_;
  std::set<std::uint32_t> free_backends_;
  std::uint32_t services_used_ = 0;
  std::uint32_t backends_used_ = 0;
  std::vector<BackendId> reused_;
  std::vector<NeighbourTarget> neighbours_;
  std::map<NeighbourTarget, NeighbourId> neighbour_ids_;
  std::map<net::IpAddress, PathId> path_ids_;
  TableHistory tables_;
  std::map<ServiceKey, std::shared_ptr<const table::Maglev>> primed_;
  AccessCache access_;
  SpliceKeys splice_keys_;
  // Of the snapshot being built, by name of the service; and what workers count, by id.
  std::map<std::string, std::shared_ptr<SpliceService>> splices_;
  std::map<ServiceId, std::vector<std::shared_ptr<SpliceCounters>>> splice_counters_;
  model::ServiceList services_;  // of the last build
  Epoch epoch_;
  model::FlowKey flow_key_{};
};

}  // namespace hawser::pipeline
