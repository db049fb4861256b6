// Reads the configuration file: each table into its struct, then the whole through validation.
#include "hawser/model/configuration.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "hawser/base/nearest.h"
#include "hawser/model/table_reader.h"
#include "hawser/model/validation.h"
#include "read_check.h"
#include "read_prefix_lists.h"
#include "read_rules.h"
#include "read_service.h"

namespace hawser::model {
namespace {

Result<Idle> parse_idle(std::string_view word) {
  if (word == "poll") return Idle::kPoll;
  if (word == "adaptive") return Idle::kAdaptive;
  const std::array<std::string, 2> words{"poll", "adaptive"};
  return fail(
      fmt::format("\"{}\" must be \"poll\" or \"adaptive\"{}", word, suggestion(word, words)));
}

// Sockets end in .sock, because their read-only twin ends in -ro.sock.
void read_socket(TableReader& reader, std::string& out) {
  constexpr std::string_view kEnding = ".sock";
  std::string path = out;
  reader.path("socket", path, limits::kMaxSocketPath);
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

// "127.0.0.1:9465", "[::1]:9465"; "" is nowhere.
Result<HttpListener> parse_listener(std::string_view text) {
  HttpListener listener{.port = 0};
  if (text.empty()) return listener;
  const std::size_t colon = text.rfind(':');
  std::string_view address = text.substr(0, colon);
  const bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
  if (bracketed) address = address.substr(1, address.size() - 2);
  const Result<net::IpAddress> parsed = net::parse_address(address);
  std::uint32_t port = 0;
  if (colon != std::string_view::npos) {
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, port);
    if (error != std::errc() || rest != end || port > UINT16_MAX) port = 0;
  }
  if (!parsed || parsed->is_ipv4() == bracketed || port == 0) {
    return fail(
        fmt::format("\"{}\" must be an address and a port from 1 to 65535, such as "
                    "\"127.0.0.1:9465\" or \"[::1]:9465\", or \"\" for none",
                    text));
  }
  listener.address = *parsed;
  listener.port = static_cast<std::uint16_t>(port);
  return listener;
}

void read_control(const Node& table, Control& out, Diagnostics& diagnostics) {
  TableReader reader(table, "[control]", diagnostics);
  read_socket(reader, out.socket);
  reader.text("socket_group", out.socket_group, limits::kMaxName);
  reader.path("state_directory", out.state_directory, limits::kMaxPath);
  reader.word("http", out.http, parse_listener);
  reader.finish();
}

Port read_port(const Node& table, std::size_t index, Diagnostics& diagnostics) {
  TableReader reader(table, label("port", name_of(table), index), diagnostics);
  Port port;
  port.tap = fmt::format("hawser{}", index);
  reader.require("name", "\"uplink\"");
  reader.name(port.name);
  reader.require("device", "\"0000:3b:00.0\" or a vdev such as \"net_af_packet0,iface=eth0\"");
  reader.text("device", port.device, limits::kMaxPath);
  reader.text("tap", port.tap, limits::kMaxInterfaceName);
  reader.number("vlan", port.vlan, limits::kMinVlan, limits::kMaxVlan,
                "; leave it out for untagged frames");
  reader.number("mtu", port.mtu, limits::kMinMtu, limits::kMaxMtu);
  reader.require("addresses", "[\"10.0.0.2/24\"]");
  reader.prefixes("addresses", port.addresses, limits::kMaxPortAddresses);
  reader.addresses("gateways", port.gateways, limits::kMaxPortAddresses);
  reader.addresses("nat_addresses", port.nat_addresses, limits::kMaxNatAddresses);
  reader.finish();
  return port;
}

void read_document(const Node& root, const FileReader& read_file, const RuleCompiler& compile_rules,
                   const CheckInspector& inspect, Configuration& out, Sources& sources,
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
  out.prefix_lists =
      read_prefix_lists(reader.tables("prefix_list", "[[prefix_list]]"), read_file, diagnostics);
  sources.lists_read = static_cast<bool>(read_file);
  for (const Node* table : reader.tables("service", "[[service]]")) {
    ServiceSource& source = sources.services.emplace_back();
    source.table = table;
    const std::size_t index = out.services.size();
    Service& service = out.services.emplace_back(read_service(*table, index, source, diagnostics));
    if (compile_rules) add_compiled_rules(service, index, source, compile_rules, diagnostics);
    if (inspect) inspect_check(service, index, *table, inspect, diagnostics);
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

ParsedConfiguration parse_configuration(std::string_view text, const std::string& file,
                                        const FileReader& read_file,
                                        const RuleCompiler& compile_rules,
                                        const CheckInspector& inspect_check) {
  ParsedConfiguration parsed;
  Diagnostics diagnostics(file);
  if (text.size() > limits::kMaxConfigurationBytes) {
    diagnostics.add(Place{}, fmt::format("the file has {} bytes, must have at most {}", text.size(),
                                         limits::kMaxConfigurationBytes));
  } else {
    const ParsedDocument document = parse_document(text);
    if (document.error.empty()) {
      Sources sources;
      read_document(document.root, read_file, compile_rules, inspect_check, parsed.configuration,
                    sources, diagnostics);
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
