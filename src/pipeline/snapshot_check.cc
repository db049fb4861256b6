// What each service of a snapshot must satisfy before anything of it is built.
#include <set>
#include <string_view>
#include <unordered_set>

#include "hawser/pipeline/snapshot_builder.h"
#include "service_settings.h"

namespace hawser::pipeline {
namespace {

bool is_prime(std::uint32_t n) {
  if (n < 2) return false;
  for (std::uint64_t d = 2; d * d <= n; ++d) {
    if (n % d == 0) return false;
  }
  return true;
}

Result<void> check_backend_names(const model::Service& service) {
  std::unordered_set<std::string_view> names;
  for (const model::Backend& backend : service.backends) {
    if (names.insert(backend.name).second) continue;
    return fail(described(service) + " has two backends named " + quoted(backend.name));
  }
  return {};
}

Result<void> check_client_address(const model::Service& service) {
  using enum model::ClientAddress;
  const bool nat = service.forward == model::Forward::kNat;
  const bool splice = service.forward == model::Forward::kSplice;
  const bool http = service.splice.layer7 == model::Layer7::kHttp;
  switch (service.client_address) {
    case kNone:
      return {};
    case kToa:
      if (nat && service.protocol == model::Protocol::kTcp) return {};
      return fail(described(service) + ": client_address \"toa\" needs forward = \"nat\" and TCP");
    case kProxyV2:
      if ((nat || splice) && service.protocol == model::Protocol::kTcp) return {};
      return fail(described(service) +
                  ": client_address \"proxy-v2\" needs forward = \"nat\" or \"splice\", and TCP");
    case kForwardedFor:
      if (splice && http) return {};
      return fail(described(service) + ": client_address \"x-forwarded-for\" needs protocol = " +
                  "\"http\" with forward = \"splice\"");
  }
  return {};
}

Result<void> check_quic(const model::Service& service) {
  const bool routes = service.quic.server_id_length != 0;
  if (service.affinity.by == model::AffinityBy::kQuicCid && !routes) {
    return fail(described(service) + ": affinity by quic-cid needs the layout of connection IDs");
  }
  if (!routes) return {};
  if (!service.quic.key.empty() && service.quic.key.size() != limits::kQuicKeyBytes) {
    return fail(described(service) + ": the QUIC key has " +
                std::to_string(service.quic.key.size()) + " bytes, must have " +
                std::to_string(limits::kQuicKeyBytes));
  }
  if (Result<void> sound = l4::check(quic_parameters(service.quic)); !sound) {
    return fail(described(service) + ": " + sound.error().message);
  }
  std::set<std::string> ids;
  for (const model::Backend& backend : service.backends) {
    if (backend.quic_server_id.empty()) continue;
    if (backend.quic_server_id.size() != service.quic.server_id_length) {
      return fail(described(service) + ", backend " + quoted(backend.name) +
                  ": the QUIC server id has " + std::to_string(backend.quic_server_id.size()) +
                  " bytes, must have " + std::to_string(service.quic.server_id_length));
    }
    if (!ids.insert(backend.quic_server_id).second) {
      return fail(described(service) + ", backend " + quoted(backend.name) +
                  ": another backend has the same QUIC server id");
    }
  }
  return {};
}

}  // namespace

Result<void> SnapshotBuilder::check_sequence(const model::Desired& desired) const {
  if (desired.epoch <= epoch_) {
    return fail("epoch " + std::to_string(desired.epoch.value) + " is not above the running " +
                std::to_string(epoch_.value));
  }
  if (epoch_ != Epoch() && desired.flow_key != flow_key_) {
    return fail(
        "the flow key differs from the running one; it can only change with a restart of "
        "hawser-dataplane");
  }
  return {};
}

// Ids that are not free yet count as taken, so this may refuse a little early, never late.
Result<void> SnapshotBuilder::check_capacity(const Plan& plan) const {
  std::size_t services = 0;
  std::size_t backends = 0;
  for (const Change& change : plan.changes) {
    const auto id = service_ids_.find(key_of(*change.service));
    const bool known = id != service_ids_.end();
    services += known ? 0 : 1;
    for (const model::Backend& backend : change.service->backends) {
      const bool has_id = known && backend_ids_.contains(BackendKey(id->second.value, backend.name,
                                                                    backend.address, backend.port));
      backends += has_id ? 0 : 1;
    }
  }
  const bool fits = service_ids_.size() + services <= limits::kMaxServices &&
                    backend_ids_.size() + backends < backend_capacity_ &&
                    neighbours_.size() + backends <= limits::kMaxNeighbours;
  if (fits) return {};
  return fail("no ids left for " + std::to_string(services) + " new services and " +
              std::to_string(backends) +
              " new backends: those removed before still have flows, or " +
              "the limits are reached");
}

Result<void> SnapshotBuilder::check_own_address(const model::Service& service) const {
  if (service.address.is_special()) {
    return fail(described(service) + ": nobody can be reached at this address");
  }
  for (const PortSetup& port : ports_) {
    for (const net::Prefix& own : port.addresses) {
      if (own.address != service.address) continue;
      return fail(described(service) + ": the address belongs to port " + quoted(port.name) +
                  " itself; give the service its own");
    }
    for (const net::IpAddress& nat : port.nat_addresses) {
      if (nat != service.address) continue;
      return fail(described(service) + ": the address is a NAT address of port " +
                  quoted(port.name) + "; give the service its own");
    }
  }
  return {};
}

Result<void> SnapshotBuilder::check_service(const model::Service& service) const {
  if (Result<void> names = check_backend_names(service); !names) return names;
  if (Result<void> own = check_own_address(service); !own) return own;
  if (Result<void> sound = check_quic(service); !sound) return sound;
  if (Result<void> sound = check_client_address(service); !sound) return sound;
  if (service.table_slots != 0 &&
      (!is_prime(service.table_slots) || service.table_slots > limits::kMaxTableSlots)) {
    return fail(described(service) + ": table_slots is " + std::to_string(service.table_slots) +
                ", must be a prime up to " + std::to_string(limits::kMaxTableSlots));
  }
  const std::size_t slots = slots_wanted(service);
  const std::size_t most = std::min(limits::kMaxBackendsPerService, slots);
  if (service.backends.size() > most) {
    return fail(described(service) + " has " + std::to_string(service.backends.size()) +
                " backends, at most " + std::to_string(most) + " fit its table");
  }
  for (const model::Backend& backend : service.backends) {
    if (Result<void> checked = check_backend(service, backend); !checked) return checked;
  }
  return {};
}

Result<void> SnapshotBuilder::check_backend(const model::Service& service,
                                            const model::Backend& backend) const {
  const auto refuse = [&](const std::string& why) {
    return fail(described(service) + ", backend " + quoted(backend.name) + " (" +
                net::endpoint_to_string(backend.address, backend.port) + ")" + why);
  };
  const bool tunnel = model::is_tunnel(service.forward);
  if (backend.address.family != service.address.family && !tunnel) {
    return refuse(": service and backend must be of one address family; a tunnel can mix them");
  }
  if (backend.address.is_special()) return refuse(": nobody can be reached there");
  if (!model::uses_nat(service.forward) && backend.port != service.port) {
    return refuse(": " + std::string(model::to_string(service.forward)) +
                  " cannot change the port; it must be " + std::to_string(service.port));
  }
  const std::optional<NextHop> hop = next_hop(backend.address);
  if (!hop) {
    return refuse(" is on no port's network, and no port has a gateway of its family");
  }
  const PortSetup& port = ports_[hop->port.value];
  if (service.forward == model::Forward::kDsrL2 && hop->address != backend.address) {
    return refuse(" is behind a gateway; dsr-l2 needs it on the link of a port");
  }
  if (model::uses_nat(service.forward) &&
      port_entries_[hop->port.value].nat(backend.address.family).empty()) {
    return refuse(": forward = " + quoted(std::string(model::to_string(service.forward))) +
                  ", but port " + quoted(port.name) + " has no NAT address of its family");
  }
  if (tunnel && !port_entries_[hop->port.value].tunnel_source(backend.address.family)) {
    return refuse(": a tunnel needs a source, but port " + quoted(port.name) +
                  " has no address of its family");
  }
  return {};
}

}  // namespace hawser::pipeline
