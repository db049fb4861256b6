// The configuration file as values: one TOML file for both daemons.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hawser/base/result.h"
#include "hawser/model/rule_patterns.h"
#include "hawser/model/service.h"
#include "hawser/net/address.h"

namespace hawser::model {

// What a worker does when there is nothing to receive.
enum class Idle : std::uint8_t {
  kPoll,      // spin: lowest latency, a whole core
  kAdaptive,  // sleep briefly after a while without packets
};

// One NIC port (or vdev) that Hawser owns. Read by hawser-dataplane at start only.
struct Port {
  std::string name;        // unique; also names the exception TAP when `tap` is empty
  std::string device;      // PCI address (0000:3b:00.0) or vdev string (net_af_packet0,iface=eth0)
  std::string tap;         // exception TAP; default hawser0, hawser1, ... in the order of the file
  std::uint16_t vlan = 0;  // 802.1Q tag of every frame, 1..4094; 0: untagged
  std::uint16_t mtu = 1500;
  std::vector<net::Prefix> addresses;         // own addresses with their on-link networks
  std::vector<net::IpAddress> gateways;       // at most one per family
  std::vector<net::IpAddress> nat_addresses;  // sources of NAT; not among `addresses`
  friend bool operator==(const Port&, const Port&) = default;
};

// [dataplane]: read by hawser-dataplane at start only.
struct Dataplane {
  std::uint32_t main_core = 0;
  std::vector<std::uint32_t> workers = {1};  // cores, one worker on each
  Idle idle = Idle::kPoll;
  std::uint32_t flows_ipv4 = 1'000'000;  // per worker
  std::uint32_t flows_ipv6 = 250'000;    // per worker
  std::uint32_t rx_descriptors = 1024;
  std::uint32_t tx_descriptors = 1024;
  std::uint32_t mbufs = 0;  // 0: as many as queues, rings and bursts can hold
  std::string socket = "/run/hawser/dataplane.sock";
  std::string socket_group;      // group of the socket; empty: that of the process
  std::vector<std::string> eal;  // more EAL arguments, as they are
  friend bool operator==(const Dataplane&, const Dataplane&) = default;
};

// Where hawserd answers over HTTP, to everybody who reaches it.
struct HttpListener {
  net::IpAddress address = net::Ipv4Address{net::Big32(0x7F000001)};
  std::uint16_t port = 9465;  // 0: nowhere
  friend bool operator==(const HttpListener&, const HttpListener&) = default;
};

// [control]: read by hawserd.
struct Control {
  std::string socket = "/run/hawser/hawserd.sock";
  std::string socket_group;
  std::string state_directory = "/var/lib/hawser";
  HttpListener http;
  friend bool operator==(const Control&, const Control&) = default;
};

struct Configuration {
  Dataplane dataplane;
  Control control;
  std::vector<Port> ports;
  std::vector<Service> services;
  std::vector<PrefixList> prefix_lists;
  friend bool operator==(const Configuration&, const Configuration&) = default;
};

// One thing wrong with a configuration file. Lines and columns count from 1.
struct Diagnostic {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string message;

  // `hawser.toml:12:3: unknown key "wieght" (did you mean "weight"?)`
  [[nodiscard]] std::string to_string() const;
};

// Either a configuration that passed every check, or everything that is wrong with it.
struct ParsedConfiguration {
  Configuration configuration;
  std::vector<Diagnostic> diagnostics;  // empty: the configuration is good

  [[nodiscard]] bool ok() const noexcept { return diagnostics.empty(); }
};

// The text of a file that the configuration names, or why it cannot be read (`No such file`). The
// core opens no files itself.
using FileReader = std::function<Result<std::string>(const std::string& path)>;

// A setting of a check that cannot work, as far as looking at files or compiling tells.
struct CheckFault {
  std::string key;
  std::string reason;
};

// What the core cannot look at itself: the files that a check names, its regular expression.
using CheckInspector = std::function<std::vector<CheckFault>(const Check&)>;

// Parses and validates `text`; `file` is only named in diagnostics. Reports every error at once:
// syntax (then only that one), unknown keys with the nearest known one, wrong types, values out of
// range, duplicate names, overlapping services, addresses used twice, unreachable backends.
//
// Prefix lists are read from their files with `read_file`; mistakes there are told with the list's
// file and line. Without it their files are not looked at: for those who serve no services.
//
// The rules of services that are sound are compiled with `compile_rules` into
// Splice::rules_database; what cannot be compiled is told with its place. Without it they are not.
//
// `inspect_check` is asked about every sound health check; what it finds is told with its place.
[[nodiscard]] ParsedConfiguration parse_configuration(std::string_view text,
                                                      const std::string& file,
                                                      const FileReader& read_file = {},
                                                      const RuleCompiler& compile_rules = {},
                                                      const CheckInspector& inspect_check = {});

// A name of a service or backend: 1..63 of [A-Za-z0-9._-], starting with a letter or digit.
[[nodiscard]] Result<void> check_name(std::string_view name);

}  // namespace hawser::model
