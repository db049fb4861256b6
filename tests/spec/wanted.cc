// Reads ports, services, keys and prefix lists as network.py writes them.
#include "wanted.h"

#include <algorithm>
#include <initializer_list>
#include <stdexcept>
#include <utility>

#include "hawser/model/compile_rules.h"

namespace hawser::spec {
namespace {

template <typename T>
void read_if_given(const Json& json, const char* key, T& value) {
  value = json.value(key, value);
}

std::string raw(const Json& json, const char* key) {
  const Bytes bytes = json.contains(key) ? read_bytes(json.at(key)) : Bytes();
  return {bytes.begin(), bytes.end()};
}

model::Admission admission(const std::string& word) {
  for (const auto known :
       {model::Admission::kServing, model::Admission::kDraining, model::Admission::kDown}) {
    if (model::to_string(known) == word) return known;
  }
  throw std::runtime_error("no admission is called " + word);
}

model::Backend read_backend(const Json& json) {
  return {.name = json.at("name"),
          .address = read_address(json.at("address")),
          .port = json.at("port"),
          .weight = json.value("weight", limits::kDefaultWeight),
          .quic_server_id = raw(json, "server_id"),
          .generation = json.value("generation", std::string()),
          .admission = admission(json.value("admission", std::string("serving")))};
}

model::Timeouts read_timeouts(const Json& seconds) {
  return {.established = seconds.at("established"),
          .handshake = seconds.at("handshake"),
          .closing = seconds.at("closing"),
          .udp = seconds.at("udp")};
}

model::Protection read_protection(const Json& json) {
  model::Protection protection;
  read_if_given(json, "max_flows", protection.max_flows);
  read_if_given(json, "new_flow_rate", protection.new_flow_rate);
  read_if_given(json, "allow", protection.allow);
  read_if_given(json, "deny", protection.deny);
  if (!json.contains("source_rate")) return protection;
  const Json& rate = json.at("source_rate");
  protection.source_rate.per_second = rate.at("per_second");
  protection.source_rate.burst = rate.at("burst");
  read_if_given(rate, "ipv4_prefix", protection.source_rate.ipv4_prefix);
  read_if_given(rate, "ipv6_prefix", protection.source_rate.ipv6_prefix);
  return protection;
}

model::QuicRouting read_quic(const Json& json) {
  return {.config_id = json.at("config_id"),
          .server_id_length = json.at("server_id_length"),
          .nonce_length = json.at("nonce_length"),
          .key = raw(json, "key")};
}

model::Cookie read_cookie(const Json& json) {
  model::Cookie cookie;
  read_if_given(json, "name", cookie.name);
  read_if_given(json, "path", cookie.path);
  read_if_given(json, "domain", cookie.domain);
  read_if_given(json, "secure", cookie.secure);
  read_if_given(json, "http_only", cookie.http_only);
  read_if_given(json, "idle_seconds", cookie.idle_seconds);
  read_if_given(json, "maximum_seconds", cookie.maximum_seconds);
  return cookie;
}

// The one of these whose name is `word`.
template <typename T>
T one_of(const std::string& word, std::initializer_list<T> all) {
  for (const T one : all) {
    if (model::to_string(one) == word) return one;
  }
  throw std::runtime_error("nothing is called " + word);
}

model::RuleCondition read_condition(const Json& json) {
  using enum model::RuleField;
  using enum model::RuleMatch;
  model::RuleCondition condition;
  condition.field = one_of(json.at("field").get<std::string>(),
                           {kMethod, kHost, kPath, kHeader, kCookie, kServerName, kAlpn});
  condition.name = json.value("name", std::string());
  for (const Json& pattern : json.at("patterns")) {
    condition.patterns.push_back(
        {.match = one_of(pattern.at(0).get<std::string>(), {kExact, kPrefix, kRegex}),
         .text = pattern.at(1)});
  }
  return condition;
}

model::Rule read_rule(const Json& json) {
  model::Rule rule;
  rule.name = json.at("name");
  for (const Json& condition : json.at("conditions")) {
    rule.conditions.push_back(read_condition(condition));
  }
  read_if_given(json, "generation", rule.generation);
  read_if_given(json, "sticky", rule.sticky);
  read_if_given(json, "deny", rule.deny);
  read_if_given(json, "redirect", rule.redirect);
  read_if_given(json, "location", rule.location);
  if (!json.contains("rate")) return rule;
  const Json& rate = json.at("rate");
  rule.rate = {.per_second = rate.at("per_second"),
               .burst = rate.at("burst"),
               .by_source = rate.value("by_source", false)};
  return rule;
}

// How connections are read, with what is sticky about them.
void read_splice(const Json& json, model::Service& service) {
  model::Splice& splice = service.splice;
  read_if_given(json, "h2c_tunnel", splice.h2c_tunnel);
  read_if_given(json, "head_timeout_ms", splice.head_timeout_ms);
  read_if_given(json, "error_body", splice.error_body);
  read_if_given(json, "affinity_name", service.affinity.name);
  if (json.contains("cookie")) service.affinity.cookie = read_cookie(json.at("cookie"));
  if (!json.contains("rules")) return;
  for (const Json& rule : json.at("rules")) splice.rules.push_back(read_rule(rule));
  model::CompiledRules compiled = model::compile_rules(splice.rules);
  if (!compiled.faults.empty()) throw std::runtime_error("a pattern of a rule is none");
  splice.rules_database = std::move(compiled.database);
}

model::Service read_service(const Json& json) {
  model::Service service;
  service.name = json.at("name");
  service.address = read_address(json.at("address"));
  service.port = json.at("port");
  const model::ProtocolChoice choice =
      checked(model::parse_protocol(json.at("protocol").get<std::string>()));
  service.protocol = choice.protocol;
  service.splice.layer7 = choice.layer7;
  service.forward = checked(model::parse_forward(json.at("forward").get<std::string>()));
  service.affinity.by = checked(model::parse_affinity(json.value("affinity", std::string("flow"))));
  read_if_given(json, "ipv4_prefix", service.affinity.ipv4_prefix);
  read_if_given(json, "ipv6_prefix", service.affinity.ipv6_prefix);
  read_splice(json, service);
  service.on_down = checked(model::parse_down_policy(json.value("on_down", std::string("reset"))));
  if (json.contains("timeouts")) service.timeouts = read_timeouts(json.at("timeouts"));
  service.client_address =
      checked(model::parse_client_address(json.value("client_address", std::string("none"))));
  read_if_given(json, "gue_port", service.gue_port);
  read_if_given(json, "bounded_load_permille", service.bounded_load_permille);
  if (json.contains("protection")) service.protection = read_protection(json.at("protection"));
  if (json.contains("quic")) service.quic = read_quic(json.at("quic"));
  service.table_slots = json.at("table_slots");
  for (const Json& backend : json.at("backends")) service.backends.push_back(read_backend(backend));
  return service;
}

model::CookieKey read_key(const Json& json) {
  const Bytes secret = read_bytes(json.at("secret"));
  model::CookieKey key{.id = json.at("id"), .secret = {}};
  if (secret.size() != key.secret.size()) throw std::runtime_error("a cookie key has 16 bytes");
  std::copy(secret.begin(), secret.end(), key.secret.begin());
  return key;
}

model::PrefixList read_prefix_list(const std::string& name, const Json& texts) {
  std::vector<net::Prefix> prefixes;
  for (const Json& text : texts) {
    prefixes.push_back(checked(net::parse_prefix(text.get<std::string>())));
  }
  return {.name = name,
          .prefixes = std::make_shared<const std::vector<net::Prefix>>(std::move(prefixes))};
}

}  // namespace

net::IpAddress read_address(const Json& text) {
  return checked(net::parse_address(text.get<std::string>()));
}

Bytes read_bytes(const Json& hex) {
  const auto text = hex.get<std::string>();
  Bytes result;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    result.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return result;
}

SnapshotStep read_snapshot(const Json& json) {
  SnapshotStep step;
  for (const Json& service : json.at("services")) step.services.push_back(read_service(service));
  if (json.contains("cookie_keys")) {
    for (const Json& key : json.at("cookie_keys")) step.cookie_keys.push_back(read_key(key));
  }
  if (!json.contains("prefix_lists")) return step;
  for (const auto& [name, texts] : json.at("prefix_lists").items()) {
    step.prefix_lists.push_back(read_prefix_list(name, texts));
  }
  return step;
}

pipeline::PortSetup read_port(const Json& json) {
  pipeline::PortSetup port;
  port.name = json.at("name");
  read_if_given(json, "device", port.device);
  read_if_given(json, "vlan", port.vlan);
  read_if_given(json, "mtu", port.mtu);
  port.mac = checked(net::parse_mac(json.at("mac").get<std::string>()));
  for (const Json& own : json.at("addresses")) {
    port.addresses.push_back(checked(net::parse_prefix(own.get<std::string>())));
  }
  for (const Json& gateway : json.at("gateways")) port.gateways.push_back(read_address(gateway));
  for (const Json& nat : json.at("nat_addresses")) port.nat_addresses.push_back(read_address(nat));
  return port;
}

}  // namespace hawser::spec
