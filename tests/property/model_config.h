// The model's view of what operators want: services and backends by identity, not by id.
//
// An identity is a small number for a service (address, port, protocol, mode) or one backend of it
// (name, address, port), for ever. Ids are the dataplane's: read from the snapshot to compare, and
// checked, never used to decide.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "hawser/model/desired.h"
#include "hawser/net/ipv4.h"
#include "hawser/pipeline/snapshot.h"
#include "network.h"

namespace hawser::property {

// Seconds since the model began; never wraps.
using Moment = std::int64_t;
// The same in milliseconds.
using Milliseconds = std::int64_t;

[[nodiscard]] inline Moment seconds_of(Milliseconds moment) {
  return moment / 1000;
}

using ServiceIdentity = int;
using BackendIdentity = int;

struct ModelBackend {
  std::string name;
  ServiceIdentity service = 0;
  net::IpAddress address;
  std::uint16_t port = 0;
  NeighbourTarget next_hop;
  model::Admission admission = model::Admission::kDown;  // down when nobody wants it
  std::uint32_t weight = 0;
  BackendId id;  // of the published snapshot; that of the last one that had it
};

// Where clients send to.
struct Destination {
  net::IpAddress address;
  std::uint16_t port = 0;
  std::uint8_t protocol = 0;
  friend auto operator<=>(const Destination&, const Destination&) = default;
};

// Who owned a slot before its last change.
struct PreviousOwner {
  BackendIdentity backend = 0;
  Milliseconds since = 0;
};

struct ModelService {
  bool present = false;
  model::Service wanted;  // as last wanted
  ServiceId id;
  std::vector<BackendIdentity> serving;  // in the order wanted: the members of the table
  std::shared_ptr<const table::Maglev> table;
  std::vector<std::optional<BackendIdentity>> owners;  // by slot
  std::map<std::uint32_t, PreviousOwner> previous;     // by slot
  std::vector<BackendIdentity> leaving;                // known, but not serving
  std::uint64_t total_weight = 0;                      // of those that serve
  Milliseconds changed = 0;                            // when members or weights last did

  [[nodiscard]] bool is_tcp() const { return wanted.protocol == model::Protocol::kTcp; }
  [[nodiscard]] Destination destination() const {
    return {.address = wanted.address,
            .port = wanted.port,
            .protocol = is_tcp() ? net::kProtocolTcp : net::kProtocolUdp};
  }
  [[nodiscard]] bool is_nat() const { return wanted.forward == model::Forward::kNat; }
};

class ModelConfig {
 public:
  explicit ModelConfig(const Network& network) : network_(&network) {}

  // Takes over what was published. Complains in `faults` about tables whose shares are not as the
  // weights say, and about ids that are missing or two backends'.
  void publish(const model::Desired& desired, const pipeline::Snapshot& snapshot, Milliseconds now,
               std::vector<std::string>& faults);

  [[nodiscard]] const ModelService& service(ServiceIdentity identity) const {
    return services_[static_cast<std::size_t>(identity)];
  }
  [[nodiscard]] const ModelBackend& backend(BackendIdentity identity) const {
    return backends_[static_cast<std::size_t>(identity)];
  }
  [[nodiscard]] std::span<const ModelBackend> backends() const { return backends_; }
  [[nodiscard]] std::span<const ModelService> services() const { return services_; }
  // The present service for a destination.
  [[nodiscard]] std::optional<ServiceIdentity> find(const net::IpAddress& address,
                                                    std::uint16_t port, bool tcp) const;
  // Who a packet without a flow goes to instead of the slot's owner, if anybody.
  [[nodiscard]] std::optional<BackendIdentity> previous_owner(const ModelService& service,
                                                              std::uint32_t slot, bool opens,
                                                              Milliseconds now) const;
  // By its lists, searched one by one.
  [[nodiscard]] bool is_denied(const net::IpAddress& address, const model::Service& service) const;
  [[nodiscard]] bool is_service_address(const net::IpAddress& address) const;

 private:
  using ServiceKey = std::tuple<net::IpAddress, std::uint16_t, model::Protocol, model::Forward>;
  using BackendKey = std::tuple<ServiceIdentity, std::string, net::IpAddress, std::uint16_t>;

  void add(const model::Service& wanted, const pipeline::Snapshot& snapshot, Milliseconds now,
           std::vector<std::string>& faults);
  BackendIdentity add(const model::Backend& wanted, ServiceIdentity service,
                      const pipeline::Snapshot& snapshot, std::vector<std::string>& faults);
  static void follow_table(ModelService& service, bool members_changed, Milliseconds now);
  void forget_freed(const pipeline::Snapshot& snapshot);
  void find_leaving(const pipeline::Snapshot& snapshot);
  void check_shares(const ModelService& service, std::vector<std::string>& faults) const;

  const Network* network_;
  std::vector<ModelService> services_;
  std::vector<ModelBackend> backends_;
  std::vector<model::PrefixList> prefix_lists_;
  std::map<ServiceKey, ServiceIdentity> service_identities_;
  std::map<BackendKey, BackendIdentity> backend_identities_;
};

}  // namespace hawser::property
