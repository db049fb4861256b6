// Reads the tables of a service and its backends, key by key.
#include "read_service.h"

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "read_availability.h"
#include "read_check.h"
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
  read_checks(reader, where, service, diagnostics);
  read_availability(reader, where, service.availability, diagnostics);
  read_splice(reader, service.splice);
  read_backends(reader, where, service, source, diagnostics);
  read_rules(reader, where, service.splice.rules, source, diagnostics);
  reader.finish();
  return service;
}

}  // namespace hawser::model
