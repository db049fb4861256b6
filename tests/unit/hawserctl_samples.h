// Replies of an imagined hawserd that the tests of hawserctl share.
#pragma once

#include <cstdint>
#include <optional>
#include <sstream>
#include <string>

#include "api.h"
#include "console.h"

namespace hawser::ctl {

inline constexpr std::uint64_t kNow = 1'800'000'000;

// A console into strings, at the moment kNow.
struct Capture {
  std::ostringstream out;
  std::ostringstream err;
  Console console{.out = out,
                  .err = err,
                  .terminal = false,
                  .no_color = false,
                  .socket = std::nullopt,
                  .author = "ada",
                  .now_unix = [] { return kNow; }};
};

inline rpc::BackendRow backend_row(const std::string& service, const std::string& name) {
  rpc::BackendRow row;
  row.set_service(service);
  row.set_name(name);
  row.set_address("10.0.1.1:8080");
  row.set_state("ready");
  row.set_cause("configuration");
  row.set_since_unix(kNow - 200);
  row.set_weight(100);
  row.set_weight_file(100);
  row.set_share(0.5);
  row.set_flows(12);
  row.set_new_flows(1234567);
  row.set_packets_in(1000);
  row.set_bytes_in(64000);
  row.set_health("up");
  row.set_check_result("200 in 3 ms");
  row.set_checked_unix(kNow - 1);
  return row;
}

inline rpc::BackendsReply two_backends() {
  rpc::BackendsReply reply;
  *reply.add_backends() = backend_row("web", "b1");
  rpc::BackendRow& second = *reply.add_backends();
  second = backend_row("web", "b2");
  second.set_state("draining");
  second.set_cause("operator");
  second.set_author("ada");
  second.set_reason("disk swap");
  second.set_weight(50);
  second.set_share(0);
  return reply;
}

inline rpc::ServicesReply one_service() {
  rpc::ServicesReply reply;
  rpc::ServiceRow& row = *reply.add_services();
  row.set_name("web");
  row.set_address("10.0.0.1:80");
  row.set_protocol("tcp");
  row.set_forward("nat");
  row.set_affinity("source");
  row.set_backends(2);
  row.set_backends_serving(1);
  row.set_flows(24);
  row.set_state("degraded");
  row.set_check("http / every 2 s");
  row.set_on_down("reset");
  row.set_client_address("none");
  row.set_bounded_load(0.25);
  return reply;
}

// All is well.
inline rpc::StatusReply good_status() {
  rpc::StatusReply status;
  status.set_version("0.1.0");
  status.set_uptime_seconds(7500);
  status.set_configuration_file("/etc/hawser/hawser.toml");
  status.set_dataplane_connected(true);
  status.set_desired_epoch(17);
  status.set_applied_epoch(17);
  status.set_services(1);
  status.set_backends(2);
  status.set_backends_serving(2);
  status.set_flows(24);
  path::StatusReply& dataplane = *status.mutable_dataplane();
  dataplane.set_version("0.1.0");
  dataplane.set_epoch(17);
  dataplane.set_uptime_seconds(273600);
  dataplane.set_huge_pages(true);
  dataplane.set_idle("poll");
  path::PortStatus& port = *dataplane.add_ports();
  port.set_name("uplink");
  port.set_device("0000:3b:00.0");
  port.set_mac("02:00:00:00:00:01");
  port.set_link_up(true);
  port.set_received_bytes(1'500'000);
  port.set_tap("hawser0");
  port.add_addresses("10.0.0.2/24");
  rpc::PortSettings& settings = *status.add_port_settings();
  settings.set_name("uplink");
  settings.set_vlan(100);
  path::WorkerStatus& worker = *dataplane.add_workers();
  worker.set_core(1);
  worker.set_flows_ipv4(24);
  worker.set_capacity_ipv4(1'000'000);
  worker.set_busy_permille(342);
  path::Neighbour& neighbour = *dataplane.add_neighbours();
  neighbour.set_address("10.0.1.1");
  neighbour.set_state("reachable");
  return status;
}

inline rpc::StatusReply bad_status() {
  rpc::StatusReply status = good_status();
  rpc::Problem& warning = *status.add_problems();
  warning.set_severity("warning");
  warning.set_message("web/b2 differs from the file: say ready when done");
  rpc::Problem& critical = *status.add_problems();
  critical.set_severity("critical");
  critical.set_message("service web has no backend that serves: check the backends");
  rpc::Drift& drift = *status.add_drift();
  drift.set_service("web");
  drift.set_backend("b2");
  drift.set_field("mode");
  drift.set_file("ready");
  drift.set_runtime("drain");
  drift.set_author("ada");
  drift.set_reason("disk swap");
  drift.set_since_unix(kNow - 200);
  path::Neighbour& lost = *status.mutable_dataplane()->add_neighbours();
  lost.set_address("10.0.1.3");
  lost.set_state("failed");
  return status;
}

}  // namespace hawser::ctl
