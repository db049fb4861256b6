// SnapshotBuilder: from what hawserd wants to what workers decide by.
//
// Keeps what must outlive one snapshot: ids (a flow refers to its service and backend by id, so an
// id is reused only when no flow has it any more), neighbours, and the tables that the next ones
// start from. A build makes again what has changed and copies the rest. Main core only; allocates.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
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
  // Calls its second argument with each number below the first, in any order, from any threads, and
  // returns when all calls have.
  using Spread = std::function<void(std::size_t, const std::function<void(std::size_t)>&)>;

  // `backend_capacity` bounds backend ids (limits::kMaxBackends, less in tests). `workers` share
  // the rates that services allow.
  SnapshotBuilder(std::vector<PortSetup> ports, std::size_t backend_capacity,
                  std::uint16_t workers = 1);

  // Tables are made by this; by default one after the other.
  void spread_by(Spread spread) { spread_ = std::move(spread); }

  // Checks `desired` whole and builds it, or says why not and changes nothing. Refused: an epoch
  // not above the last, another flow key, duplicate names, overlapping services, an address that is
  // ours, families that the way of forwarding cannot mix, unreachable backends, `nat` without NAT
  // address, a tunnel without source address, unknown prefix lists, limits. `now_ms` is the
  // workers' millisecond clock. Services that `desired` shares with the last build by pointer cost
  // a copy of their entry; the result is the same as if they were built again.
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
  // Those that are others than at the last call; without a table: there is none any more that
  // cannot be built again.
  [[nodiscard]] std::vector<KnownTable> take_changed_tables();

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

  struct Retired {
    BackendId id;
    bool rested = false;  // a snapshot without it was built before the last
  };
  // Backends are in the order of their services.
  [[nodiscard]] static BackendKey first_of(ServiceId service) { return {service.value, "", {}, 0}; }
  [[nodiscard]] static bool is_of(const BackendKey& key, ServiceId service) {
    return std::get<0>(key) == service.value;
  }

  // A service that is new or differs from the last build's.
  struct Change {
    const model::Service* service = nullptr;
    const model::Service* before = nullptr;  // with the same key in the last build; null: none
    std::shared_ptr<SpliceService> splice;   // null: not read
    TableHistory::Step step;
  };
  // How a snapshot differs from the last build: all that can be refused and all that takes long,
  // without having changed anything.
  struct Plan {
    std::vector<Change> changes;              // in the order of the snapshot's services
    std::vector<const model::Service*> gone;  // nobody has their keys any more
    bool same_destinations = true;            // names, addresses and ways of forwarding
    bool same_lists = true;
    SpliceKeys keys;
  };

  // snapshot_plan.cc
  [[nodiscard]] Result<Plan> plan(const model::Desired& desired) const;
  void find_changes(const model::Desired& desired, Plan& plan) const;
  [[nodiscard]] Result<void> check(const model::Desired& desired, const Plan& plan) const;
  [[nodiscard]] Result<void> make_splice(Change& change, const SpliceKeys& keys) const;
  [[nodiscard]] static ServiceKey key_of(const model::Service& service);
  [[nodiscard]] const table::Maglev* table_of(const ServiceKey& key) const;

  // snapshot_check.cc
  [[nodiscard]] Result<void> check_sequence(const model::Desired& desired) const;
  [[nodiscard]] Result<void> check_capacity(const Plan& plan) const;
  [[nodiscard]] Result<void> check_service(const model::Service& service) const;
  [[nodiscard]] Result<void> check_own_address(const model::Service& service) const;
  [[nodiscard]] Result<void> check_backend(const model::Service& service,
                                           const model::Backend& backend) const;
  [[nodiscard]] std::optional<NextHop> next_hop(const net::IpAddress& address) const;

  // snapshot_ids.cc
  void retire(const Plan& plan);
  void retire_all_but(ServiceId service, const model::Service* wanted);
  void free_unused_ids(const LiveFlows& live_flows);
  void forget_freed(ServiceId service, std::vector<BackendId>& ids);
  void free_unused_services();
  void add_retired(ServiceId service, ServiceEntry& entry);
  [[nodiscard]] ServiceId service_id(const model::Service& service);
  [[nodiscard]] const KnownBackend& known_backend(const model::Backend& backend, ServiceId service,
                                                  const NextHop& hop);
  [[nodiscard]] NeighbourId neighbour(const NeighbourTarget& target);

  // preview.cc
  void preview_change(const model::Service* before, const Change& change,
                      const LiveFlows& live_flows, Preview& preview) const;
  void preview_before(const model::Service& before, const model::Service* after,
                      const LiveFlows& live_flows, std::vector<PreviewedBackend>& rows) const;
  [[nodiscard]] std::uint64_t flows_of(ServiceId service, const model::Backend& backend,
                                       const LiveFlows& live_flows) const;

  void group_by_device();
  void add_service(Change& change, std::uint32_t now_ms);
  void add_splice(const Change& change, ServiceId id, ServiceEntry& entry);
  BackendId add_backend(const model::Backend& backend, ServiceId service, bool tunnel);
  void index_destinations(const model::ServiceList& services, Snapshot& snapshot) const;

  std::vector<PortSetup> ports_;
  std::vector<net::IpAddress> nat_addresses_;
  std::vector<PortEntry> port_entries_;
  std::size_t backend_capacity_;
  std::uint16_t workers_;
  Spread spread_;

  std::map<ServiceKey, ServiceId> service_ids_;
  std::map<BackendKey, KnownBackend> backend_ids_;
  std::map<BackendKey, Retired> retired_;  // of backend_ids_
  std::set<ServiceKey> unwanted_;          // of service_ids_: retired backends keep them
  std::set<std::uint16_t> free_services_;
  std::set<std::uint32_t> free_backends_;
  std::uint32_t services_used_ = 0;
  std::uint32_t backends_used_ = 0;
  std::vector<BackendId> reused_;
  std::vector<NeighbourTarget> neighbours_;
  std::map<NeighbourTarget, NeighbourId> neighbour_ids_;
  std::map<net::IpAddress, PathId> path_ids_;
  std::size_t paths_indexed_ = 0;
  TableHistory tables_;
  std::set<ServiceKey> changed_tables_;  // since take_changed_tables()
  std::map<ServiceKey, std::shared_ptr<const table::Maglev>> primed_;
  AccessCache access_;
  // What workers count of spliced services.
  std::map<ServiceId, std::vector<std::shared_ptr<SpliceCounters>>> splice_counters_;
  // The last build, and what it was made from. The next one changes it and gives away a copy.
  Snapshot image_{model::FlowKey{}};
  model::ServiceList services_;
  std::vector<model::CookieKey> cookie_keys_;
  Epoch epoch_;
  model::FlowKey flow_key_{};
};

}  // namespace hawser::pipeline
