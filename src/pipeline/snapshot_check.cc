// What a snapshot must satisfy as a whole before anything of it is built.
#include <map>
#include <set>

#include "hawser/pipeline/snapshot_builder.h"

namespace hawser::pipeline {
namespace {

std::string quoted(const std::string& name) {
  return "\"" + name + "\"";
}

std::string described(const model::Service& service) {
  return "service " + quoted(service.name) + " (" +
         net::endpoint_to_string(service.address, service.port) + "/" +
         std::string(model::to_string(service.protocol)) + ")";
}

bool is_prime(std::uint32_t n) {
  if (n < 2) return false;
  for (std::uint64_t d = 2; d * d <= n; ++d) {
    if (n % d == 0) return false;
  }
  return true;
}

Result<void> check_names(const model::Desired& desired) {
  std::set<std::string> names;
  std::map<std::tuple<net::IpAddress, std::uint16_t, model::Protocol>, std::string> endpoints;
  std::size_t backends = 0;
  for (const model::Service& service : desired.services) {
    if (!names.insert(service.name).second) {
      return fail("two services are named " + quoted(service.name));
    }
    const auto [other, is_new] = endpoints.emplace(
        std::tuple(service.address, service.port, service.protocol), service.name);
    if (!is_new) {
      return fail(described(service) + " overlaps service " + quoted(other->second) +
                  ": address, port and protocol are the same");
    }
    std::set<std::string> backend_names;
    for (const model::Backend& backend : service.backends) {
      if (!backend_names.insert(backend.name).second) {
        return fail(described(service) + " has two backends named " + quoted(backend.name));
      }
    }
    backends += service.backends.size();
  }
  if (desired.services.size() > limits::kMaxServices) {
    return fail(std::to_string(desired.services.size()) + " services, at most " +
                std::to_string(limits::kMaxServices) + " are possible");
  }
  if (backends > limits::kMaxBackends) {
    return fail(std::to_string(backends) + " backends in all, at most " +
                std::to_string(limits::kMaxBackends) + " are possible");
  }
  return {};
}

}  // namespace

Result<void> SnapshotBuilder::check(const model::Desired& desired) const {
  if (desired.epoch <= epoch_) {
    return fail("epoch " + std::to_string(desired.epoch.value) + " is not above the running " +
                std::to_string(epoch_.value));
  }
  if (epoch_ != Epoch() && desired.flow_key != flow_key_) {
    return fail(
        "the flow key differs from the running one; it can only change with a restart of "
        "hawser-dataplane");
  }
  if (Result<void> names = check_names(desired); !names) return names;
  for (const model::Service& service : desired.services) {
    if (Result<void> checked = check_service(service); !checked) return checked;
  }
  return check_capacity(desired);
}

// Ids that are not free yet count as taken, so this may refuse a little early, never late.
Result<void> SnapshotBuilder::check_capacity(const model::Desired& desired) const {
  std::size_t services = 0;
  std::size_t backends = 0;
  for (const model::Service& service : desired.services) {
    const auto id = service_ids_.find(
        ServiceKey(service.address, service.port, service.protocol, service.forward));
    const bool known = id != service_ids_.end();
    services += known ? 0 : 1;
    for (const model::Backend& backend : service.backends) {
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

Result<void> SnapshotBuilder::check_service(const model::Service& service) const {
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
  if (service.table_slots != 0 &&
      (!is_prime(service.table_slots) || service.table_slots > limits::kMaxTableSlots)) {
    return fail(described(service) + ": table_slots is " + std::to_string(service.table_slots) +
                ", must be a prime up to " + std::to_string(limits::kMaxTableSlots));
  }
  const std::size_t slots = service.table_slots == 0
                                ? table::Maglev::default_slots(service.backends.size())
                                : service.table_slots;
  if (service.backends.size() > std::min(limits::kMaxBackendsPerService, slots)) {
    return fail(described(service) + " has " + std::to_string(service.backends.size()) +
                " backends, at most " +
                std::to_string(std::min(limits::kMaxBackendsPerService, slots)) + " fit its table");
  }
  for (const model::Backend& backend : service.backends) {
    if (Result<void> checked = check_backend(service, backend); !checked) return checked;
  }
  return {};
}

Result<void> SnapshotBuilder::check_backend(const model::Service& service,
                                            const model::Backend& backend) const {
  const std::string where = described(service) + ", backend " + quoted(backend.name) + " (" +
                            net::endpoint_to_string(backend.address, backend.port) + ")";
  if (backend.address.family != service.address.family) {
    return fail(where + ": service and backend must be of one address family");
  }
  if (backend.address.is_special()) return fail(where + ": nobody can be reached there");
  if (service.forward == model::Forward::kDsrL2 && backend.port != service.port) {
    return fail(where + ": dsr-l2 cannot change the port; it must be " +
                std::to_string(service.port));
  }
  const std::optional<NextHop> hop = next_hop(backend.address);
  if (!hop) {
    return fail(where + " is on no port's network, and no port has a gateway of its family");
  }
  const PortSetup& port = ports_[hop->port.value];
  if (service.forward == model::Forward::kDsrL2 && hop->address != backend.address) {
    return fail(where + " is behind a gateway; dsr-l2 needs it on the link of a port");
  }
  if (service.forward == model::Forward::kNat &&
      port_entries_[hop->port.value].nat(backend.address.family).empty()) {
    return fail(where + ": forward = \"nat\", but port " + quoted(port.name) +
                " has no NAT address of its family");
  }
  return {};
}

}  // namespace hawser::pipeline
