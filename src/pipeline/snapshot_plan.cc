// How a snapshot differs from the last build: which services, whether they are sound, their tables.
#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_set>

#include "hawser/pipeline/snapshot_builder.h"
#include "service_settings.h"
#include "splice_settings.h"

namespace hawser::pipeline {
namespace {

bool uses_lists(const model::Service& service) {
  return !service.protection.allow.empty() || !service.protection.deny.empty();
}

Result<void> check_destinations(const model::ServiceList& services) {
  std::unordered_set<std::string_view> names;
  std::map<std::tuple<net::IpAddress, std::uint16_t, model::Protocol>, const model::Service*> known;
  for (const model::Service& service : services) {
    if (!names.insert(service.name).second) {
      return fail("two services are named " + quoted(service.name));
    }
    const auto [other, is_new] =
        known.emplace(std::tuple(service.address, service.port, service.protocol), &service);
    if (!is_new) {
      return fail(described(service) + " overlaps service " + quoted(other->second->name) +
                  ": address, port and protocol are the same");
    }
  }
  return {};
}

Result<void> check_sizes(const model::ServiceList& services) {
  std::size_t backends = 0;
  for (const model::Service& service : services) backends += service.backends.size();
  if (services.size() > limits::kMaxServices) {
    return fail(std::to_string(services.size()) + " services, at most " +
                std::to_string(limits::kMaxServices) + " are possible");
  }
  if (backends > limits::kMaxBackends) {
    return fail(std::to_string(backends) + " backends in all, at most " +
                std::to_string(limits::kMaxBackends) + " are possible");
  }
  return {};
}

Result<void> check_lists(const std::vector<model::PrefixList>& lists) {
  std::unordered_set<std::string_view> names;
  std::size_t prefixes = 0;
  for (const model::PrefixList& list : lists) {
    if (!names.insert(list.name).second) {
      return fail("two prefix lists are named " + quoted(list.name));
    }
    prefixes += list.prefixes->size();
  }
  if (names.size() <= limits::kMaxPrefixLists && prefixes <= limits::kMaxPrefixes) return {};
  return fail(std::to_string(names.size()) + " prefix lists with " + std::to_string(prefixes) +
              " prefixes, at most " + std::to_string(limits::kMaxPrefixLists) + " with " +
              std::to_string(limits::kMaxPrefixes) + " are possible");
}

Result<void> check_lists_used(const model::Service& service,
                              const std::vector<model::PrefixList>& lists) {
  for (const auto* used : {&service.protection.allow, &service.protection.deny}) {
    for (const std::string& name : *used) {
      const bool known =
          std::any_of(lists.begin(), lists.end(),
                      [&](const model::PrefixList& list) { return list.name == name; });
      if (!known) return fail(described(service) + ": there is no prefix list " + quoted(name));
    }
  }
  return {};
}

}  // namespace

SnapshotBuilder::ServiceKey SnapshotBuilder::key_of(const model::Service& service) {
  return {service.address, service.port, service.protocol, service.forward};
}

// What the next table of a service follows from; null: nothing.
const table::Maglev* SnapshotBuilder::table_of(const ServiceKey& key) const {
  if (const auto id = service_ids_.find(key); id != service_ids_.end()) {
    const TableHistory::Current* current = tables_.find(id->second);
    return current == nullptr ? nullptr : current->table.get();
  }
  const auto primed = primed_.find(key);
  return primed == primed_.end() ? nullptr : primed->second.get();
}

Result<SnapshotBuilder::Plan> SnapshotBuilder::plan(const model::Desired& desired) const {
  Plan plan;
  plan.keys = splice_keys(desired);
  find_changes(desired, plan);
  if (Result<void> checked = check(desired, plan); !checked) return checked.error();
  for (Change& change : plan.changes) {
    if (Result<void> made = make_splice(change, plan.keys); !made) return made.error();
  }
  const auto make_table = [&](std::size_t i) {
    Change& change = plan.changes[i];
    const model::Service& service = *change.service;
    change.step =
        TableHistory::step(table_of(key_of(service)), slots_wanted(service), members_of(service));
  };
  if (spread_ && plan.changes.size() > 1) {
    spread_(plan.changes.size(), make_table);
  } else {
    for (std::size_t i = 0; i < plan.changes.size(); ++i) make_table(i);
  }
  return plan;
}

// A service is the same when it is the same object, and what else its entry follows from is too.
void SnapshotBuilder::find_changes(const model::Desired& desired, Plan& plan) const {
  plan.same_lists = !access_.differs(desired.prefix_lists);
  const bool same_keys = cookie_keys_ == desired.cookie_keys;
  const model::ServiceList& now = desired.services;
  const auto in_place = [&](std::size_t i) {
    return i < services_.size() && i < now.size() && services_.shared(i) == now.shared(i);
  };
  std::unordered_set<const model::Service*> left;  // of the last build, not found yet
  for (std::size_t i = 0; i < services_.size(); ++i) {
    if (!in_place(i)) left.insert(&services_[i]);
  }
  for (std::size_t i = 0; i < now.size(); ++i) {
    const model::Service& service = now[i];
    const bool same = in_place(i) || left.erase(&service) == 1;
    const bool again = (!plan.same_lists && uses_lists(service)) ||
                       (!same_keys && service.forward == model::Forward::kSplice);
    if (same && !again) continue;
    plan.changes.push_back({.service = &service, .before = same ? &service : nullptr});
  }
  std::map<ServiceKey, const model::Service*> old;
  for (const model::Service* service : left) old.emplace(key_of(*service), service);
  using Destination = std::tuple<std::string_view, ServiceKey>;
  std::vector<Destination> before;
  std::vector<Destination> after;
  for (const auto& [key, service] : old) before.emplace_back(service->name, key);
  for (Change& change : plan.changes) {
    if (change.before != nullptr) continue;
    const ServiceKey key = key_of(*change.service);
    after.emplace_back(change.service->name, key);
    if (const auto known = old.extract(key)) change.before = known.mapped();
  }
  for (const auto& [key, service] : old) plan.gone.push_back(service);
  std::sort(before.begin(), before.end());
  std::sort(after.begin(), after.end());
  plan.same_destinations = before == after;
}

// What holds of the last build is not checked again where nothing changed.
Result<void> SnapshotBuilder::check(const model::Desired& desired, const Plan& plan) const {
  if (!plan.same_destinations) {
    if (Result<void> sound = check_destinations(desired.services); !sound) return sound;
  }
  if (Result<void> fits = check_sizes(desired.services); !fits) return fits;
  if (!plan.same_lists) {
    if (Result<void> sound = check_lists(desired.prefix_lists); !sound) return sound;
  }
  for (const Change& change : plan.changes) {
    Result<void> used = check_lists_used(*change.service, desired.prefix_lists);
    if (!used) return used;
  }
  for (const Change& change : plan.changes) {
    if (Result<void> sound = check_service(*change.service); !sound) return sound;
  }
  return check_capacity(plan);
}

// Rules that stay as they are keep their database, which takes long to make.
Result<void> SnapshotBuilder::make_splice(Change& change, const SpliceKeys& keys) const {
  const model::Service& service = *change.service;
  const std::string where = "service " + quoted(service.name) + ": ";
  if (Result<void> sound = check_splice(service, keys); !sound) {
    return fail(where + sound.error().message);
  }
  if (service.forward != model::Forward::kSplice) return {};
  std::shared_ptr<const l7::RuleSet> rules;
  if (change.before != nullptr && change.before->splice == service.splice) {
    rules = image_.services[service_ids_.at(key_of(service)).value].splice->rules;
  }
  auto made = splice_settings(service, keys, workers_, std::move(rules));
  if (!made) return fail(where + made.error().message);
  change.splice = *std::move(made);
  return {};
}

}  // namespace hawser::pipeline
