// Fills the message about what is counted of spliced services.
#include <algorithm>

#include "dataplane/reports.h"
#include "hawser/pipeline/decide.h"

namespace hawser::dataplane {
namespace {

using pipeline::SpliceCounters;
using pipeline::SpliceService;

template <typename Read>
std::uint64_t sum(const SpliceService& splice, Read&& read) {
  std::uint64_t total = 0;
  for (const auto& counters : splice.counters) total += read(*counters);
  return total;
}

void add(v1::NamedCounter& out, std::string_view name, std::string_view kind, std::string_view help,
         std::uint64_t value) {
  out.set_name(std::string(name));
  out.set_kind(std::string(kind));
  out.set_help(std::string(help));
  out.set_packets(value);
}

void report_refusals(const SpliceService& splice, v1::ServiceCounters& out) {
  for (std::size_t r = 1; r < pipeline::kRefusals; ++r) {
    const auto refusal = static_cast<pipeline::Refusal>(r);
    if (refusal == pipeline::Refusal::kFault) continue;  // by what is wrong, below
    add(*out.add_refusals(), info(refusal).name, "refusal", info(refusal).help,
        sum(splice, [r](const SpliceCounters& c) { return c.refusals[r].read(); }));
  }
  for (std::size_t f = 1; f < l7::kHttpFaults; ++f) {
    const auto& fault = info(static_cast<l7::HttpFault>(f));
    add(*out.add_refusals(), fault.name, "fault", fault.help,
        sum(splice, [f](const SpliceCounters& c) { return c.faults[f].read(); }));
  }
}

void report_cookies(const SpliceService& splice, v1::ServiceCounters& out) {
  for (std::size_t f = 1; f < affinity::kCookieFaults; ++f) {
    const auto fault = static_cast<affinity::CookieFault>(f);
    add(*out.add_cookies(), affinity::to_string(fault), "cookie", affinity::help_of(fault),
        sum(splice, [f](const SpliceCounters& c) { return c.cookies[f].read(); }));
  }
}

void report_rules(const SpliceService& splice, v1::ServiceCounters& out) {
  if (splice.rules == nullptr) return;
  for (std::size_t r = 0; r < splice.rules->rules().size(); ++r) {
    add(*out.add_rules(), splice.rules->rules()[r].name, "rule", "requests that this rule matched",
        sum(splice, [r](const SpliceCounters& c) { return c.rules[r].read(); }));
  }
}

void report_latency(const SpliceService& splice, const char* name,
                    stats::Histogram SpliceCounters::*which, v1::Latency& out) {
  const auto count = [&](std::size_t bucket) {
    return sum(splice, [&](const SpliceCounters& c) { return (c.*which).count(bucket); });
  };
  set_latency(name, count, out);
}

void report_service(const SpliceService& splice, v1::ServiceCounters& out) {
  out.set_service(splice.name);
  out.set_requests(sum(splice, [](const auto& c) { return c.requests.read(); }));
  out.set_sessions_new(sum(splice, [](const auto& c) { return c.sessions_new.read(); }));
  out.set_sessions_kept(sum(splice, [](const auto& c) { return c.sessions_kept.read(); }));
  out.set_sessions_moved(sum(splice, [](const auto& c) { return c.sessions_moved.read(); }));
  report_refusals(splice, out);
  report_cookies(splice, out);
  report_rules(splice, out);
  report_latency(splice, "chosen", &SpliceCounters::chosen, *out.add_latencies());
  report_latency(splice, "answered", &SpliceCounters::answered, *out.add_latencies());
}

}  // namespace

void report_splices(const Parts& parts, v1::CountersReply& reply) {
  for (const pipeline::ServiceEntry& service : parts.snapshots.running().services) {
    if (service.splice != nullptr) report_service(*service.splice, *reply.add_services());
  }
}

void report_splice_events(const Parts& parts, v1::CountersReply& reply) {
  std::uint64_t retries = 0;
  std::uint64_t resplices = 0;
  std::uint64_t tunnels = 0;
  for (const pipeline::ServiceEntry& service : parts.snapshots.running().services) {
    if (service.splice == nullptr) continue;
    retries += sum(*service.splice, [](const auto& c) { return c.retries.read(); });
    resplices += sum(*service.splice, [](const auto& c) { return c.resplices.read(); });
    tunnels += sum(*service.splice, [](const auto& c) { return c.tunnels.read(); });
  }
  add(*reply.add_other(), "splice_retries", "event",
      "backends that refused a connection or were silent, so another was tried", retries);
  add(*reply.add_other(), "splice_resplices", "event",
      "requests for which a connection went over to another backend", resplices);
  add(*reply.add_other(), "splice_tunnels", "event",
      "connections passed on unread from some point on", tunnels);
}

}  // namespace hawser::dataplane
