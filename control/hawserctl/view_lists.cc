// The views of `services`, `backends`, `counters` and `flows`.
#include <fmt/format.h>

#include "hawser/base/duration.h"
#include "top.h"
#include "units.h"
#include "views.h"

namespace hawser::ctl {
namespace {

std::string weight_text(const rpc::BackendRow& row) {
  std::string more;
  if (row.weight() != row.weight_file()) more = fmt::format("file {}", row.weight_file());
  const bool whole = row.weight_now() == 0 || row.weight_now() == row.weight();
  if (!whole) more += fmt::format("{}{:.3g} now", more.empty() ? "" : ", ", row.weight_now());
  return more.empty() ? std::to_string(row.weight()) : fmt::format("{} ({})", row.weight(), more);
}

// "17:40:00 UTC, 62 % of sessions let go"; of a state that does not end by itself nothing.
std::string ends_text(const rpc::BackendRow& row, std::uint64_t now_unix) {
  if (row.until_unix() == 0) return {};
  const std::string moment = utc_near(row.until_unix(), now_unix);
  if (row.state() != "draining") return moment;
  if (now_unix < row.until_unix()) {
    return fmt::format("{}, {:.0f} % of sessions let go", moment, row.sessions_released() * 100);
  }
  if (row.keeps_flows()) return moment + ", flows kept";
  return fmt::format("{}, {:.0f} % of flows ended", moment, row.flows_released() * 100);
}

// "50 %, drain: stopping".
std::string agent_text(const rpc::BackendRow& row) {
  if (row.agent_result().empty()) return {};
  std::string out = row.agent() == "none" ? "" : row.agent();
  if (row.agent_percent() != 100)
    out += fmt::format("{}{} %", out.empty() ? "" : " ", row.agent_percent());
  return out.empty() ? row.agent_result() : out + ": " + row.agent_result();
}

std::string ejections_text(const rpc::BackendRow& row) {
  return row.ejections() == 0 ? "" : std::to_string(row.ejections());
}

std::string guards_text(const rpc::ServiceRow& row) {
  std::string out;
  if (!row.max_draining().empty()) out = "max_draining " + row.max_draining();
  if (!row.min_ready().empty()) out += (out.empty() ? "" : ", ") + ("min_ready " + row.min_ready());
  return out.empty() ? "off" : out;
}

// "operator (ada): disk swap", "check failed: connection refused".
std::string cause_text(const rpc::BackendRow& row) {
  std::string out = row.cause();
  if (!row.author().empty()) out += " (" + row.author() + ")";
  if (!row.reason().empty()) out += ": " + row.reason();
  return out;
}

// Nothing where there is none, so that a column without any is left out.
std::string some(std::uint64_t count) {
  return count == 0 ? "" : human_count(count);
}

std::string health_text(const rpc::BackendRow& row, std::uint64_t now_unix) {
  if (row.check_result().empty()) return row.health();
  std::string out = fmt::format("{}: {}", row.health(), row.check_result());
  // Checks come every few seconds; only one that stopped coming is worth a word.
  constexpr std::uint64_t kStaleSeconds = 60;
  const bool stale = row.checked_unix() != 0 && now_unix > row.checked_unix() + kStaleSeconds;
  return stale ? out + ", " + human_ago(row.checked_unix(), now_unix) : out;
}

Tone tone_of_health(const std::string& health) {
  if (health == "up") return Tone::kGood;
  return health == "down" ? Tone::kBad : Tone::kFaint;
}

std::string forward_text(const rpc::ServiceRow& row) {
  if (row.gue_port() == 0) return row.forward();
  return fmt::format("{} :{}", row.forward(), row.gue_port());
}

std::string limit_text(std::uint64_t limit) {
  return limit == 0 ? "off" : human_count(limit);
}

// "50/s, burst 100, /32 /64".
std::string source_rate_text(const rpc::ServiceRow& row) {
  if (row.source_rate() == 0) return "off";
  return fmt::format("{}/s, burst {}, /{} /{}", row.source_rate(), row.source_burst(),
                     row.source_ipv4_prefix(), row.source_ipv6_prefix());
}

// "blocked (100.0 k), bogons (12)".
std::string lists_text(const rpc::ServiceRow& row, std::string_view rule) {
  std::string out;
  for (const rpc::ListUse& list : row.lists()) {
    if (list.rule() != rule) continue;
    out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", list.name(),
                       human_count(list.prefixes()));
  }
  return out;
}

void add_counters(Table& table,
                  const google::protobuf::RepeatedPtrField<path::NamedCounter>& counters,
                  bool all) {
  for (const path::NamedCounter& counter : counters) {
    if (counter.packets() == 0 && !all) continue;
    table.add({counter.name(),
               Cell(counter.kind(), counter.kind() == "drop" ? Tone::kNotice : Tone::kPlain),
               human_count(counter.packets()), counter.help()});
  }
}

}  // namespace

Tone tone_of_state(std::string_view state) noexcept {
  if (state == "ready" || state == "ok") return Tone::kGood;
  if (state == "down" || state == "panic") return Tone::kBad;
  return Tone::kNotice;  // starting, draining, maintenance, degraded
}

std::string services_view(const rpc::ServicesReply& reply, const Paint& paint) {
  Table table({{"SERVICE"},
               {"ADDRESS"},
               {"PROTOCOL"},
               {"FORWARD"},
               {"AFFINITY"},
               {"CHECK"},
               {"STATE"},
               {"SERVING", Align::kRight},
               {"FLOWS", Align::kRight},
               {"NEW FLOWS", Align::kRight},
               {"IN", Align::kRight},
               {"OUT", Align::kRight}});
  for (const rpc::ServiceRow& row : reply.services()) {
    table.add({Cell(row.name(), Tone::kStrong), row.address(), row.protocol(), forward_text(row),
               row.affinity(), row.check(), Cell(row.state(), tone_of_state(row.state())),
               fmt::format("{}/{}", row.backends_serving(), row.backends()),
               human_count(row.flows()), human_count(row.new_flows()), human_bytes(row.bytes_in()),
               human_bytes(row.bytes_out())});
  }
  return table.empty() ? "no services\n" : table.render(paint);
}

std::string settings_view(const rpc::ServicesReply& reply, const Paint& paint) {
  Table table({{"SERVICE"},
               {"ON DOWN"},
               {"CLIENT ADDRESS"},
               {"BOUNDED LOAD", Align::kRight},
               {"MAX FLOWS", Align::kRight},
               {"NEW FLOWS/S", Align::kRight},
               {"PER SOURCE"},
               {"ALLOW"},
               {"DENY"},
               {"QUIC", Align::kLeft, true},
               {"READING", Align::kLeft, true}});
  for (const rpc::ServiceRow& row : reply.services()) {
    table.add({Cell(row.name(), Tone::kStrong), row.on_down(), row.client_address(),
               row.bounded_load() == 0 ? "off" : fmt::format("{:.3g}", row.bounded_load()),
               limit_text(row.max_flows()), limit_text(row.new_flow_rate()), source_rate_text(row),
               lists_text(row, "allow"), lists_text(row, "deny"), row.quic(), row.splice()});
  }
  return table.empty() ? "" : std::string("\n") + table.render(paint);
}

std::string availability_view(const rpc::ServicesReply& reply, const Paint& paint,
                              std::uint64_t now_unix) {
  Table table({{"SERVICE"},
               {"SLOW START", Align::kRight},
               {"GUARDS"},
               {"ON PANIC"},
               {"PASSIVE"},
               {"EJECTED", Align::kRight, true},
               {"PANIC SINCE", Align::kLeft, true}});
  for (const rpc::ServiceRow& row : reply.services()) {
    const std::uint64_t milliseconds = std::uint64_t{row.slow_start_seconds()} * 1000;
    table.add({Cell(row.name(), Tone::kStrong),
               milliseconds == 0 ? "off" : duration_text(milliseconds), guards_text(row),
               row.on_panic(), row.passive(),
               row.backends_ejected() == 0 ? "" : std::to_string(row.backends_ejected()),
               row.panic_since_unix() == 0
                   ? Cell("")
                   : Cell(human_ago(row.panic_since_unix(), now_unix), Tone::kBad)});
  }
  return table.empty() ? "" : std::string("\n") + table.render(paint);
}

std::string backends_view(const rpc::BackendsReply& reply, const Paint& paint,
                          std::uint64_t now_unix) {
  Table table({{"BACKEND"},
               {"ADDRESS"},
               {"GENERATION", Align::kLeft, true},
               {"STATE"},
               {"SINCE"},
               {"ENDS", Align::kLeft, true},
               {"WEIGHT", Align::kRight},
               {"SHARE", Align::kRight},
               {"FLOWS", Align::kRight},
               {"NEW FLOWS", Align::kRight},
               {"IN", Align::kRight},
               {"OUT", Align::kRight},
               {"REQUESTS", Align::kRight, true},
               {"ERRORS", Align::kRight, true},
               {"SESSIONS", Align::kRight, true},
               {"HEALTH"},
               {"AGENT", Align::kLeft, true},
               {"EJECTIONS", Align::kRight, true},
               {"CAUSE"}});
  for (const rpc::BackendRow& row : reply.backends()) {
    table.add({Cell(row.service() + "/" + row.name(), Tone::kStrong), row.address(),
               row.generation(), Cell(row.state(), tone_of_state(row.state())),
               human_ago(row.since_unix(), now_unix), ends_text(row, now_unix), weight_text(row),
               human_share(row.share()), human_count(row.flows()), human_count(row.new_flows()),
               human_bytes(row.bytes_in()), human_bytes(row.bytes_out()), some(row.requests()),
               some(errors_of(row)), some(row.live_sessions()),
               Cell(health_text(row, now_unix), tone_of_health(row.health())), agent_text(row),
               ejections_text(row), cause_text(row)});
  }
  return table.empty() ? "no backends\n" : table.render(paint);
}

std::string counters_view(const rpc::CountersReply& reply, bool all, const Paint& paint) {
  Table table({{"COUNTER"}, {"KIND"}, {"PACKETS", Align::kRight}, {"MEANING"}});
  add_counters(table, reply.counters().verdicts(), all);
  add_counters(table, reply.counters().other(), all);
  return table.empty() ? "no packets yet\n" : table.render(paint);
}

std::string flows_view(const path::FlowsReply& reply, const Paint& paint) {
  Table table({{"CLIENT"},
               {"SERVICE"},
               {"DESTINATION"},
               {"BACKEND"},
               {"STATE"},
               {"IDLE", Align::kRight},
               {"EXPIRES IN", Align::kRight},
               {"LOCAL"},
               {"WORKER", Align::kRight}});
  for (const path::Flow& flow : reply.flows()) {
    table.add({flow.client(), flow.service(), flow.destination(), flow.backend(), flow.state(),
               human_duration(flow.idle_seconds()), human_duration(flow.expires_in_seconds()),
               flow.local(), std::to_string(flow.worker())});
  }
  return table.empty() ? "no flows\n" : table.render(paint);
}

}  // namespace hawser::ctl
