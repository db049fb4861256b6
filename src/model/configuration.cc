// Reads the configuration file: each table into its struct, then the whole through validation.
#include "hawser/model/configuration.h"

#include <array>

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "hawser/base/nearest.h"
#include "hawser/model/table_reader.h"
#include "hawser/model/validation.h"

namespace hawser::model {
namespace {

constexpr std::string_view kWeightAdvice =
    "; to take a backend out of service use `hawserctl drain` or `hawserctl maintenance`";

Result<Idle> parse_idle(std::string_view word) {
  if (word == "poll") return Idle::kPoll;
  if (word == "adaptive") return Idle::kAdaptive;
  const std::array<std::string, 2> words{"poll", "adaptive"};
  return fail(
      fmt::format("\"{}\" must be \"poll\" or \"adaptive\"{}", word, suggestion(word, words)));
}

// A name with the rules of check_name.
void read_name(TableReader& reader, std::string& out) {
  const Node* node = reader.value("name", NodeType::kString);
  if (node == nullptr) return;
  const Result<void> checked = check_name(node->text);
  if (checked) {
    out = node->text;
  } else {
    reader.complain(*node, checked.error().message);
  }
}

// The name alone, to call the table by it in diagnostics before it is read.
std::string name_of(const Node& table) {
  const Node* node = table.find("name");
  return node != nullptr && node->type == NodeType::kString ? node->text : std::string();
}

// A path of a socket or directory.
void read_path(TableReader& reader, std::string_view key, std::string& out, std::size_t max) {
  const Node* node = reader.value(key, NodeType::kString);
  if (node == nullptr) return;
  if (node->text.empty() || node->text.front() != '/') {
    reader.complain(*node, fmt::format("{} is \"{}\", must be an absolute path", key, node->text));
  } else if (node->text.size() > max) {
    reader.complain(
        *node, fmt::format("{} has {} bytes, must have at most {}", key, node->text.size(), max));
  } else {
    out = node->text;
  }
}

// Sockets end in .sock, because their read-only twin ends in -ro.sock.
void read_socket(TableReader& reader, std::string& out) {
  constexpr std::string_view kEnding = ".sock";
  std::string path = out;
  read_path(reader, "socket", path, limits::kMaxSocketPath);
  const bool ends = path.size() > kEnding.size() &&
                    std::string_view(path).substr(path.size() - kEnding.size()) == kEnding;
  if (ends) {
    out = std::move(path);
  } else {
    reader.complain(*reader.value("socket", NodeType::kString),
                    fmt::format("socket is \"{}\", must end in .sock (its read-only twin ends in "
                                "-ro.sock)",
                                path));
  }
}

void read_dataplane(const Node& table, Dataplane& out, Diagnostics& diagnostics) {
  TableReader reader(table, "[dataplane]", diagnostics);
  reader.number("main_core", out.main_core, 0, limits::kMaxCore);
  reader.numbers("workers", out.workers, limits::kMaxWorkers, 0, limits::kMaxCore);
  reader.word("idle", out.idle, parse_idle);
  reader.number("flows_ipv4", out.flows_ipv4, limits::kMinFlowsPerWorker,
                limits::kMaxFlowsPerWorker);
  reader.number("flows_ipv6", out.flows_ipv6, limits::kMinFlowsPerWorker,
                limits::kMaxFlowsPerWorker);
  reader.number("rx_descriptors", out.rx_descriptors, limits::kMinDescriptors,
                limits::kMaxDescriptors);
  reader.number("tx_descriptors", out.tx_descriptors, limits::kMinDescriptors,
                limits::kMaxDescriptors);
  reader.number("mbufs", out.mbufs, limits::kMinMbufs, limits::kMaxMbufs,
                "; leave it out for an automatic number");
  read_socket(reader, out.socket);
  reader.text("socket_group", out.socket_group, limits::kMaxName);
  reader.texts("eal", out.eal, limits::kMaxEalArguments);
  reader.finish();
}

void read_control(const Node& table, Control& out, Diagnostics& diagnostics) {
  TableReader reader(table, "[control]", diagnostics);
  read_socket(reader, out.socket);
  reader.text("socket_group", out.socket_group, limits::kMaxName);
  read_path(reader, "state_directory", out.state_directory, limits::kMaxPath);
  reader.finish();
}

Port read_port(const Node& table, std::size_t index, Diagnostics& diagnostics) {
  TableReader reader(table, label("port", name_of(table), index), diagnostics);
  Port port;
  port.tap = fmt::format("hawser{}", index);
  reader.require("name", "\"uplink\"");
  read_name(reader, port.name);
  reader.require("device", "\"0000:3b:00.0\" or a vdev such as \"net_af_packet0,iface=eth0\"");
  reader.text("device", port.device, limits::kMaxPath);
  reader.text("tap", port.tap, limits::kMaxInterfaceName);
  reader.number("mtu", port.mtu, limits::kMinMtu, limits::kMaxMtu);
  reader.require("addresses", "[\"10.0.0.2/24\"]");
  reader.prefixes("addresses", port.addresses, limits::kMaxPortAddresses);
  reader.addresses("gateways", port.gateways, limits::kMaxPortAddresses);
  reader.addresses("nat_addresses", port.nat_addresses, limits::kMaxNatAddresses);
  reader.finish();
  return port;
}

void read_affinity(const Node& table, const std::string& where, Affinity& out,
                   Diagnostics& diagnostics) {
  TableReader reader(table, where + ", affinity", diagnostics);
  reader.word("by", out.by, parse_affinity);
  reader.number("ipv4_prefix", out.ipv4_prefix, 1, 32);
  reader.number("ipv6_prefix", out.ipv6_prefix, 1, 128);
  reader.finish();
}

void read_timeouts(const Node& table, const std::string& where, Timeouts& out,
                   Diagnostics& diagnostics) {
  constexpr std::uint64_t kSecond = 1000;
  constexpr std::uint64_t kMax = limits::kMaxTimeoutSeconds * kSecond;
  TableReader reader(table, where + ", timeouts", diagnostics);
  reader.duration("established", out.established, kSecond, kMax, kSecond);
  reader.duration("handshake", out.handshake, kSecond, kMax, kSecond);
  reader.duration("closing", out.closing, kSecond, kMax, kSecond);
  reader.duration("udp", out.udp, kSecond, kMax, kSecond);
  reader.finish();
}

// status = [200, 399], or one number.
void read_status(TableReader& reader, const Node& table, Check& out) {
  const Node* node = table.find("status");
  if (node != nullptr && node->type == NodeType::kInteger) {
    reader.number("status", out.status_low, limits::kMinHttpStatus, limits::kMaxHttpStatus);
    out.status_high = out.status_low;
    return;
  }
  std::vector<std::uint32_t> range{out.status_low, out.status_high};
  reader.numbers("status", range, 2, limits::kMinHttpStatus, limits::kMaxHttpStatus);
  if (range.size() == 2 && (range[0] <= range[1] || range[1] == 0)) {
    out.status_low = static_cast<std::uint16_t>(range[0]);
    out.status_high = static_cast<std::uint16_t>(range[1]);
  } else {
    reader.complain(*node, "status must be [lowest, highest], such as [200, 399]");
  }
}

// Absolute HTTP path: no blank may split the request line.
void read_path_of_check(TableReader& reader, std::string& out) {
  std::string path = out;
  reader.text("path", path, limits::kMaxCheckText);
  if (!path.empty() && path.front() == '/' && path.find(' ') == std::string::npos) {
    out = std::move(path);
  } else {
    reader.complain(
        *reader.value("path", NodeType::kString),
        fmt::format("path is \"{}\", must start with \"/\" and contain no blank", path));
  }
}

void read_check(const Node& table, const std::string& where, Check& out, Diagnostics& diagnostics) {
  TableReader reader(table, where + ", check", diagnostics);
  reader.word("type", out.type, parse_check);
  reader.duration("interval", out.interval_ms, limits::kMinCheckMilliseconds,
                  limits::kMaxCheckMilliseconds, 1);
  reader.duration("timeout", out.timeout_ms, limits::kMinCheckMilliseconds,
                  limits::kMaxCheckMilliseconds, 1);
  reader.number("rise", out.rise, limits::kMinCheckCount, limits::kMaxCheckCount);
  reader.number("fall", out.fall, limits::kMinCheckCount, limits::kMaxCheckCount);
  reader.number("port", out.port, 1, 65535);
  read_path_of_check(reader, out.path);
  reader.text("host", out.host, limits::kMaxCheckText);
  read_status(reader, table, out);
  reader.text("body", out.body, limits::kMaxCheckText);
  reader.finish();
  for (const std::string_view key : {"path", "host", "status", "body"}) {
    const Node* node = table.find(key);
    if (node != nullptr && out.type != CheckType::kHttp && diagnostics.usable(node)) {
      reader.complain(*node, fmt::format("{} has no effect with type \"{}\"; write type = "
                                         "\"http\" or remove it",
                                         key, to_string(out.type)));
    }
  }
}

Backend read_backend(const Node& table, const std::string& service, std::size_t index,
                     Diagnostics& diagnostics) {
  TableReader reader(table, service + ", " + label("backend", name_of(table), index), diagnostics);
  Backend backend;
  reader.require("name", "\"b1\"");
  read_name(reader, backend.name);
  reader.require("address", "\"10.0.1.1\"");
  reader.address("address", backend.address);
  reader.require("port", "8080");
  reader.number("port", backend.port, 1, 65535);
  reader.number("weight", backend.weight, limits::kMinWeight, limits::kMaxWeight, kWeightAdvice);
  reader.finish();
  return backend;
}

void read_backends(TableReader& reader, const std::string& where, Service& service,
                   ServiceSource& source, Diagnostics& diagnostics) {
  source.backends = reader.tables("backend", "[[service.backend]]");
  service.backends.reserve(source.backends.size());
  for (const Node* table : source.backends) {
    service.backends.push_back(read_backend(*table, where, service.backends.size(), diagnostics));
  }
}

Service read_service(const Node& table, std::size_t index, ServiceSource& source,
                     Diagnostics& diagnostics) {
  const std::string where = label("service", name_of(table), index);
  TableReader reader(table, where, diagnostics);
  Service service;
  reader.require("name", "\"web\"");
  read_name(reader, service.name);
  reader.require("address", "\"10.0.0.1\"");
  reader.address("address", service.address);
  reader.require("port", "80");
  reader.number("port", service.port, 1, 65535);
  reader.word("protocol", service.protocol, parse_protocol);
  reader.word("forward", service.forward, parse_forward);
  reader.word("on_down", service.on_down, parse_down_policy);
  reader.number("table_slots", service.table_slots, 0, limits::kMaxTableSlots);
  if (const Node* affinity = reader.table("affinity")) {
    read_affinity(*affinity, where, service.affinity, diagnostics);
  }
  if (const Node* timeouts = reader.table("timeouts")) {
    read_timeouts(*timeouts, where, service.timeouts, diagnostics);
  }
  // That a UDP port is open says little, and nothing answers a TCP connection there.
  if (service.protocol == Protocol::kUdp) service.check.type = CheckType::kNone;
  if (const Node* check = reader.table("check")) {
    read_check(*check, where, service.check, diagnostics);
  }
  read_backends(reader, where, service, source, diagnostics);
  reader.finish();
  return service;
}

void read_document(const Node& root, Configuration& out, Sources& sources,
                   Diagnostics& diagnostics) {
  TableReader reader(root, "", diagnostics);
  sources.root = &root;
  if (const Node* table = reader.table("dataplane")) {
    read_dataplane(*table, out.dataplane, diagnostics);
  }
  if (const Node* table = reader.table("control")) read_control(*table, out.control, diagnostics);
  sources.ports = reader.tables("port", "[[port]]");
  for (const Node* table : sources.ports) {
    out.ports.push_back(read_port(*table, out.ports.size(), diagnostics));
  }
  for (const Node* table : reader.tables("service", "[[service]]")) {
    ServiceSource& source = sources.services.emplace_back();
    source.table = table;
    out.services.push_back(read_service(*table, out.services.size(), source, diagnostics));
  }
  reader.finish();
}

}  // namespace

std::string Diagnostic::to_string() const {
  return fmt::format("{}:{}:{}: {}", file, line, column, message);
}

std::string label(std::string_view kind, const std::string& name, std::size_t index) {
  return name.empty() ? fmt::format("{} number {}", kind, index + 1)
                      : fmt::format("{} \"{}\"", kind, name);
}

Result<void> check_name(std::string_view name) {
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  bool good = !name.empty() && name.size() <= limits::kMaxName && alphanumeric(name.front());
  for (const char c : name) good = good && (alphanumeric(c) || c == '.' || c == '_' || c == '-');
  if (good) return {};
  return fail(
      fmt::format("the name \"{}\" must be 1 to {} letters, digits, \".\", \"_\" or \"-\", "
                  "the first a letter or digit",
                  name, limits::kMaxName));
}

ParsedConfiguration parse_configuration(std::string_view text, const std::string& file) {
  ParsedConfiguration parsed;
  Diagnostics diagnostics(file);
  if (text.size() > limits::kMaxConfigurationBytes) {
    diagnostics.add(Place{}, fmt::format("the file has {} bytes, must have at most {}", text.size(),
                                         limits::kMaxConfigurationBytes));
  } else {
    const ParsedDocument document = parse_document(text);
    if (document.error.empty()) {
      Sources sources;
      read_document(document.root, parsed.configuration, sources, diagnostics);
      const Claims claims = validate_ports(parsed.configuration, sources, diagnostics);
      validate_services(parsed.configuration, sources, claims, diagnostics);
    } else {
      diagnostics.add(document.error_place, "this is no TOML: " + document.error);
    }
  }
  parsed.diagnostics = std::move(diagnostics).take();
  return parsed;
}

}  // namespace hawser::model
