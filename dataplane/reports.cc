// Fills the messages for Status and Counters.
#include "dataplane/reports.h"

#include <string>

namespace hawser::dataplane {
namespace {

using Workers = std::vector<std::unique_ptr<Worker>>;

// Sum over workers of what `read` takes from each.
template <typename Read>
std::uint64_t sum(const Workers& workers, Read&& read) {
  std::uint64_t total = 0;
  for (const std::unique_ptr<Worker>& worker : workers) total += read(*worker);
  return total;
}

std::vector<PortId> port_ids(const Parts& parts) {
  std::vector<PortId> ids;
  for (std::size_t p = 0; p < parts.configuration.ports.size(); ++p) {
    ids.emplace_back(static_cast<std::uint16_t>(p));
  }
  return ids;
}

void report_port(const Parts& parts, PortId id, v1::PortStatus& out) {
  const EthernetPort& port = parts.machine.port(id);
  const PortStatistics statistics = port.statistics();
  out.set_name(parts.configuration.ports[id.value].name);
  out.set_device(parts.configuration.ports[id.value].device);
  out.set_mac(net::to_string(port.mac()));
  out.set_link_up(port.link_up());
  out.set_received_packets(statistics.received_packets);
  out.set_sent_packets(statistics.sent_packets);
  out.set_received_bytes(statistics.received_bytes);
  out.set_sent_bytes(statistics.sent_bytes);
  out.set_missed_packets(statistics.missed_packets);
  out.set_receive_errors(statistics.receive_errors);
  out.set_unsent_packets(
      sum(parts.machine.workers(), [id](const Worker& worker) { return worker.unsent(id); }));
  out.set_tap(parts.exception.links()[id.value].tap.name());
  for (const net::Prefix& address : parts.configuration.ports[id.value].addresses) {
    out.add_addresses(net::to_string(address));
  }
}

void report_worker(const Worker& worker, v1::WorkerStatus& out) {
  const pipeline::WorkerState& state = worker.state();
  out.set_id(worker.id().value);
  out.set_core(worker.core());
  out.set_flows_ipv4(state.ipv4.live());
  out.set_flows_ipv6(state.ipv6.live());
  out.set_capacity_ipv4(state.ipv4.capacity());
  out.set_capacity_ipv6(state.ipv6.capacity());
  out.set_busy_permille(worker.busy_permille());
  out.set_nat_ports_used(state.nat.used());
  out.set_nat_ports_total(state.nat.total());
}

void report_neighbour(const Parts& parts, std::size_t index, v1::Neighbour& out) {
  const Resolver::View view = parts.resolver.view(index, parts.stopwatch.uptime());
  out.set_address(net::to_string(view.target.address));
  if (view.mac) out.set_mac(net::to_string(*view.mac));
  out.set_state(std::string(to_string(view.state)));
  out.set_port(parts.configuration.ports[view.target.port.value].name);
  out.set_age_seconds(view.age_seconds);
}

void report_verdicts(const Workers& workers, v1::CountersReply& reply) {
  for (const pipeline::VerdictInfo& info : pipeline::kVerdictTable) {
    v1::NamedCounter& out = *reply.add_verdicts();
    out.set_name(std::string(info.name));
    out.set_kind(std::string(pipeline::to_string(info.kind)));
    out.set_help(std::string(info.help));
    out.set_packets(sum(workers, [&](const Worker& worker) {
      return worker.state().verdicts[static_cast<std::size_t>(info.verdict)].read();
    }));
  }
}

void add(v1::CountersReply& reply, const char* name, const char* kind, const char* help,
         std::uint64_t value) {
  v1::NamedCounter& out = *reply.add_other();
  out.set_name(name);
  out.set_kind(kind);
  out.set_help(help);
  out.set_packets(value);
}

void report_losses(const Parts& parts, v1::CountersReply& reply) {
  const Workers& workers = parts.machine.workers();
  const ExceptionPath::Totals& exception = parts.exception.totals();
  add(reply, "hand_off_ring_full", "drop", "the worker that owns the flow did not take it in time",
      sum(workers, [](const Worker& w) { return w.losses().hand_off_ring_full.read(); }));
  add(reply, "punt_ring_full", "drop", "the main core did not take it in time",
      sum(workers, [](const Worker& w) { return w.losses().punt_ring_full.read(); }));
  add(reply, "transmit_queue_full", "drop", "the port did not take it in time",
      sum(workers, [&](const Worker& w) {
        std::uint64_t unsent = 0;
        for (const PortId port : port_ids(parts)) unsent += w.unsent(port);
        return unsent;
      }));
  add(reply, "inject_ring_full", "drop", "from the kernel, but the first worker did not take it",
      exception.inject_ring_full);
  add(reply, "exception_no_buffer", "drop", "to be sent, but no packet buffer was free",
      exception.no_mbuf);
  add(reply, "exception_refused", "drop", "the exception TAP did not take it",
      exception.kernel_refused);
}

}  // namespace

void report_status(const Parts& parts, v1::StatusReply& reply) {
  reply.set_version(HAWSER_VERSION);
  reply.set_epoch(parts.snapshots.desired().epoch.value);
  reply.set_uptime_seconds(
      static_cast<std::uint64_t>(parts.stopwatch.uptime() / std::chrono::seconds(1)));
  for (const PortId port : port_ids(parts)) report_port(parts, port, *reply.add_ports());
  for (const std::unique_ptr<Worker>& worker : parts.machine.workers()) {
    report_worker(*worker, *reply.add_workers());
  }
  for (std::size_t i = 0; i < parts.resolver.size(); ++i) {
    report_neighbour(parts, i, *reply.add_neighbours());
  }
  reply.set_huge_pages(parts.machine.huge_pages());
  reply.set_idle(parts.configuration.dataplane.idle == model::Idle::kPoll ? "poll" : "adaptive");
}

void report_counters(const Parts& parts, bool in_all, v1::CountersReply& reply) {
  const Workers& workers = parts.machine.workers();
  report_verdicts(workers, reply);
  if (!in_all) {
    report_backends(parts, false, reply);
    report_splices(parts, reply);
  }
  add(reply, "stateless", "forward",
      "forwarded by table alone: the flow table was full, or too many flows were new",
      sum(workers, [](const Worker& w) { return w.state().stateless.read(); }));
  add(reply, "spilled", "forward", "new flows that went past an owner above its bound",
      sum(workers, [](const Worker& w) { return w.state().spilled.read(); }));
  add(reply, "previous_owner", "forward",
      "packets without a flow that went to who owned their slot before a change",
      sum(workers, [](const Worker& w) { return w.state().previous_owner.read(); }));
  add(reply, "path_mtus_learned", "event", "errors about tunnel packets that told a path's MTU",
      sum(workers, [](const Worker& w) { return w.state().path_mtus_learned.read(); }));
  add(reply, "nat_ports_reclaimed", "event", "local ports taken from flows that were over",
      sum(workers, [](const Worker& w) { return w.state().nat_ports_reclaimed.read(); }));
  add(reply, "proxy_header_lost", "event", "PROXY headers that no backend acknowledged",
      sum(workers, [](const Worker& w) { return w.state().proxy_header_lost.read(); }));
  report_splice_events(parts, reply);
  add(reply, "splice_owned_resent", "event", "segments of the balancer's own sent again",
      sum(workers, [](const Worker& w) { return w.state().splice.owned_resent.read(); }));
  add(reply, "splice_owned_lost", "event", "spliced connections reset: a side took nothing more",
      sum(workers, [](const Worker& w) { return w.state().splice.owned_lost.read(); }));
  add(reply, "splice_edits", "event", "insertions into spliced streams",
      sum(workers, [](const Worker& w) { return w.state().splice.edits.read(); }));
  add(reply, "vlan_tag_lost", "drop", "no room for the VLAN tag that a driver had taken out",
      sum(workers, [](const Worker& w) { return w.losses().vlan_tag_lost.read(); }));
  add(reply, "flows_expired", "event", "flows forgotten after idling too long",
      sum(workers, [](const Worker& w) { return w.state().expired.read(); }));
  report_losses(parts, reply);
  const ExceptionPath::Totals& exception = parts.exception.totals();
  add(reply, "to_kernel", "punt", "given to the kernel through the exception TAP",
      exception.to_kernel);
  add(reply, "from_kernel", "forward", "sent for the kernel from the exception TAP",
      exception.from_kernel);
  const Resolver::Totals& neighbours = parts.resolver.totals();
  add(reply, "neighbour_probes", "event", "ARP requests and neighbour solicitations sent",
      neighbours.probes);
  add(reply, "neighbour_answers", "event", "frames that told about a next hop", neighbours.answers);
  add(reply, "neighbour_moves", "event", "next hops that changed their MAC address",
      neighbours.moves);
  add(reply, "neighbour_failures", "event", "next hops given up after unanswered probes",
      neighbours.failures);
  add(reply, "snapshots_applied", "event", "snapshots the workers followed",
      parts.snapshots.applied());
  add(reply, "snapshots_refused", "event", "snapshots refused with a reason",
      parts.snapshots.refused());
}

void report_preview(const pipeline::Preview& preview, v1::PreviewReply& reply) {
  reply.set_slots_moved(preview.slots_moved);
  for (const pipeline::PreviewedBackend& row : preview.backends) {
    v1::PreviewBackend& entry = *reply.add_backends();
    entry.set_service(row.service);
    entry.set_backend(row.backend);
    entry.set_slots_before(row.slots_before);
    entry.set_slots_after(row.slots_after);
    entry.set_flows(row.flows);
    entry.set_flows_broken(row.flows_broken);
    if (row.before) entry.set_admission_before(static_cast<v1::Admission>(*row.before));
    if (row.after) entry.set_admission_after(static_cast<v1::Admission>(*row.after));
  }
}

}  // namespace hawser::dataplane
