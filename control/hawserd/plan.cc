// Compares two runtimes backend by backend.
#include "plan.h"

#include <algorithm>
#include <map>
#include <string_view>

#include <fmt/format.h>

namespace hawser::control {
namespace {

std::string shown_state(const ServiceState& service, std::size_t index) {
  return std::string(to_string(service.judgement(index).state));
}

void add_service(const ServiceState* before, const ServiceState* after, Plan& plan) {
  std::map<std::string_view, std::size_t> gone;
  if (before != nullptr) {
    const auto& backends = before->configured().backends;
    for (std::size_t i = 0; i < backends.size(); ++i) gone.emplace(backends[i].name, i);
  }
  const std::vector<double> shares_before =
      before == nullptr ? std::vector<double>() : shares_of(*before->in_force());
  const std::vector<double> shares_after =
      after == nullptr ? std::vector<double>() : shares_of(*after->in_force());
  const std::string service = (after != nullptr ? after : before)->configured().name;
  const std::size_t count = after == nullptr ? 0 : after->configured().backends.size();
  for (std::size_t i = 0; i < count; ++i) {
    PlannedBackend row{.service = service,
                       .backend = after->configured().backends[i].name,
                       .state_before = {},
                       .state_after = shown_state(*after, i)};
    row.share_after = shares_after[i];
    const auto was = gone.find(row.backend);
    if (was != gone.end()) {
      row.state_before = shown_state(*before, was->second);
      row.share_before = shares_before[was->second];
      gone.erase(was);
    }
    plan.backends.push_back(std::move(row));
  }
  for (const auto& [name, index] : gone) {
    plan.backends.push_back({.service = service,
                             .backend = std::string(name),
                             .state_before = shown_state(*before, index),
                             .state_after = {},
                             .share_before = shares_before[index]});
  }
}

}  // namespace

std::vector<double> shares_of(const model::Service& in_force) {
  double total = 0;
  for (const model::Backend& backend : in_force.backends) {
    if (backend.admission == model::Admission::kServing) total += backend.weight;
  }
  std::vector<double> shares;
  for (const model::Backend& backend : in_force.backends) {
    const bool serves = backend.admission == model::Admission::kServing;
    shares.push_back(serves ? backend.weight / total : 0);
  }
  return shares;
}

bool Plan::is_refused() const {
  return std::any_of(guards.begin(), guards.end(),
                     [](const GuardCheck& check) { return check.refused; });
}

std::string Plan::refusal() const {
  std::string text;
  for (const GuardCheck& check : guards) {
    if (!check.refused) continue;
    if (!text.empty()) text += "; ";
    if (check.guard == std::string_view("max_draining")) {
      text += fmt::format("max_draining of service {} is {}: {} of its backends would be leaving",
                          check.service, check.limit, check.after);
    } else {
      text += fmt::format("min_ready of service {} is {}: {} of its backends would take new flows",
                          check.service, check.limit, check.after);
    }
  }
  return text;
}

Plan plan_change(const Runtime& before, const Runtime& after, bool guarded) {
  Plan plan;
  for (const model::Service& service : after.configuration().services) {
    const auto was = before.find_service(service.name);
    const ServiceState* old = was ? &before.state(**was) : nullptr;
    const ServiceState& now = after.state(service);
    if (old != nullptr && old->in_force() == now.in_force()) continue;
    add_service(old, &now, plan);
    if (!guarded || old == nullptr) continue;
    for (GuardCheck& check : check_guards(*old, now)) plan.guards.push_back(std::move(check));
  }
  for (const model::Service& service : before.configuration().services) {
    if (!after.find_service(service.name)) add_service(&before.state(service), nullptr, plan);
  }
  return plan;
}

}  // namespace hawser::control
