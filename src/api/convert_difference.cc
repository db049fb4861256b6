// Snapshots as differences to the one that runs, and what of them the two share.
#include <string>
#include <string_view>
#include <unordered_map>

#include "convert_parts.h"
#include "hawser/api/convert.h"

namespace hawser::api {
namespace {

namespace wire = dataplane::v1;

constexpr std::string_view kWrongBase = "base epoch ";

// Services by name: their places in the list.
using Places = std::unordered_map<std::string_view, std::size_t>;

Places places_of(const model::ServiceList& services) {
  Places places;
  places.reserve(services.size());
  for (std::size_t i = 0; i < services.size(); ++i) places.emplace(services[i].name, i);
  return places;
}

Result<void> read_lists(const wire::Snapshot& message, const model::Desired& base,
                        model::Desired& desired) {
  if (message.prefix_lists_same()) {
    if (message.base_epoch() == 0 || message.prefix_lists_size() > 0) {
      return fail("the prefix lists cannot be those of another snapshot and given as well");
    }
    desired.prefix_lists = base.prefix_lists;
    return {};
  }
  for (const wire::PrefixList& entry : message.prefix_lists()) {
    Result<model::PrefixList> list = list_from(entry);
    if (!list) return list.error();
    desired.prefix_lists.push_back(*std::move(list));
  }
  return {};
}

Result<void> read_whole(const wire::Snapshot& message, const model::Desired& base,
                        model::Desired& desired) {
  const Places places = places_of(base.services);
  desired.services.reserve(static_cast<std::size_t>(message.services_size()));
  for (const wire::Service& entry : message.services()) {
    Result<model::Service> service = service_from(entry);
    if (!service) return service.error();
    const auto known = places.find(service->name);
    if (known != places.end() && base.services[known->second] == *service) {
      desired.services.push_back(base.services.shared(known->second));
    } else {
      desired.services.push_back(*std::move(service));
    }
  }
  return {};
}

Result<void> read_difference(const wire::Snapshot& message, const model::Desired& base,
                             model::Desired& desired) {
  if (message.base_epoch() != base.epoch.value) {
    return fail(std::string(kWrongBase) + std::to_string(message.base_epoch()) +
                " is not the running " + std::to_string(base.epoch.value));
  }
  const Places places = places_of(base.services);
  std::vector<bool> named(base.services.size(), false);
  std::vector<model::ServiceList::Pointer> kept;
  kept.reserve(base.services.size());
  for (std::size_t i = 0; i < base.services.size(); ++i) kept.push_back(base.services.shared(i));
  for (const std::string& name : message.removed_services()) {
    const auto known = places.find(name);
    if (known == places.end()) return fail("there is no service \"" + name + "\" to remove");
    if (named[known->second]) return fail("service \"" + name + "\" is removed twice");
    named[known->second] = true;
    kept[known->second] = nullptr;
  }
  for (const wire::Service& entry : message.services()) {
    Result<model::Service> service = service_from(entry);
    if (!service) return service.error();
    const auto known = places.find(service->name);
    if (known == places.end()) {
      kept.push_back(std::make_shared<const model::Service>(*std::move(service)));
      continue;
    }
    if (named[known->second]) {
      return fail("service \"" + service->name + "\" is changed twice, or removed as well");
    }
    named[known->second] = true;
    if (base.services[known->second] == *service) continue;
    kept[known->second] = std::make_shared<const model::Service>(*std::move(service));
  }
  desired.services.reserve(kept.size());
  for (model::ServiceList::Pointer& service : kept) {
    if (service != nullptr) desired.services.push_back(std::move(service));
  }
  return {};
}

}  // namespace

void to_difference(const model::Desired& base, const model::Desired& desired,
                   wire::Snapshot& message) {
  head_to_message(desired, message);
  message.set_base_epoch(base.epoch.value);
  Places removed = places_of(base.services);
  for (std::size_t i = 0; i < desired.services.size(); ++i) {
    const model::ServiceList::Pointer& service = desired.services.shared(i);
    const auto known = removed.find(service->name);
    if (known != removed.end()) {
      const model::ServiceList::Pointer& before = base.services.shared(known->second);
      removed.erase(known);
      if (before == service || *before == *service) continue;
    }
    to_message(*service, *message.add_services());
  }
  for (std::size_t i = 0; i < base.services.size(); ++i) {
    const std::string& name = base.services[i].name;
    if (removed.contains(name)) message.add_removed_services(name);
  }
  message.set_prefix_lists_same(base.prefix_lists == desired.prefix_lists);
  if (message.prefix_lists_same()) return;
  for (const model::PrefixList& list : desired.prefix_lists) {
    to_message(list, *message.add_prefix_lists());
  }
}

Result<model::Desired> from_message(const wire::Snapshot& message, const model::Desired& base) {
  Result<model::Desired> desired = head_from_message(message);
  if (!desired) return desired;
  Result<void> read = message.base_epoch() == 0 ? read_whole(message, base, *desired)
                                                : read_difference(message, base, *desired);
  if (read) read = read_lists(message, base, *desired);
  if (!read) return read.error();
  return desired;
}

bool is_wrong_base(std::string_view refusal) noexcept {
  return refusal.starts_with(kWrongBase);
}

}  // namespace hawser::api
