// The tables of JSON keys.
#include "json_fields.h"

#include <array>

#include "json_fields_changes.h"

namespace hawser::ctl {
namespace {

using namespace keys;  // NOLINT: all are one table

constexpr std::array kStatus{
    JsonField{"verdict", "string", "ok, warning or critical"},
    JsonField{"version", "string", "of hawserd"},
    JsonField{"uptime_seconds", "number", "of hawserd"},
    JsonField{"configuration_file", "string", "the file in force"},
    JsonField{"dataplane_connected", "boolean", "hawserd talks with the dataplane"},
    JsonField{"dataplane_error", "string", "why not, or why the last snapshot was refused"},
    JsonField{"desired_epoch", "number", "of the newest snapshot"},
    JsonField{"applied_epoch", "number", "that the dataplane confirmed"},
    JsonField{"dataplane.version", "string", "of hawser-dataplane"},
    JsonField{"dataplane.epoch", "number", "of the running snapshot"},
    JsonField{"dataplane.uptime_seconds", "number", "of hawser-dataplane"},
    JsonField{"dataplane.ports[].name", "string", "as in the file"},
    JsonField{"dataplane.ports[].device", "string", "as in the file"},
    JsonField{"dataplane.ports[].mac", "string", "of the port"},
    JsonField{"dataplane.ports[].link_up", "boolean", "the link is up"},
    JsonField{"dataplane.ports[].received_packets", "number", ""},
    JsonField{"dataplane.ports[].sent_packets", "number", ""},
    JsonField{"dataplane.ports[].received_bytes", "number", ""},
    JsonField{"dataplane.ports[].sent_bytes", "number", ""},
    JsonField{"dataplane.ports[].missed_packets", "number",
              "lost for lack of a descriptor or buffer"},
    JsonField{"dataplane.ports[].receive_errors", "number", "refused by the NIC"},
    JsonField{"dataplane.ports[].unsent_packets", "number",
              "lost because the transmit queue was full"},
    JsonField{"dataplane.ports[].tap", "string", "the exception TAP"},
    JsonField{"dataplane.ports[].addresses[]", "string", "own addresses with prefix length"},
    JsonField{"dataplane.workers[].id", "number", ""},
    JsonField{"dataplane.workers[].core", "number", "the CPU it is pinned to"},
    JsonField{"dataplane.workers[].flows_ipv4", "number", "live"},
    JsonField{"dataplane.workers[].flows_ipv6", "number", "live"},
    JsonField{"dataplane.workers[].capacity_ipv4", "number", "flows it can hold"},
    JsonField{"dataplane.workers[].capacity_ipv6", "number", "flows it can hold"},
    JsonField{"dataplane.workers[].busy_permille", "number",
              "time in polls that found packets, of 1000"},
    JsonField{"dataplane.workers[].nat_ports_used", "number", ""},
    JsonField{"dataplane.workers[].nat_ports_total", "number", ""},
    JsonField{"dataplane.neighbours[].address", "string", "a backend or gateway"},
    JsonField{"dataplane.neighbours[].mac", "string", "empty while unresolved"},
    JsonField{"dataplane.neighbours[].state", "string", "resolving, reachable, stale or failed"},
    JsonField{"dataplane.neighbours[].port", "string", "name of the port"},
    JsonField{"dataplane.neighbours[].age_seconds", "number", "since it was last confirmed"},
    JsonField{"dataplane.huge_pages", "boolean", "packet memory lies in huge pages"},
    JsonField{"dataplane.idle", "string", "poll or adaptive"},
    JsonField{"problems[].severity", "string", "critical or warning"},
    JsonField{"problems[].message", "string", "what, and what to do"},
    JsonField{"services", "number", "how many there are"},
    JsonField{"backends", "number", "over all services"},
    JsonField{"backends_serving", "number", "that get new flows"},
    JsonField{"drift[].service", "string", "where runtime differs from the file"},
    JsonField{"drift[].backend", "string", ""},
    JsonField{"drift[].field", "string", "weight or mode"},
    JsonField{"drift[].file", "string", "what the file says"},
    JsonField{"drift[].runtime", "string", "what is in force"},
    JsonField{"drift[].author", "string", "who did it"},
    JsonField{"drift[].reason", "string", "why"},
    JsonField{"drift[].since_unix", "number", "when"},
    JsonField{"flows", "number", "live, over all services"},
    JsonField{"port_settings[].name", "string", "as the file says"},
    JsonField{"port_settings[].vlan", "number", "0: untagged"},
    JsonField{"port_settings[].mtu", "number", "bytes"},
    JsonField{"service_list[]", "object", "as services[] of `services --json`"},
};

constexpr std::array kServices{
    JsonField{"services[].name", "string", ""},
    JsonField{"services[].address", "string", "address:port"},
    JsonField{"services[].protocol", "string", "tcp or udp; http or tls where it is read"},
    JsonField{"services[].forward", "string", "nat, splice, dsr-l2, dsr-ipip or dsr-gue"},
    JsonField{"services[].affinity", "string",
              "what a new flow's or request's backend is chosen by"},
    JsonField{"services[].backends", "number", "how many there are"},
    JsonField{"services[].backends_serving", "number", "that get new flows"},
    JsonField{"services[].flows", "number", "live"},
    JsonField{"services[].new_flows", "number", "ever"},
    JsonField{"services[].packets_in", "number", "client to backend"},
    JsonField{"services[].bytes_in", "number", "frames without FCS"},
    JsonField{"services[].packets_out", "number", "backend to client; nat and splice only"},
    JsonField{"services[].bytes_out", "number", "frames without FCS; nat and splice only"},
    JsonField{"services[].on_down", "string", "reset or rehome"},
    JsonField{"services[].check", "string", "the health check"},
    JsonField{"services[].state", "string", "ok, degraded, panic or down"},
    JsonField{"services[].client_address", "string", "none, toa, proxy-v2 or x-forwarded-for"},
    JsonField{"services[].gue_port", "number", "0: not dsr-gue"},
    JsonField{"services[].bounded_load", "number", "above a backend's share; 0.25 is 25 %, 0: off"},
    JsonField{"services[].max_flows", "number", "live flows; 0: no limit"},
    JsonField{"services[].new_flow_rate", "number", "new flows a second; 0: no limit"},
    JsonField{"services[].source_rate", "number",
              "new flows a second of one source prefix; 0: no limit"},
    JsonField{"services[].source_burst", "number", "of them at once"},
    JsonField{"services[].source_ipv4_prefix", "number", "bits of an address that make a source"},
    JsonField{"services[].source_ipv6_prefix", "number", "bits of an address that make a source"},
    JsonField{"services[].quic", "string", "how connection IDs are read; empty: they are not"},
    JsonField{"services[].splice", "string", "how connections are read; empty: they are not"},
    JsonField{"services[].lists[].name", "string", "a prefix list"},
    JsonField{"services[].lists[].rule", "string", "allow or deny"},
    JsonField{"services[].lists[].prefixes", "number", "how many it has"},
    JsonField{"services[].panic_since_unix", "number",
              "every backend that should serve is unhealthy; 0: it is not so"},
    JsonField{"services[].on_panic", "string", "refuse or spread"},
    JsonField{"services[].slow_start_seconds", "number", "0: none"},
    JsonField{"services[].max_draining", "string", "backends, or percent; empty: no limit"},
    JsonField{"services[].min_ready", "string", "backends, or percent; empty: no limit"},
    JsonField{"services[].passive", "string", "what ejects a backend; off"},
    JsonField{"services[].backends_ejected", "number", ""},
};

constexpr std::array kBackends{
    JsonField{"backends[].id", "string", "service/name, as verbs take it"},
    JsonField{"backends[].service", "string", ""},
    JsonField{"backends[].name", "string", ""},
    JsonField{"backends[].address", "string", "address:port"},
    JsonField{"backends[].state", "string", "ready, starting, draining, down or maintenance"},
    JsonField{"backends[].cause", "string", "why it is in this state"},
    JsonField{"backends[].author", "string", "the operator who put it there; else empty"},
    JsonField{"backends[].since_unix", "number", "when it came into this state"},
    JsonField{"backends[].weight", "number", "in force"},
    JsonField{"backends[].weight_file", "number", "in the file"},
    JsonField{"backends[].share", "number", "of the service's new flows, by weight"},
    JsonField{"backends[].flows", "number", "live"},
    JsonField{"backends[].new_flows", "number", "ever"},
    JsonField{"backends[].packets_in", "number", "client to backend"},
    JsonField{"backends[].bytes_in", "number", "frames without FCS"},
    JsonField{"backends[].packets_out", "number", "backend to client; nat and splice only"},
    JsonField{"backends[].bytes_out", "number", "frames without FCS; nat and splice only"},
    JsonField{"backends[].health", "string", "up, down, unchecked or unknown"},
    JsonField{"backends[].check_result", "string", "of the last check"},
    JsonField{"backends[].checked_unix", "number", "when that was"},
    JsonField{"backends[].reason", "string", "the operator's --reason"},
    JsonField{"backends[].quic_server_id", "string", "hexadecimal; empty: none"},
    JsonField{"backends[].generation", "string", "of the application; empty: none"},
    JsonField{"backends[].has_signals", "boolean",
              "answers come by here: the next five are known (nat and splice, TCP)"},
    JsonField{"backends[].connects", "number", "attempts to open a connection to it"},
    JsonField{"backends[].refused", "number", "of those: reset in answer to the SYN"},
    JsonField{"backends[].timed_out", "number", "of those: not answered in time"},
    JsonField{"backends[].reset", "number", "reset after the SYN-ACK, before it was of any use"},
    JsonField{"backends[].aborted", "number", "reset later: may be the application's habit"},
    JsonField{"backends[].server_errors", "number", "responses 5xx; splice, http"},
    JsonField{"backends[].requests", "number", "passed to it; splice, http"},
    JsonField{"backends[].live_sessions", "number", "null: its service gives no session cookies"},
    JsonField{"backends[].response.name", "string", "response: request to head of the response"},
    JsonField{"backends[].response.requests", "number", "that were timed; 0: none"},
    JsonField{"backends[].response.p50_microseconds", "number", "since the dataplane started"},
    JsonField{"backends[].response.p90_microseconds", "number", ""},
    JsonField{"backends[].response.p99_microseconds", "number", ""},
    JsonField{"backends[].response.maximum_microseconds", "number", ""},
    JsonField{"backends[].handshake.name", "string", "handshake: SYN to SYN-ACK"},
    JsonField{"backends[].handshake.requests", "number", "connections that were timed; 0: none"},
    JsonField{"backends[].handshake.p50_microseconds", "number", "since the dataplane started"},
    JsonField{"backends[].handshake.p90_microseconds", "number", ""},
    JsonField{"backends[].handshake.p99_microseconds", "number", ""},
    JsonField{"backends[].handshake.maximum_microseconds", "number", ""},
    JsonField{"backends[].until_unix", "number", "its state ends by itself; 0: it does not"},
    JsonField{"backends[].weight_now", "number", "of the weight, what slow start and agent leave"},
    JsonField{"backends[].agent", "string", "none, up, drain, maintenance or down"},
    JsonField{"backends[].agent_percent", "number", "of the weight"},
    JsonField{"backends[].agent_result", "string",
              "its last words, or why there were none; empty: no agent"},
    JsonField{"backends[].agent_unix", "number", "when that was"},
    JsonField{"backends[].ejections", "number", "in a row"},
    JsonField{"backends[].sessions_released", "number", "of a drain with a deadline, 0 to 1"},
    JsonField{"backends[].flows_released", "number", "after the deadline, 0 to 1"},
    JsonField{"backends[].keeps_flows", "boolean", "past the deadline"},
    JsonField{"backends[].ejected_until_unix", "number", "0: not ejected"},
    JsonField{"backends[].closing_flows", "number",
              "of flows: over, kept for what may still be on its way"},
};

constexpr std::array kCounters{
    JsonField{"verdicts[].name", "string", "one for each way a packet can end"},
    JsonField{"verdicts[].kind", "string", "forward, reply, punt, drop, …"},
    JsonField{"verdicts[].help", "string", "what it means"},
    JsonField{"verdicts[].packets", "number", ""},
    JsonField{"backends[].service", "string", ""},
    JsonField{"backends[].backend", "string", ""},
    JsonField{"backends[].flows", "number", "live"},
    JsonField{"backends[].new_flows", "number", "ever"},
    JsonField{"backends[].packets_in", "number", "client to backend"},
    JsonField{"backends[].bytes_in", "number", "frames without FCS"},
    JsonField{"backends[].packets_out", "number", "backend to client; nat and splice only"},
    JsonField{"backends[].bytes_out", "number", "frames without FCS; nat and splice only"},
    JsonField{"backends[].closing_flows", "number",
              "of flows: over, kept for what may still be on its way"},
    JsonField{"backends[].connects", "number", "this and what follows as in `backends --json`"},
    JsonField{"backends[].refused", "number", ""},
    JsonField{"backends[].timed_out", "number", ""},
    JsonField{"backends[].reset", "number", ""},
    JsonField{"backends[].aborted", "number", ""},
    JsonField{"backends[].server_errors", "number", ""},
    JsonField{"backends[].requests", "number", ""},
    JsonField{"backends[].live_sessions", "number", ""},
    JsonField{"backends[].has_signals", "boolean", ""},
    JsonField{"backends[].response.name", "string", ""},
    JsonField{"backends[].response.requests", "number", ""},
    JsonField{"backends[].response.p50_microseconds", "number", ""},
    JsonField{"backends[].response.p90_microseconds", "number", ""},
    JsonField{"backends[].response.p99_microseconds", "number", ""},
    JsonField{"backends[].response.maximum_microseconds", "number", ""},
    JsonField{"backends[].handshake.name", "string", ""},
    JsonField{"backends[].handshake.requests", "number", ""},
    JsonField{"backends[].handshake.p50_microseconds", "number", ""},
    JsonField{"backends[].handshake.p90_microseconds", "number", ""},
    JsonField{"backends[].handshake.p99_microseconds", "number", ""},
    JsonField{"backends[].handshake.maximum_microseconds", "number", ""},
    JsonField{"other[].name", "string", "counters of the process"},
    JsonField{"other[].kind", "string", ""},
    JsonField{"other[].help", "string", "what it means"},
    JsonField{"other[].packets", "number", "how many"},
    JsonField{"services[].service", "string", "spliced ones only"},
    JsonField{"services[].requests", "number", "ever"},
    JsonField{"services[].sessions_new", "number", "cookies given to users without a usable one"},
    JsonField{"services[].sessions_kept", "number", "requests that went where their cookie says"},
    JsonField{"services[].sessions_moved", "number", "whose home was gone or not to be used"},
    JsonField{"services[].refusals[].name", "string", "why the balancer answered by itself"},
    JsonField{"services[].refusals[].kind", "string", ""},
    JsonField{"services[].refusals[].help", "string", "what it means"},
    JsonField{"services[].refusals[].packets", "number", "requests"},
    JsonField{"services[].cookies[].name", "string", "why a session cookie did not count"},
    JsonField{"services[].cookies[].kind", "string", ""},
    JsonField{"services[].cookies[].help", "string", "what it means"},
    JsonField{"services[].cookies[].packets", "number", "requests"},
    JsonField{"services[].rules[].name", "string", "the rule that matched"},
    JsonField{"services[].rules[].kind", "string", ""},
    JsonField{"services[].rules[].help", "string", "what it does"},
    JsonField{"services[].rules[].packets", "number", "requests"},
    JsonField{
        "services[].latencies[].name", "string",
        "chosen: from the decision about a complete head to the connected backend, of requests "
        "that needed a connection; answered: from there, or from the decision, to the "
        "response's complete head"},
    JsonField{"services[].latencies[].requests", "number", "measured"},
    JsonField{"services[].latencies[].p50_microseconds", "number", "half took no longer"},
    JsonField{"services[].latencies[].p90_microseconds", "number", "of 10, 9 took no longer"},
    JsonField{"services[].latencies[].p99_microseconds", "number", "of 100, 99 took no longer"},
    JsonField{"services[].latencies[].maximum_microseconds", "number", "the longest"},
};

constexpr std::array kExplain{
    JsonField{"steps[].name", "string", "what was decided, in order"},
    JsonField{"steps[].value", "string", "how"},
    JsonField{"backend", "string", "the request goes to it; empty: to none"},
    JsonField{"status", "number", "of the balancer's own answer; 0: none"},
    JsonField{"reason", "string", "why, in one sentence"},
};

constexpr std::array kFlows{
    JsonField{"flows[].service", "string", ""},
    JsonField{"flows[].backend", "string", "empty: a spliced connection that has none now"},
    JsonField{"flows[].client", "string", "address:port"},
    JsonField{"flows[].state", "string", "of the connection"},
    JsonField{"flows[].idle_seconds", "number", "since its last packet"},
    JsonField{"flows[].expires_in_seconds", "number", "if no packet comes"},
    JsonField{"flows[].local", "string",
              "nat, splice: the balancer's address:port towards the backend"},
    JsonField{"flows[].worker", "number", "that owns it"},
    JsonField{"flows[].destination", "string", "the service's address:port"},
    JsonField{"truncated", "boolean", "--limit cut the list"},
};

constexpr std::array kTop{
    JsonField{"backends[].id", "string", "service/name; one object, on one line, for each view"},
    JsonField{"backends[].service", "string", ""},
    JsonField{"backends[].name", "string", ""},
    JsonField{"backends[].state", "string", "as in `backends --json`"},
    JsonField{"backends[].weight", "number", "in force"},
    JsonField{"backends[].share", "number", "of the service's new flows, by weight"},
    JsonField{"backends[].actual_share", "number", "of the service's live flows"},
    JsonField{"backends[].ratio", "number", "of these two; 0: it gets no new flows"},
    JsonField{"backends[].flows", "number", "live"},
    JsonField{"backends[].new_flows_per_second", "number", "over the last interval"},
    JsonField{"backends[].packets_in_per_second", "number", "client to backend"},
    JsonField{"backends[].packets_out_per_second", "number", "backend to client"},
    JsonField{"backends[].bits_in_per_second", "number", "client to backend"},
    JsonField{"backends[].bits_out_per_second", "number", "backend to client"},
    JsonField{"backends[].requests_per_second", "number", "spliced http services"},
    JsonField{"backends[].errors_per_second", "number", "refused, timed out, reset, 5xx"},
    JsonField{"backends[].has_signals", "boolean", "what fails to connect is seen"},
    JsonField{"backends[].response_p50_microseconds", "number",
              "since the dataplane started; 0: nothing was timed"},
    JsonField{"backends[].response_p99_microseconds", "number", ""},
    JsonField{"backends[].handshake_p50_microseconds", "number", "the same, from SYN to SYN-ACK"},
    JsonField{"backends[].handshake_p99_microseconds", "number", ""},
    JsonField{"backends[].live_sessions", "number", "null: its service gives no session cookies"},
};

constexpr std::array kCheck{
    JsonField{"file", "string", "what was checked"},
    JsonField{"good", "boolean", "nothing is wrong with it"},
    JsonField{"diagnostics[].file", "string", "the file, or a prefix list it names"},
    JsonField{"diagnostics[].line", "number", "from 1"},
    JsonField{"diagnostics[].column", "number", "from 1, in characters"},
    JsonField{"diagnostics[].message", "string", "what, and what to do"},
    JsonField{"ports", "number", "in a good file; of one with mistakes this and what follows is 0"},
    JsonField{"services", "number", ""},
    JsonField{"backends", "number", "over all services"},
    JsonField{"rules", "number", "over all services"},
    JsonField{"prefix_lists", "number", ""},
    JsonField{"prefixes", "number", "over all lists"},
};

constexpr std::array kCapture{
    JsonField{"file", "string", "as given to --out"},
    JsonField{"ended", "string", "by what: count, seconds, interrupted or reader_left"},
    JsonField{"frames", "number", "in the file; a packet may be there as received and as sent"},
    JsonField{"matched", "number", "packets that the filters took"},
    JsonField{"sampled_out", "number", "of those, left out by --sample"},
    JsonField{"over_rate", "number", "of those, dropped: more than workers may copy"},
    JsonField{"ring_full", "number", "of those, dropped: not taken in time"},
};

constexpr std::array kVersion{
    JsonField{"hawserctl", "string", "version of this program"},
    JsonField{"hawserd", "string", "version"},
    JsonField{"dataplane", "string", "version; empty: not connected"},
};

}  // namespace

std::span<const JsonField> json_fields(VerbId verb) noexcept {
  switch (verb) {
    case VerbId::kStatus:
      return kStatus;
    case VerbId::kServices:
      return kServices;
    case VerbId::kBackends:
      return kBackends;
    case VerbId::kWeight:
    case VerbId::kDrain:
    case VerbId::kReady:
    case VerbId::kMaintenance:
      return kChange;
    case VerbId::kCounters:
      return kCounters;
    case VerbId::kFlows:
      return kFlows;
    case VerbId::kTop:
      return kTop;
    case VerbId::kReload:
      return kReload;
    case VerbId::kCheck:
      return kCheck;
    case VerbId::kKeys:
      return kKeys;
    case VerbId::kHistory:
      return kHistory;
    case VerbId::kEvents:
      return kEvents;
    case VerbId::kWhy:
    case VerbId::kTrace:
      return kExplain;
    case VerbId::kCapture:
      return kCapture;
    case VerbId::kVersion:
      return kVersion;
    case VerbId::kPlan:  // those of the verb
    case VerbId::kCompletion:
    case VerbId::kReference:
    case VerbId::kManual:
      break;
  }
  return {};
}

}  // namespace hawser::ctl
