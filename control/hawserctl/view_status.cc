// The view of `status`: verdict, problems, dataplane, ports, services, drift.
#include <algorithm>

#include <fmt/format.h>

#include "units.h"
#include "verdict.h"
#include "views.h"

namespace hawser::ctl {
namespace {

Tone tone_of(Severity severity) {
  switch (severity) {
    case Severity::kOk:
      return Tone::kGood;
    case Severity::kWarning:
      return Tone::kNotice;
    case Severity::kCritical:
      return Tone::kBad;
  }
  return Tone::kPlain;
}

std::string problems_part(const rpc::StatusReply& status, const Paint& paint) {
  std::string out;
  const auto append = [&](bool critical) {
    for (const rpc::Problem& problem : status.problems()) {
      if ((problem.severity() == "critical") != critical) continue;
      out += std::string("  ") +
             paint(critical ? Tone::kBad : Tone::kNotice, critical ? "critical" : "warning ") +
             "  " + printable(problem.message()) + "\n";
    }
  };
  append(true);
  append(false);
  return out;
}

struct Totals {
  std::uint64_t flows = 0;
  std::uint64_t capacity = 0;
  std::uint64_t busiest_permille = 0;
  std::uint64_t nat_used = 0;
  std::uint64_t nat_total = 0;
};

Totals total_of(const path::StatusReply& dataplane) {
  Totals totals;
  for (const path::WorkerStatus& worker : dataplane.workers()) {
    totals.flows += worker.flows_ipv4() + worker.flows_ipv6();
    totals.capacity += worker.capacity_ipv4() + worker.capacity_ipv6();
    totals.busiest_permille = std::max(totals.busiest_permille, worker.busy_permille());
    totals.nat_used += worker.nat_ports_used();
    totals.nat_total += worker.nat_ports_total();
  }
  return totals;
}

std::string neighbours_line(const path::StatusReply& dataplane) {
  int reachable = 0;
  std::string others;
  for (const path::Neighbour& neighbour : dataplane.neighbours()) {
    const bool good = neighbour.state() == "reachable" || neighbour.state() == "stale";
    if (good) {
      ++reachable;
    } else {
      others += fmt::format(", {} {}", printable(neighbour.address()), neighbour.state());
    }
  }
  return fmt::format("neighbours  {} resolved{}\n", reachable, others);
}

std::string epoch_text(const rpc::StatusReply& status) {
  if (status.applied_epoch() == status.desired_epoch()) {
    return fmt::format("epoch {}", status.applied_epoch());
  }
  return fmt::format("epoch {} applied, {} desired", status.applied_epoch(),
                     status.desired_epoch());
}

std::string daemons_part(const rpc::StatusReply& status, const Paint& paint) {
  std::string out =
      fmt::format("hawserd     {}, up {}, {}\n", status.version(),
                  human_duration(status.uptime_seconds()), printable(status.configuration_file()));
  const std::string error = printable(status.dataplane_error());
  if (!status.dataplane_connected()) {
    return out + "dataplane   " + paint(Tone::kBad, "not connected") +
           (error.empty() ? "" : ": " + error) + "\n";
  }
  const path::StatusReply& dataplane = status.dataplane();
  const Totals totals = total_of(dataplane);
  out += fmt::format(
      "dataplane   {}, up {}, {}, {} ({}), {}\n", dataplane.version(),
      human_duration(dataplane.uptime_seconds()), epoch_text(status),
      counted(static_cast<std::uint64_t>(dataplane.workers_size()), "worker"), dataplane.idle(),
      dataplane.huge_pages() ? "huge pages" : paint(Tone::kNotice, "no huge pages: slower"));
  if (!error.empty()) out += fmt::format("            {}\n", paint(Tone::kBad, error));
  out += fmt::format("load        {} of {} flows, busiest worker {}", human_count(totals.flows),
                     human_count(totals.capacity),
                     human_share(static_cast<double>(totals.busiest_permille) / 1000));
  if (totals.nat_total != 0) {
    out += fmt::format(", {} of {} NAT ports", human_count(totals.nat_used),
                       human_count(totals.nat_total));
  }
  return out + "\n" + neighbours_line(dataplane);
}

std::string join(const google::protobuf::RepeatedPtrField<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string vlan_text(const rpc::StatusReply& status, const std::string& port) {
  for (const rpc::PortSettings& settings : status.port_settings()) {
    if (settings.name() == port && settings.vlan() != 0) return std::to_string(settings.vlan());
  }
  return {};
}

std::string ports_part(const rpc::StatusReply& status, const Paint& paint) {
  Table table({{"PORT"},
               {"DEVICE"},
               {"VLAN", Align::kRight},
               {"LINK"},
               {"MAC"},
               {"RECEIVED", Align::kRight},
               {"SENT", Align::kRight},
               {"MISSED", Align::kRight},
               {"ERRORS", Align::kRight},
               {"UNSENT", Align::kRight},
               {"TAP"},
               {"ADDRESSES"}});
  const auto alarming = [](std::uint64_t count) {
    return Cell(human_count(count), count == 0 ? Tone::kPlain : Tone::kNotice);
  };
  for (const path::PortStatus& port : status.dataplane().ports()) {
    table.add({port.name(), port.device(), vlan_text(status, port.name()),
               port.link_up() ? Cell("up", Tone::kGood) : Cell("down", Tone::kBad), port.mac(),
               human_bytes(port.received_bytes()), human_bytes(port.sent_bytes()),
               alarming(port.missed_packets()), alarming(port.receive_errors()),
               alarming(port.unsent_packets()), port.tap(), join(port.addresses())});
  }
  return table.empty() ? "" : std::string("\n") + table.render(paint);
}

std::string drift_part(const rpc::StatusReply& status, const Paint& paint, std::uint64_t now_unix) {
  Table table({{"DIFFERS FROM FILE"}, {"WHAT"}, {"FILE"}, {"NOW"}, {"BY"}, {"SINCE"}, {"WHY"}});
  for (const rpc::Drift& drift : status.drift()) {
    table.add({drift.service() + "/" + drift.backend(), drift.field(), drift.file(),
               Cell(drift.runtime(), Tone::kNotice), drift.author(),
               human_ago(drift.since_unix(), now_unix), drift.reason()});
  }
  return table.empty() ? "" : std::string("\n") + table.render(paint);
}

}  // namespace

std::string status_view(const rpc::StatusReply& status, const rpc::ServicesReply& services,
                        const Paint& paint, std::uint64_t now_unix) {
  std::string out = paint(tone_of(severity_of(status)), headline(status)) + "\n";
  out += problems_part(status, paint);
  out += std::string("\n") + daemons_part(status, paint);
  if (status.dataplane_connected()) out += ports_part(status, paint);
  if (services.services_size() != 0) out += std::string("\n") + services_view(services, paint);
  return out + drift_part(status, paint, now_unix);
}

}  // namespace hawser::ctl
