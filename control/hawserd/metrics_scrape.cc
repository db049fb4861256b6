// Joins configuration, runtime state and the dataplane's counters into the items of a scrape.
#include "metrics_scrape.h"

#include <algorithm>
#include <unordered_map>

#include "plan.h"

namespace hawser::control {
namespace {

namespace wire = dataplane::v1;

using OfService = std::unordered_map<std::string_view, const wire::BackendCounters*>;
using CounterIndex = std::unordered_map<std::string_view, OfService>;

CounterIndex index(const wire::CountersReply* counters) {
  CounterIndex found;
  if (counters == nullptr) return found;
  for (const wire::BackendCounters& row : counters->backends()) {
    found[row.service()].emplace(row.backend(), &row);
  }
  return found;
}

const wire::ServiceCounters* requests_of(const wire::CountersReply* counters,
                                         const std::string& service) {
  if (counters == nullptr) return nullptr;
  for (const wire::ServiceCounters& row : counters->services()) {
    if (row.service() == service) return &row;
  }
  return nullptr;
}

// Appends the backends of a service, and counts them into it.
void add_backends(Scrape& scrape, ServiceItem& service, const OfService* counters) {
  const ServiceState& state = *service.state;
  const std::vector<double> shares = shares_of(*state.in_force());
  for (std::size_t i = 0; i < service.service->backends.size(); ++i) {
    const model::Backend& backend = service.service->backends[i];
    BackendItem item{.service = service.service, .backend = &backend, .state = &state.backend(i)};
    item.shown = state.judgement(i).state;
    item.now_unix = scrape.view->now_unix;
    item.share = shares[i];
    ++service.by_state[static_cast<std::size_t>(item.shown)];
    if (counters != nullptr) {
      const auto found = counters->find(backend.name);
      if (found != counters->end()) item.counters = found->second;
    }
    if (item.counters != nullptr) service.flows += item.counters->flows();
    scrape.backends.push_back(item);
  }
}

}  // namespace

void ServiceTotals::note(const wire::CountersReply& counters) {
  const std::lock_guard lock(mutex_);
  for (const wire::BackendCounters& row : counters.backends()) {
    Service& service = services_[row.service()];
    Traffic& seen = service.seen[row.backend()];
    for (std::size_t i = 0; i < kTraffic.size(); ++i) {
      const std::uint64_t now = (row.*kTraffic[i])();
      // Below what was seen: it counts from 0 again.
      service.total.values[i] += now < seen.values[i] ? now : now - seen.values[i];
      seen.values[i] = now;
    }
  }
}

Traffic ServiceTotals::of(const std::string& service) const {
  const std::lock_guard lock(mutex_);
  const auto found = services_.find(service);
  return found == services_.end() ? Traffic() : found->second.total;
}

void add_items(Scrape& scrape, const std::vector<std::string>& wanted) {
  const CounterIndex counters = index(scrape.counters);
  for (const model::Service& service : scrape.view->runtime.configuration().services) {
    const bool named = std::find(wanted.begin(), wanted.end(), service.name) != wanted.end();
    if (!wanted.empty() && !named) continue;
    ServiceItem item{.service = &service, .state = &scrape.view->runtime.state(service)};
    item.counted = scrape.counters != nullptr;
    const auto of_service = counters.find(service.name);
    add_backends(scrape, item, of_service == counters.end() ? nullptr : &of_service->second);
    item.traffic = scrape.totals->services.of(service.name);
    item.requests = requests_of(scrape.counters, service.name);
    scrape.services.push_back(item);
  }
}

}  // namespace hawser::control
