// Takes over what operators want, and checks what was published for it.
#include "model_config.h"

#include <algorithm>
#include <set>

namespace hawser::property {
namespace {

constexpr Milliseconds kPrevious = limits::kPreviousOwnerMilliseconds;

// Those that share a service's table, with their weights.
std::vector<std::pair<std::string, std::uint32_t>> members_of(const ModelService& service) {
  std::vector<std::pair<std::string, std::uint32_t>> members;
  for (const model::Backend& backend : service.wanted.backends) {
    if (backend.admission == model::Admission::kServing) {
      members.emplace_back(backend.name, backend.weight);
    }
  }
  return members;
}

// The id under which the snapshot has a service now; none: it is not published.
ServiceId published_service(const model::Service& wanted, const pipeline::Snapshot& snapshot) {
  const std::uint8_t protocol =
      wanted.protocol == model::Protocol::kTcp ? net::kProtocolTcp : net::kProtocolUdp;
  for (std::size_t id = 1; id < snapshot.services.size(); ++id) {
    const pipeline::ServiceEntry& entry = snapshot.services[id];
    if (entry.table != nullptr && entry.address == wanted.address &&
        entry.port.host() == wanted.port && entry.protocol == protocol &&
        entry.forward == wanted.forward) {
      return ServiceId(static_cast<std::uint16_t>(id));
    }
  }
  return {};
}

BackendId published_backend(const model::Backend& wanted, ServiceId service,
                            const pipeline::Snapshot& snapshot) {
  for (std::uint32_t id = 1; id < snapshot.backends.size(); ++id) {
    const pipeline::BackendEntry& entry = snapshot.backends[id];
    if (entry.service == service && entry.address == wanted.address &&
        entry.port.host() == wanted.port && snapshot.backend_names[id] == wanted.name) {
      return BackendId(id);
    }
  }
  return {};
}

}  // namespace

void ModelConfig::publish(const model::Desired& desired, const pipeline::Snapshot& snapshot,
                          Milliseconds now, std::vector<std::string>& faults) {
  prefix_lists_ = desired.prefix_lists;
  for (ModelService& service : services_) service.present = false;
  for (ModelBackend& backend : backends_) backend.admission = model::Admission::kDown;
  for (const model::Service& wanted : desired.services) add(wanted, snapshot, now, faults);
  forget_freed(snapshot);
  find_leaving(snapshot);
}

// Who is known and may have flows, but takes no new ones.
void ModelConfig::find_leaving(const pipeline::Snapshot& snapshot) {
  for (ModelService& service : services_) service.leaving.clear();
  for (std::size_t i = 0; i < backends_.size(); ++i) {
    const ModelBackend& backend = backends_[i];
    ModelService& service = services_[static_cast<std::size_t>(backend.service)];
    if (!service.present || backend.admission == model::Admission::kServing) continue;
    const model::Backend named{
        .name = backend.name, .address = backend.address, .port = backend.port};
    if (published_backend(named, service.id, snapshot) == BackendId()) continue;
    service.leaving.push_back(static_cast<BackendIdentity>(i));
  }
}

void ModelConfig::add(const model::Service& wanted, const pipeline::Snapshot& snapshot,
                      Milliseconds now, std::vector<std::string>& faults) {
  const ServiceKey key(wanted.address, wanted.port, wanted.protocol, wanted.forward);
  const auto [known, is_new] =
      service_identities_.emplace(key, static_cast<ServiceIdentity>(services_.size()));
  if (is_new) services_.emplace_back();
  const ServiceIdentity identity = known->second;
  ModelService& service = services_[static_cast<std::size_t>(identity)];
  const auto before = members_of(service);
  service.present = true;
  service.wanted = wanted;
  service.id = published_service(wanted, snapshot);
  service.serving.clear();
  service.total_weight = 0;
  if (service.id == ServiceId()) {
    faults.push_back("service " + wanted.name + " was not published");
    service.present = false;
    return;
  }
  service.table = snapshot.services[service.id.value].table;
  std::set<std::uint32_t> ids;
  for (const model::Backend& backend : wanted.backends) {
    const BackendIdentity added = add(backend, identity, snapshot, faults);
    if (!ids.insert(this->backend(added).id.value).second) {
      faults.push_back("two backends of " + wanted.name + " have one id");
    }
    if (backend.admission != model::Admission::kServing) continue;
    service.serving.push_back(added);
    service.total_weight += backend.weight;
  }
  check_shares(service, faults);
  follow_table(service, members_of(service) != before, now);
}

// Notes whose slots went to another, as docs say: for so long, packets without a flow go there.
void ModelConfig::follow_table(ModelService& service, bool members_changed, Milliseconds now) {
  std::vector<std::optional<BackendIdentity>> owners(service.table->slots());
  for (std::uint32_t slot = 0; slot < owners.size(); ++slot) {
    const std::uint16_t owner = service.table->owner(slot);
    if (owner < service.serving.size()) owners[slot] = service.serving[owner];
  }
  if (owners.size() != service.owners.size()) {
    service.previous.clear();
    service.changed = now;
  } else if (members_changed) {
    service.changed = now;
    std::erase_if(service.previous,
                  [now](const auto& item) { return now - item.second.since > kPrevious; });
    for (std::uint32_t slot = 0; slot < owners.size(); ++slot) {
      if (owners[slot] == service.owners[slot]) continue;
      if (service.owners[slot]) service.previous[slot] = {*service.owners[slot], now};
      const auto known = service.previous.find(slot);
      if (known != service.previous.end() && known->second.backend == owners[slot]) {
        service.previous.erase(known);
      }
    }
  }
  service.owners = std::move(owners);
}

// What nobody wants and no flow needs any more is forgotten, with all that it owned.
void ModelConfig::forget_freed(const pipeline::Snapshot& snapshot) {
  for (std::size_t i = 0; i < services_.size(); ++i) {
    ModelService& service = services_[i];
    const auto is_its = [&](const pipeline::BackendEntry& entry) {
      return entry.service == service.id;
    };
    const auto has_its_id = [&](const ModelService& other) {
      return other.present && other.id == service.id;
    };
    const bool kept = service.present ||
                      (std::none_of(services_.begin(), services_.end(), has_its_id) &&
                       std::any_of(snapshot.backends.begin(), snapshot.backends.end(), is_its));
    if (!kept) {
      service.previous.clear();
      service.owners.clear();
      continue;
    }
    std::erase_if(service.previous, [&](const auto& item) {
      const ModelBackend& backend = this->backend(item.second.backend);
      const model::Backend named{
          .name = backend.name, .address = backend.address, .port = backend.port};
      return published_backend(named, service.id, snapshot) == BackendId();
    });
  }
}

std::optional<BackendIdentity> ModelConfig::previous_owner(const ModelService& service,
                                                           std::uint32_t slot, bool opens,
                                                           Milliseconds now) const {
  const auto known = service.previous.find(slot);
  if (known == service.previous.end() || now - service.changed > kPrevious) {
    return std::nullopt;
  }
  const model::Admission admission = backend(known->second.backend).admission;
  const bool may = admission == model::Admission::kServing ||
                   (admission == model::Admission::kDraining && !opens);
  return may ? std::optional(known->second.backend) : std::nullopt;
}

BackendIdentity ModelConfig::add(const model::Backend& wanted, ServiceIdentity service,
                                 const pipeline::Snapshot& snapshot,
                                 std::vector<std::string>& faults) {
  const auto [known, is_new] =
      backend_identities_.emplace(BackendKey(service, wanted.name, wanted.address, wanted.port),
                                  static_cast<BackendIdentity>(backends_.size()));
  if (is_new) backends_.emplace_back();
  ModelBackend& backend = backends_[static_cast<std::size_t>(known->second)];
  backend = {.name = wanted.name,
             .service = service,
             .address = wanted.address,
             .port = wanted.port,
             .next_hop = network_->next_hop(wanted.address),
             .admission = wanted.admission,
             .weight = wanted.weight,
             .id = published_backend(wanted, this->service(service).id, snapshot)};
  if (backend.id == BackendId()) faults.push_back("backend " + wanted.name + " was not published");
  return known->second;
}

// Every member holds its exact share of the slots, rounded down or up, and all slots are held.
void ModelConfig::check_shares(const ModelService& service,
                               std::vector<std::string>& faults) const {
  const std::uint64_t slots = service.table->slots();
  std::uint64_t weights = 0;
  std::vector<std::uint64_t> each;
  for (const model::Backend& backend : service.wanted.backends) {
    if (backend.admission != model::Admission::kServing) continue;
    weights += backend.weight;
    each.push_back(backend.weight);
  }
  std::vector<std::uint64_t> held(each.size());
  for (std::uint32_t slot = 0; slot < slots; ++slot) {
    const std::uint16_t owner = service.table->owner(slot);
    const bool nobody = owner == table::Maglev::kNobody;
    if (nobody == each.empty() && (nobody || owner < held.size())) {
      if (!nobody) ++held[owner];
    } else {
      faults.push_back(service.wanted.name + ": slot " + std::to_string(slot) + " is wrongly " +
                       std::to_string(owner) + "'s");
    }
  }
  for (std::size_t i = 0; i < each.size(); ++i) {
    const std::uint64_t down = slots * each[i] / weights;
    const bool exact = slots * each[i] % weights == 0;
    if (held[i] == down || (!exact && held[i] == down + 1)) continue;
    faults.push_back(service.wanted.name + ": member " + std::to_string(i) + " holds " +
                     std::to_string(held[i]) + " slots, due are " + std::to_string(down));
  }
}

std::optional<ServiceIdentity> ModelConfig::find(const net::IpAddress& address, std::uint16_t port,
                                                 bool tcp) const {
  for (std::size_t i = 0; i < services_.size(); ++i) {
    const ModelService& service = services_[i];
    if (service.present && service.wanted.address == address && service.wanted.port == port &&
        service.is_tcp() == tcp) {
      return static_cast<ServiceIdentity>(i);
    }
  }
  return std::nullopt;
}

bool ModelConfig::is_service_address(const net::IpAddress& address) const {
  for (const ModelService& service : services_) {
    if (service.present && service.wanted.address == address) return true;
  }
  return false;
}

}  // namespace hawser::property
