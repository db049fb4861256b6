// Joins configuration, runtime state and the dataplane's counters into rows.
#include "rows.h"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "settings_text.h"

namespace hawser::control {
namespace {

namespace wire = dataplane::v1;

using Key = std::pair<std::string, std::string>;  // service, backend
using CounterIndex = std::map<Key, const wire::BackendCounters*>;

CounterIndex index(const wire::CountersReply& counters) {
  CounterIndex found;
  for (const wire::BackendCounters& entry : counters.backends()) {
    found.emplace(Key(entry.service(), entry.backend()), &entry);
  }
  return found;
}

const char* service_state(const ServiceState& state, std::uint32_t serving, std::size_t backends) {
  if (state.panic_since() != 0) return "panic";
  if (serving == 0) return "down";
  return serving < backends ? "degraded" : "ok";
}

// What ends or changes by itself.
void set_terms(const View& view, const model::Service& service, std::size_t index,
               const BackendState& state, v1::BackendRow& row) {
  constexpr double kAll = limits::kSlices;
  // What the dataplane is told, not what it will be at the next tick.
  const model::Departure& departure =
      view.runtime.state(service).in_force()->backends[index].departure;
  row.set_until_unix(until_of(state, service.availability));
  row.set_weight_now(row.weight() * weight_permille(state, service.availability, view.now_unix) /
                     1000.0);
  row.set_agent(std::string(to_string(state.agent)));
  row.set_agent_percent(state.agent_percent);
  row.set_agent_result(state.agent_text);
  row.set_agent_unix(state.agent_unix);
  row.set_ejections(state.ejections);
  row.set_ejected_until_unix(state.ejected_until_unix);
  row.set_sessions_released(departure.sessions / kAll);
  row.set_flows_released(departure.flows / kAll);
  row.set_keeps_flows(state.terms.keep_flows);
}

// How the backend takes what it is sent, as far as the balancer sees it.
void set_signals(const wire::BackendCounters& counters, v1::BackendRow& row) {
  row.set_has_signals(counters.has_signals());
  row.set_connects(counters.connects());
  row.set_refused(counters.refused());
  row.set_timed_out(counters.timed_out());
  row.set_reset(counters.reset());
  row.set_aborted(counters.aborted());
  row.set_server_errors(counters.server_errors());
  row.set_requests(counters.requests());
  if (counters.has_live_sessions()) row.set_live_sessions(counters.live_sessions());
  if (counters.has_response()) *row.mutable_response() = counters.response();
  if (counters.has_handshake()) *row.mutable_handshake() = counters.handshake();
}

v1::BackendRow backend_row(const View& view, const model::Service& service,
                           const model::Backend& backend, double share,
                           const CounterIndex& counters) {
  const BackendState& state = view.runtime.state(service, backend);
  const Judgement judgement = judgement_of(state);
  v1::BackendRow row;
  row.set_service(service.name);
  row.set_name(backend.name);
  row.set_address(net::endpoint_to_string(backend.address, backend.port));
  row.set_state(std::string(to_string(judgement.state)));
  row.set_cause(cause_of(state));
  // Of the mode; who changed a weight stands in the drift.
  row.set_author(state.mode_by.author);
  row.set_reason(state.mode_by.reason);
  row.set_since_unix(state.since_unix);
  row.set_weight(weight_of(state, backend));
  row.set_weight_file(backend.weight);
  row.set_quic_server_id(server_id_text(backend));
  row.set_generation(backend.generation);
  row.set_share(share);
  row.set_health(std::string(to_string(state.health)));
  row.set_check_result(state.check_text);
  row.set_checked_unix(state.checked_unix);
  const auto index = static_cast<std::size_t>(&backend - service.backends.data());
  set_terms(view, service, index, state, row);
  const auto counter = counters.find(Key(service.name, backend.name));
  if (counter == counters.end()) return row;
  row.set_flows(counter->second->flows());
  row.set_closing_flows(counter->second->closing_flows());
  row.set_new_flows(counter->second->new_flows());
  row.set_packets_in(counter->second->packets_in());
  row.set_bytes_in(counter->second->bytes_in());
  row.set_packets_out(counter->second->packets_out());
  row.set_bytes_out(counter->second->bytes_out());
  set_signals(*counter->second, row);
  return row;
}

void set_lists(const model::Configuration& configuration, const std::vector<std::string>& names,
               const char* rule, v1::ServiceRow& row) {
  for (const std::string& name : names) {
    v1::ListUse& use = *row.add_lists();
    use.set_name(name);
    use.set_rule(rule);
    for (const model::PrefixList& list : configuration.prefix_lists) {
      if (list.name == name) use.set_prefixes(list.prefixes->size());
    }
  }
}

void set_settings(const model::Configuration& configuration, const model::Service& service,
                  v1::ServiceRow& row) {
  const model::Protection& protection = service.protection;
  row.set_client_address(std::string(to_string(service.client_address)));
  if (service.forward == model::Forward::kDsrGue) row.set_gue_port(service.gue_port);
  row.set_bounded_load(static_cast<double>(service.bounded_load_permille) / 1000);
  row.set_max_flows(protection.max_flows);
  row.set_new_flow_rate(protection.new_flow_rate);
  if (protection.source_rate.per_second != 0) {
    row.set_source_rate(protection.source_rate.per_second);
    row.set_source_burst(protection.source_rate.burst);
    row.set_source_ipv4_prefix(protection.source_rate.ipv4_prefix);
    row.set_source_ipv6_prefix(protection.source_rate.ipv6_prefix);
  }
  row.set_quic(quic_text(service.quic));
  row.set_splice(splice_text(service.splice));
  set_lists(configuration, protection.allow, "allow", row);
  set_lists(configuration, protection.deny, "deny", row);
}

void set_availability(const model::Availability& availability, const ServiceState& state,
                      v1::ServiceRow& row) {
  row.set_panic_since_unix(state.panic_since());
  row.set_on_panic(std::string(to_string(availability.on_panic)));
  row.set_slow_start_seconds(availability.slow_start_seconds);
  row.set_max_draining(portion_text(availability.guards.max_draining));
  row.set_min_ready(portion_text(availability.guards.min_ready));
  row.set_passive(passive_text(availability.passive));
  row.set_backends_ejected(static_cast<std::uint32_t>(state.ejected()));
}

v1::ServiceRow service_row(const View& view, const model::Service& service,
                           const CounterIndex& counters) {
  v1::ServiceRow row;
  row.set_name(service.name);
  row.set_address(net::endpoint_to_string(service.address, service.port));
  row.set_protocol(std::string(protocol_word(service)));
  row.set_forward(std::string(to_string(service.forward)));
  row.set_affinity(affinity_text(service.affinity));
  row.set_backends(static_cast<std::uint32_t>(service.backends.size()));
  row.set_backends_serving(backends_serving(view, service));
  row.set_on_down(std::string(to_string(service.on_down)));
  set_settings(view.runtime.configuration(), service, row);
  row.set_check(check_text(service.check));
  const ServiceState& state = view.runtime.state(service);
  row.set_state(service_state(state, row.backends_serving(), service.backends.size()));
  set_availability(service.availability, state, row);
  for (const model::Backend& backend : service.backends) {
    const auto counter = counters.find(Key(service.name, backend.name));
    if (counter == counters.end()) continue;
    row.set_flows(row.flows() + counter->second->flows());
    row.set_new_flows(row.new_flows() + counter->second->new_flows());
    row.set_packets_in(row.packets_in() + counter->second->packets_in());
    row.set_bytes_in(row.bytes_in() + counter->second->bytes_in());
    row.set_packets_out(row.packets_out() + counter->second->packets_out());
    row.set_bytes_out(row.bytes_out() + counter->second->bytes_out());
  }
  return row;
}

v1::Drift drift_row(const model::Service& service, const model::Backend& backend, const char* field,
                    const std::string& file, const std::string& runtime, const Authorship& by) {
  v1::Drift row;
  row.set_service(service.name);
  row.set_backend(backend.name);
  row.set_field(field);
  row.set_file(file);
  row.set_runtime(runtime);
  row.set_author(by.author);
  row.set_reason(by.reason);
  row.set_since_unix(by.since_unix);
  return row;
}

}  // namespace

std::uint32_t backends_serving(const View& view, const model::Service& service) {
  return static_cast<std::uint32_t>(view.runtime.state(service).serving());
}

std::uint32_t backends_serving(const View& view) {
  std::uint32_t serving = 0;
  for (const model::Service& service : view.runtime.configuration().services) {
    serving += backends_serving(view, service);
  }
  return serving;
}

std::vector<v1::ServiceRow> service_rows(const View& view, const wire::CountersReply& counters,
                                         const std::string& service) {
  const CounterIndex by_name = index(counters);
  std::vector<v1::ServiceRow> rows;
  for (const model::Service& entry : view.runtime.configuration().services) {
    if (service.empty() || entry.name == service) {
      rows.push_back(service_row(view, entry, by_name));
    }
  }
  return rows;
}

std::vector<v1::BackendRow> backend_rows(const View& view, const wire::CountersReply& counters,
                                         const std::string& service, const std::string& backend) {
  const CounterIndex by_name = index(counters);
  std::vector<v1::BackendRow> rows;
  for (const model::Service& owner : view.runtime.configuration().services) {
    if (!service.empty() && owner.name != service) continue;
    const std::vector<double> shares = shares_of(*view.runtime.state(owner).in_force());
    for (std::size_t i = 0; i < owner.backends.size(); ++i) {
      if (!backend.empty() && owner.backends[i].name != backend) continue;
      rows.push_back(backend_row(view, owner, owner.backends[i], shares[i], by_name));
    }
  }
  return rows;
}

std::vector<v1::Drift> drift_rows(const View& view) {
  std::vector<v1::Drift> rows;
  for (const model::Service& service : view.runtime.configuration().services) {
    for (const model::Backend& backend : service.backends) {
      const BackendState& state = view.runtime.state(service, backend);
      if (state.weight && *state.weight != backend.weight) {
        rows.push_back(drift_row(service, backend, "weight", std::to_string(backend.weight),
                                 std::to_string(*state.weight), state.weight_by));
      }
      if (state.mode != Mode::kReady) {
        rows.push_back(drift_row(service, backend, "mode", "ready",
                                 mode_text(state.mode, state.terms), state.mode_by));
      }
    }
  }
  return rows;
}

v1::HistoryRow history_row(const HistoryEntry& entry) {
  v1::HistoryRow row;
  row.set_at_unix(entry.by.since_unix);
  row.set_author(entry.by.author);
  row.set_service(entry.service);
  row.set_backend(entry.backend);
  row.set_field(entry.field);
  row.set_before(entry.before);
  row.set_after(entry.after);
  row.set_reason(entry.by.reason);
  row.set_forced(entry.by.forced);
  return row;
}

v1::Event event_row(const FleetEvent& event) {
  v1::Event row;
  row.set_sequence(event.sequence);
  row.set_at_unix_ms(event.at_unix_ms);
  row.set_kind(std::string(to_string(event.kind)));
  row.set_severity(std::string(to_string(event.severity)));
  row.set_service(event.service);
  row.set_backend(event.backend);
  row.set_text(event.text);
  row.set_author(event.author);
  row.set_reason(event.reason);
  return row;
}

v1::KeysReply keys_reply(const KeysView& view) {
  v1::KeysReply reply;
  for (const KeyView& key : view.keys) {
    v1::KeyRow& row = *reply.add_keys();
    row.set_id(key.id);
    row.set_use(key.signs ? "signs" : "counts");
    row.set_since_unix(key.by.since_unix);
    row.set_author(key.by.author);
    row.set_reason(key.by.reason);
  }
  reply.set_next_rotation_unix(view.next_rotation_unix);
  return reply;
}

}  // namespace hawser::control
