// The views of `keys`, `why`, `trace`, and of spliced services in `counters`.
#include <fmt/format.h>

#include "units.h"
#include "views.h"

namespace hawser::ctl {
namespace {

using NamedCounters = google::protobuf::RepeatedPtrField<path::NamedCounter>;

std::string rotation_line(const rpc::KeysReply& reply, const Paint& paint, std::uint64_t now_unix) {
  if (reply.keys().empty()) return "";
  const std::uint64_t next = reply.next_rotation_unix();
  if (next <= now_unix) return "a rotation unpins nobody now\n";
  return paint(Tone::kNotice, fmt::format("the next rotation unpins nobody in {} or later",
                                          human_duration(next - now_unix))) +
         "\n";
}

void add_causes(Table& table, const std::string& service, const char* what,
                const NamedCounters& counters, bool all) {
  for (const path::NamedCounter& counter : counters) {
    if (counter.packets() == 0 && !all) continue;
    table.add({Cell(service, Tone::kStrong), what, counter.name(), human_count(counter.packets()),
               counter.help()});
  }
}

std::string sessions_table(const path::CountersReply& counters, const Paint& paint) {
  Table table({{"SERVICE"},
               {"REQUESTS", Align::kRight},
               {"NEW SESSIONS", Align::kRight},
               {"KEPT", Align::kRight},
               {"MOVED", Align::kRight}});
  for (const path::ServiceCounters& row : counters.services()) {
    table.add({Cell(row.service(), Tone::kStrong), human_count(row.requests()),
               human_count(row.sessions_new()), human_count(row.sessions_kept()),
               human_count(row.sessions_moved())});
  }
  return table.empty() ? "" : "\n" + table.render(paint);
}

std::string causes_table(const path::CountersReply& counters, bool all, const Paint& paint) {
  Table table({{"SERVICE"}, {"WHAT"}, {"NAME"}, {"REQUESTS", Align::kRight}, {"MEANING"}});
  for (const path::ServiceCounters& row : counters.services()) {
    add_causes(table, row.service(), "refused", row.refusals(), all);
    add_causes(table, row.service(), "cookie void", row.cookies(), all);
    add_causes(table, row.service(), "rule", row.rules(), all);
  }
  return table.empty() ? "" : "\n" + table.render(paint);
}

std::string latencies_table(const path::CountersReply& counters, bool all, const Paint& paint) {
  Table table({{"SERVICE"},
               {"TIME"},
               {"REQUESTS", Align::kRight},
               {"P50", Align::kRight},
               {"P90", Align::kRight},
               {"P99", Align::kRight},
               {"MAX", Align::kRight}});
  for (const path::ServiceCounters& row : counters.services()) {
    for (const path::Latency& latency : row.latencies()) {
      if (latency.requests() == 0 && !all) continue;
      table.add({Cell(row.service(), Tone::kStrong), latency.name(),
                 human_count(latency.requests()), human_microseconds(latency.p50_microseconds()),
                 human_microseconds(latency.p90_microseconds()),
                 human_microseconds(latency.p99_microseconds()),
                 human_microseconds(latency.maximum_microseconds())});
    }
  }
  return table.empty() ? "" : "\n" + table.render(paint);
}

// Where the request goes: "backend  shop/web2", "status   503".
std::string outcome_line(const path::ExplainReply& reply, std::string_view service) {
  if (!reply.backend().empty()) {
    return fmt::format("backend  {}/{}\n", printable(service), printable(reply.backend()));
  }
  if (reply.status() != 0) return fmt::format("status   {}\n", reply.status());
  return "backend  none\n";
}

std::string reason_line(const path::ExplainReply& reply, const Paint& paint) {
  return paint(Tone::kStrong, printable(reply.reason())) + "\n";
}

}  // namespace

std::string keys_view(const rpc::KeysReply& reply, const Paint& paint, std::uint64_t now_unix) {
  Table table({{"KEY", Align::kRight}, {"USE"}, {"SINCE"}, {"BY"}, {"WHY"}});
  for (const rpc::KeyRow& row : reply.keys()) {
    const Tone tone = row.use() == "signs" ? Tone::kGood : Tone::kPlain;
    table.add({std::to_string(row.id()), Cell(row.use(), tone),
               human_ago(row.since_unix(), now_unix), row.author(), row.reason()});
  }
  if (table.empty()) return "no keys yet: the first one is made when the dataplane connects\n";
  return table.render(paint) + rotation_line(reply, paint, now_unix);
}

std::string rotation_view(const rpc::RotateKeysReply& reply, const Paint& paint,
                          std::uint64_t now_unix) {
  std::string out = keys_view(reply.keys(), paint, now_unix);
  if (reply.dry_run()) out += "dry run: nothing was changed\n";
  if (reply.epoch() != 0)
    out += fmt::format("confirmed by the dataplane, epoch {}\n", reply.epoch());
  if (!reply.note().empty()) {
    out += paint(Tone::kNotice, "note: " + printable(reply.note())) + "\n";
  }
  return out;
}

std::string why_view(const path::ExplainReply& reply, std::string_view service,
                     const Paint& paint) {
  return reason_line(reply, paint) + outcome_line(reply, service);
}

std::string trace_view(const path::ExplainReply& reply, std::string_view service,
                       const Paint& paint) {
  Table table({{"STEP"}, {"VALUE"}});
  for (const path::ExplainStep& step : reply.steps()) table.add({step.name(), step.value()});
  return (table.empty() ? "" : table.render(paint) + "\n") + why_view(reply, service, paint);
}

std::string service_counters_view(const rpc::CountersReply& reply, bool all, const Paint& paint) {
  const path::CountersReply& counters = reply.counters();
  return sessions_table(counters, paint) + causes_table(counters, all, paint) +
         latencies_table(counters, all, paint);
}

}  // namespace hawser::ctl
