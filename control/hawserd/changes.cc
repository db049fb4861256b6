// Differences of configurations in words.
#include "changes.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "settings_text.h"

namespace hawser::control {
namespace {

class Collector {
 public:
  Collector(std::string service, std::string backend)
      : service_(std::move(service)), backend_(std::move(backend)) {}

  void note(const std::string& field, const std::string& before, const std::string& after) {
    if (before != after) changes_.push_back({service_, backend_, field, before, after});
  }
  void note(const std::string& field, std::string_view before, std::string_view after) {
    note(field, std::string(before), std::string(after));
  }
  [[nodiscard]] std::vector<Change> take() && { return std::move(changes_); }

 private:
  std::string service_;
  std::string backend_;
  std::vector<Change> changes_;
};

void append(std::vector<Change>& to, std::vector<Change>&& from) {
  for (Change& change : from) to.push_back(std::move(change));
}

std::string point(const model::Backend& backend) {
  return net::endpoint_to_string(backend.address, backend.port);
}

std::string whole(const model::Backend& backend) {
  std::string text = fmt::format("{} weight {}", point(backend), backend.weight);
  if (!backend.generation.empty()) text += " generation " + backend.generation;
  return text;
}

std::string point(const model::Service& service) {
  return fmt::format("{}/{}", net::endpoint_to_string(service.address, service.port),
                     protocol_word(service));
}

std::vector<Change> backend_differences(const model::Service& before, const model::Service& after) {
  std::map<std::string, const model::Backend*> gone;
  for (const model::Backend& backend : before.backends) gone.emplace(backend.name, &backend);
  std::vector<Change> changes;
  for (const model::Backend& backend : after.backends) {
    Collector collector(after.name, backend.name);
    const auto old = gone.find(backend.name);
    if (old == gone.end()) {
      collector.note("backend", std::string(), whole(backend));
    } else {
      collector.note("address", point(*old->second), point(backend));
      collector.note("weight", std::to_string(old->second->weight), std::to_string(backend.weight));
      collector.note("quic_server_id", server_id_text(*old->second), server_id_text(backend));
      collector.note("generation", old->second->generation, backend.generation);
      gone.erase(old);
    }
    append(changes, std::move(collector).take());
  }
  for (const auto& [name, backend] : gone) {
    changes.push_back({after.name, name, "backend", whole(*backend), ""});
  }
  return changes;
}

void note_protection(const model::Protection& before, const model::Protection& after,
                     Collector& collector) {
  const auto names = [](const std::vector<std::string>& lists) {
    return fmt::format("{}", fmt::join(lists, ", "));
  };
  collector.note("max_flows", limit_text(before.max_flows), limit_text(after.max_flows));
  collector.note("new_flow_rate", limit_text(before.new_flow_rate),
                 limit_text(after.new_flow_rate));
  collector.note("source_rate", source_rate_text(before.source_rate),
                 source_rate_text(after.source_rate));
  collector.note("allow", names(before.allow), names(after.allow));
  collector.note("deny", names(before.deny), names(after.deny));
}

void note_availability(const model::Availability& before, const model::Availability& after,
                       Collector& collector) {
  const auto limit = [](const model::Portion& portion) {
    return portion.is_set() ? portion_text(portion) : std::string("off");
  };
  collector.note("slow_start", slow_start_text(before.slow_start_seconds),
                 slow_start_text(after.slow_start_seconds));
  collector.note("on_panic", to_string(before.on_panic), to_string(after.on_panic));
  collector.note("max_draining", limit(before.guards.max_draining),
                 limit(after.guards.max_draining));
  collector.note("min_ready", limit(before.guards.min_ready), limit(after.guards.min_ready));
  collector.note("passive", passive_text(before.passive), passive_text(after.passive));
}

// That a key changed is all that may be said of it.
void note_quic(const model::QuicRouting& before, const model::QuicRouting& after,
               Collector& collector) {
  const bool another = before.key != after.key && !before.key.empty() && !after.key.empty();
  collector.note("quic", quic_text(before), quic_text(after) + (another ? " with a new key" : ""));
}

// Each rule by its name, and the order of those that stay.
void note_rules(const std::vector<model::Rule>& before, const std::vector<model::Rule>& after,
                Collector& collector) {
  std::map<std::string, const model::Rule*> gone;
  for (const model::Rule& rule : before) gone.emplace(rule.name, &rule);
  std::vector<std::string> new_order;
  for (const model::Rule& rule : after) {
    const std::string field = fmt::format("rule {}", rule.name);
    const auto old = gone.find(rule.name);
    collector.note(field, old == gone.end() ? "" : rule_text(*old->second), rule_text(rule));
    if (old == gone.end()) continue;
    new_order.push_back(rule.name);
    gone.erase(old);
  }
  std::vector<std::string> old_order;
  for (const model::Rule& rule : before) {
    if (gone.count(rule.name) == 0) old_order.push_back(rule.name);
  }
  for (const auto& [name, rule] : gone) {
    collector.note(fmt::format("rule {}", name), rule_text(*rule), "");
  }
  collector.note("order of rules", fmt::format("{}", fmt::join(old_order, ", ")),
                 fmt::format("{}", fmt::join(new_order, ", ")));
}

// The prefixes that one has and the other has not.
std::size_t missing_from(const model::PrefixList& from, const model::PrefixList& in) {
  std::vector<net::Prefix> missing;
  std::set_difference(in.prefixes->begin(), in.prefixes->end(), from.prefixes->begin(),
                      from.prefixes->end(), std::back_inserter(missing));
  return missing.size();
}

std::string size_text(const model::PrefixList& list) {
  return fmt::format("{} prefixes", list.prefixes->size());
}

std::vector<Change> list_differences(const model::Configuration& before,
                                     const model::Configuration& after) {
  std::map<std::string, const model::PrefixList*> gone;
  for (const model::PrefixList& list : before.prefix_lists) gone.emplace(list.name, &list);
  std::vector<Change> changes;
  for (const model::PrefixList& list : after.prefix_lists) {
    const auto old = gone.find(list.name);
    if (old == gone.end()) {
      changes.push_back({list.name, "", "prefix_list", "", size_text(list)});
      continue;
    }
    if (!(*old->second == list)) {
      changes.push_back(
          {list.name, "", "prefix_list", size_text(*old->second),
           fmt::format("{}: {} added, {} removed", size_text(list),
                       missing_from(*old->second, list), missing_from(list, *old->second))});
    }
    gone.erase(old);
  }
  for (const auto& [name, list] : gone) {
    changes.push_back({name, "", "prefix_list", size_text(*list), ""});
  }
  return changes;
}

std::vector<Change> service_differences(const model::Service& before, const model::Service& after) {
  Collector collector(after.name, "");
  collector.note("address", point(before), point(after));
  collector.note("forward", forward_text(before), forward_text(after));
  collector.note("client_address", to_string(before.client_address),
                 to_string(after.client_address));
  collector.note("affinity", whole_affinity_text(before.affinity),
                 whole_affinity_text(after.affinity));
  collector.note("splice", splice_text(before.splice), splice_text(after.splice));
  note_rules(before.splice.rules, after.splice.rules, collector);
  collector.note("on_down", to_string(before.on_down), to_string(after.on_down));
  collector.note("bounded_load", bounded_load_text(before.bounded_load_permille),
                 bounded_load_text(after.bounded_load_permille));
  note_protection(before.protection, after.protection, collector);
  note_quic(before.quic, after.quic, collector);
  collector.note("timeouts", timeouts_text(before.timeouts), timeouts_text(after.timeouts));
  collector.note("check", whole_check_text(before.check), whole_check_text(after.check));
  collector.note("agent", agent_text(before.agent), agent_text(after.agent));
  note_availability(before.availability, after.availability, collector);
  collector.note("table_slots", std::to_string(before.table_slots),
                 std::to_string(after.table_slots));
  std::vector<Change> changes = std::move(collector).take();
  append(changes, backend_differences(before, after));
  return changes;
}

}  // namespace

std::vector<Change> differences(const model::Configuration& before,
                                const model::Configuration& after) {
  std::map<std::string, const model::Service*> gone;
  for (const model::Service& service : before.services) gone.emplace(service.name, &service);
  std::vector<Change> changes;
  for (const model::Service& service : after.services) {
    const auto old = gone.find(service.name);
    if (old == gone.end()) {
      changes.push_back({service.name, "", "service", "", point(service)});
      append(changes, backend_differences({.name = service.name,
                                           .address = {},
                                           .affinity = {},
                                           .timeouts = {},
                                           .check = {},
                                           .agent = {},
                                           .backends = {}},
                                          service));
    } else {
      append(changes, service_differences(*old->second, service));
      gone.erase(old);
    }
  }
  for (const auto& [name, service] : gone) {
    changes.push_back({name, "", "service", point(*service), ""});
  }
  append(changes, list_differences(before, after));
  return changes;
}

std::vector<std::string> restart_notes(const model::Configuration& before,
                                       const model::Configuration& after) {
  std::vector<std::string> notes;
  if (before.dataplane != after.dataplane) {
    notes.emplace_back("[dataplane] changed: it takes effect when hawser-dataplane restarts");
    if (before.dataplane.socket != after.dataplane.socket) {
      notes.emplace_back("[dataplane] socket changed: hawserd must restart too");
    }
  }
  if (before.ports != after.ports) {
    notes.emplace_back("[[port]] changed: it takes effect when hawser-dataplane restarts");
  }
  if (before.control != after.control) {
    notes.emplace_back("[control] changed: it takes effect when hawserd restarts");
  }
  return notes;
}

}  // namespace hawser::control
