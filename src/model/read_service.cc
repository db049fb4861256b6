// Reads the tables of a service and its backends, key by key.
#include "read_service.h"

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "read_availability.h"
#include "read_rules.h"
#include "read_splice.h"

namespace hawser::model {
namespace {

constexpr std::string_view kWeightAdvice =
    "; to take a backend out of service use `hawserctl drain` or `hawserctl maintenance`";

void read_affinity(const Node& table, const std::string& where, Affinity& out,
                   Diagnostics& diagnostics) {
  TableReader reader(table, where + ", affinity", diagnostics);
  reader.word("by", out.by, parse_affinity);
  reader.text("name", out.name, limits::kMaxFieldName);
  if (const Node* cookie = reader.table("cookie")) {
    read_cookie(*cookie, where, out.cookie, diagnostics);
  }
  reader.number("ipv4_prefix", out.ipv4_prefix, 1, 32);
  reader.number("ipv6_prefix", out.ipv6_prefix, 1, 128);
  reader.finish();
}

// Bounded load would send new flows of a client, or of what is chosen by, past the backend where
// they belong.
bool stays_by_hash(AffinityBy by) {
  switch (by) {
    case AffinityBy::kFlow:
    case AffinityBy::kQuicCid:
    case AffinityBy::kNone:
    case AffinityBy::kCookie:
      return false;
    case AffinityBy::kSource:
    case AffinityBy::kAppCookie:
    case AffinityBy::kHeader:
    case AffinityBy::kQuery:
    case AffinityBy::kSni:
      break;
  }
  return true;
}

void read_quic(const Node& table, const std::string& where, QuicRouting& out,
               Diagnostics& diagnostics) {
  TableReader reader(table, where + ", quic", diagnostics);
  reader.number("config_id", out.config_id, 0, limits::kMaxQuicConfigId);
  reader.require("server_id_length", "8");
  reader.number("server_id_length", out.server_id_length, 1, limits::kMaxQuicServerId);
  reader.require("nonce_length", "8");
  reader.number("nonce_length", out.nonce_length, limits::kMinQuicNonce, limits::kMaxQuicNonce);
  reader.hexadecimal("key", out.key, limits::kQuicKeyBytes);
  reader.finish();
}

void read_source_rate(const Node& table, const std::string& where, SourceRate& out,
                      Diagnostics& diagnostics) {
  TableReader reader(table, where + ", source_rate", diagnostics);
  reader.require("per_second", "100");
  reader.number("per_second", out.per_second, 1, limits::kMaxRateBurst);
  out.burst = out.per_second;
  reader.number("burst", out.burst, 1, limits::kMaxRateBurst);
  reader.number("ipv4_prefix", out.ipv4_prefix, 1, 32);
  reader.number("ipv6_prefix", out.ipv6_prefix, 1, 128);
  reader.finish();
}

// What the service bears, and who may use it.
void read_protection(TableReader& reader, const std::string& where, Protection& out,
                     Diagnostics& diagnostics) {
  reader.number("max_flows", out.max_flows, 0, limits::kMaxFlowsPerService);
  reader.number("new_flow_rate", out.new_flow_rate, 0, limits::kMaxFlowRate);
  if (const Node* rate = reader.table("source_rate")) {
    read_source_rate(*rate, where, out.source_rate, diagnostics);
  }
  reader.texts("allow", out.allow, limits::kMaxPrefixLists);
  reader.texts("deny", out.deny, limits::kMaxPrefixLists);
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
  reader.name(backend.name);
  reader.require("address", "\"10.0.1.1\"");
  reader.address("address", backend.address);
  reader.require("port", "8080");
  reader.number("port", backend.port, 1, 65535);
  reader.number("weight", backend.weight, limits::kMinWeight, limits::kMaxWeight, kWeightAdvice);
  reader.hexadecimal("quic_server_id", backend.quic_server_id, limits::kMaxQuicServerId);
  reader.name("generation", backend.generation);
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

}  // namespace

Service read_service(const Node& table, std::size_t index, ServiceSource& source,
                     Diagnostics& diagnostics) {
  const std::string where = label("service", name_of(table), index);
  TableReader reader(table, where, diagnostics);
  Service service;
  reader.require("name", "\"web\"");
  reader.name(service.name);
  reader.require("address", "\"10.0.0.1\"");
  reader.address("address", service.address);
  reader.require("port", "80");
  reader.number("port", service.port, 1, 65535);
  ProtocolChoice protocol;
  reader.word("protocol", protocol, parse_protocol);
  service.protocol = protocol.protocol;
  service.splice.layer7 = protocol.layer7;
  reader.word("forward", service.forward, parse_forward);
  reader.number("gue_port", service.gue_port, 1, 65535);
  reader.word("client_address", service.client_address, parse_client_address);
  reader.word("on_down", service.on_down, parse_down_policy);
  reader.number("table_slots", service.table_slots, 0, limits::kMaxTableSlots);
  if (const Node* affinity = reader.table("affinity")) {
    read_affinity(*affinity, where, service.affinity, diagnostics);
  }
  if (const Node* quic = reader.table("quic")) {
    read_quic(*quic, where, service.quic, diagnostics);
  }
  if (stays_by_hash(service.affinity.by)) service.bounded_load_permille = 0;
  reader.thousandths("bounded_load", service.bounded_load_permille,
                     limits::kMaxBoundedLoadPermille);
  read_protection(reader, where, service.protection, diagnostics);
  if (const Node* timeouts = reader.table("timeouts")) {
    read_timeouts(*timeouts, where, service.timeouts, diagnostics);
  }
  // That a UDP port is open says little, and nothing answers a TCP connection there.
  if (service.protocol == Protocol::kUdp) service.check.type = CheckType::kNone;
  if (const Node* check = reader.table("check")) {
    read_check(*check, where, service.check, diagnostics);
  }
  read_availability(reader, where, service.availability, diagnostics);
  read_splice(reader, service.splice);
  read_backends(reader, where, service, source, diagnostics);
  read_rules(reader, where, service.splice.rules, source, diagnostics);
  reader.finish();
  return service;
}

}  // namespace hawser::model
