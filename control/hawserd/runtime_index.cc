// Finds services and backends by name, or says which name is nearest.
#include "runtime_index.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "hawser/base/nearest.h"

namespace hawser::control {

RuntimeIndex::RuntimeIndex(const model::Configuration& configuration)
    : configuration_(configuration) {
  for (std::size_t i = 0; i < configuration.services.size(); ++i) {
    const model::Service& service = configuration.services[i];
    services_.emplace(service.name, i);
    for (std::size_t j = 0; j < service.backends.size(); ++j) {
      backends_.emplace(service.backends[j].name, Position{i, j});
    }
  }
}

std::optional<RuntimeIndex::Position> RuntimeIndex::position(std::string_view service,
                                                             std::string_view backend) const {
  const auto [begin, end] = backends_.equal_range(backend);
  for (auto entry = begin; entry != end; ++entry) {
    if (configuration_.services[entry->second.service].name == service) return entry->second;
  }
  return std::nullopt;
}

RuntimeIndex::Position RuntimeIndex::position(const BackendRef& ref) const {
  return *position(ref.service->name, ref.backend->name);
}

Result<const model::Service*> RuntimeIndex::find_service(std::string_view name) const {
  const auto found = services_.find(name);
  if (found != services_.end()) return &configuration_.services[found->second];
  std::vector<std::string> names;
  for (const model::Service& service : configuration_.services) names.push_back(service.name);
  return fail(fmt::format("there is no service \"{}\"{}", name, suggestion(name, names)));
}

Lookup RuntimeIndex::find(std::string_view service, std::string_view backend) const {
  if (!service.empty()) {
    const Result<const model::Service*> known = find_service(service);
    if (!known) return {.found = {}, .message = known.error().message};
  }
  std::vector<Position> found;
  const auto [begin, end] = backends_.equal_range(backend);
  for (auto entry = begin; entry != end; ++entry) {
    const model::Service& candidate = configuration_.services[entry->second.service];
    if (service.empty() || candidate.name == service) found.push_back(entry->second);
  }
  if (found.empty()) return unknown(service, backend);
  if (found.size() == 1) {
    const model::Service& owner = configuration_.services[found.front().service];
    return {.found = BackendRef{&owner, &owner.backends[found.front().backend]}, .message = {}};
  }
  std::sort(found.begin(), found.end(),
            [](const Position& a, const Position& b) { return a.service < b.service; });
  std::vector<std::string_view> owners;
  for (const Position& at : found) owners.push_back(configuration_.services[at.service].name);
  return {.found = {},
          .failure = LookupFailure::kAmbiguous,
          .message = fmt::format("backend \"{}\" is in several services (\"{}\"); name one",
                                 backend, fmt::join(owners, "\", \""))};
}

Lookup RuntimeIndex::unknown(std::string_view service, std::string_view backend) const {
  std::set<std::string> names;
  for (const model::Service& candidate : configuration_.services) {
    if (!service.empty() && candidate.name != service) continue;
    for (const model::Backend& entry : candidate.backends) names.insert(entry.name);
  }
  const std::vector<std::string> known(names.begin(), names.end());
  const std::string where = service.empty() ? "" : fmt::format(" in service \"{}\"", service);
  return {.found = {},
          .message = fmt::format("there is no backend \"{}\"{}{}", backend, where,
                                 suggestion(backend, known))};
}

}  // namespace hawser::control
