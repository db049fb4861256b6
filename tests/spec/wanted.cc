// Reads ports, services and prefix lists as network.py writes them.
#include "wanted.h"

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

model::Service read_service(const Json& json) {
  model::Service service;
  service.name = json.at("name");
  service.address = read_address(json.at("address"));
  service.port = json.at("port");
  service.protocol = checked(model::parse_protocol(json.at("protocol").get<std::string>()));
  service.forward = checked(model::parse_forward(json.at("forward").get<std::string>()));
  service.affinity.by = checked(model::parse_affinity(json.value("affinity", std::string("flow"))));
  read_if_given(json, "ipv4_prefix", service.affinity.ipv4_prefix);
  read_if_given(json, "ipv6_prefix", service.affinity.ipv6_prefix);
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
