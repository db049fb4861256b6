// Differences of configurations in words.
#include "changes.h"

#include <map>

#include <fmt/format.h>

namespace hawser::control {
namespace {

std::string duration_text(std::uint32_t milliseconds) {
  if (milliseconds % 1000 == 0) return fmt::format("{}s", milliseconds / 1000);
  return fmt::format("{}ms", milliseconds);
}

std::string timeouts_text(const model::Timeouts& timeouts) {
  return fmt::format("established {}s, handshake {}s, closing {}s, udp {}s", timeouts.established,
                     timeouts.handshake, timeouts.closing, timeouts.udp);
}

// All that check_text leaves out.
std::string whole_check_text(const model::Check& check) {
  std::string text = fmt::format("{}, timeout {}, rise {}, fall {}", check_text(check),
                                 duration_text(check.timeout_ms), check.rise, check.fall);
  if (check.port != 0) text += fmt::format(", port {}", check.port);
  if (check.type != model::CheckType::kHttp) return text;
  text += fmt::format(", status {} to {}", check.status_low, check.status_high);
  if (!check.host.empty()) text += ", host " + check.host;
  if (!check.body.empty()) text += fmt::format(", body \"{}\"", check.body);
  return text;
}

class Collector {
 public:
  Collector(std::string service, std::string backend)
      : service_(std::move(service)), backend_(std::move(backend)) {}

  void note(const char* field, const std::string& before, const std::string& after) {
    if (before != after) changes_.push_back({service_, backend_, field, before, after});
  }
  void note(const char* field, std::string_view before, std::string_view after) {
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
  return fmt::format("{} weight {}", point(backend), backend.weight);
}

std::string point(const model::Service& service) {
  return fmt::format("{}/{}", net::endpoint_to_string(service.address, service.port),
                     to_string(service.protocol));
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
      gone.erase(old);
    }
    append(changes, std::move(collector).take());
  }
  for (const auto& [name, backend] : gone) {
    changes.push_back({after.name, name, "backend", whole(*backend), ""});
  }
  return changes;
}

std::vector<Change> service_differences(const model::Service& before, const model::Service& after) {
  Collector collector(after.name, "");
  collector.note("address", point(before), point(after));
  collector.note("forward", to_string(before.forward), to_string(after.forward));
  collector.note("affinity", affinity_text(before.affinity), affinity_text(after.affinity));
  collector.note("on_down", to_string(before.on_down), to_string(after.on_down));
  collector.note("timeouts", timeouts_text(before.timeouts), timeouts_text(after.timeouts));
  collector.note("check", whole_check_text(before.check), whole_check_text(after.check));
  collector.note("table_slots", std::to_string(before.table_slots),
                 std::to_string(after.table_slots));
  std::vector<Change> changes = std::move(collector).take();
  append(changes, backend_differences(before, after));
  return changes;
}

}  // namespace

std::string check_text(const model::Check& check) {
  const std::string every = " every " + duration_text(check.interval_ms);
  switch (check.type) {
    case model::CheckType::kNone:
      return "none";
    case model::CheckType::kTcp:
      return "tcp" + every;
    case model::CheckType::kHttp:
      return fmt::format("http {}{}", check.path, every);
  }
  return {};
}

std::string affinity_text(const model::Affinity& affinity) {
  if (affinity.by == model::AffinityBy::kFlow) return std::string(to_string(affinity.by));
  return fmt::format("{} /{} /{}", to_string(affinity.by), affinity.ipv4_prefix,
                     affinity.ipv6_prefix);
}

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
