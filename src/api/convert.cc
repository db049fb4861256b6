// Between the Protobuf messages of dataplane.proto and the values of model/.
#include "hawser/api/convert.h"

#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "convert_parts.h"
#include "convert_splice.h"
#include "dataplane.pb.h"
#include "fields.h"

namespace hawser::api {
namespace {

namespace wire = dataplane::v1;

// Enumerators are declared in the same order on both sides; the asserts hold them together.
static_assert(static_cast<int>(model::Protocol::kUdp) == wire::UDP);
static_assert(static_cast<int>(model::Forward::kSplice) == wire::SPLICE);
static_assert(static_cast<int>(model::AffinityBy::kQuicCid) == wire::QUIC_CID);
static_assert(static_cast<int>(model::AffinityBy::kSni) == wire::SNI);
static_assert(static_cast<int>(model::ClientAddress::kForwardedFor) == wire::X_FORWARDED_FOR);
static_assert(static_cast<int>(model::DownPolicy::kRehome) == wire::REHOME);
static_assert(static_cast<int>(model::Admission::kDraining) == wire::DRAINING);
static_assert(static_cast<int>(model::Admission::kDown) == wire::DOWN);

Result<model::Backend> backend_from(const wire::Backend& message, const std::string& service) {
  Fields fields("service \"" + service + "\", backend \"" + message.name() + "\"");
  model::Backend backend;
  backend.name = message.name();
  backend.address = fields.address(message.address());
  backend.port = fields.number<std::uint16_t>("port", message.port(), 1, 65535);
  backend.weight = fields.number<std::uint32_t>("weight", message.weight(), limits::kMinWeight,
                                                limits::kMaxWeight);
  backend.admission =
      fields.word<model::Admission>("admission", message.admission(), wire::Admission_MAX);
  backend.generation = fields.text("generation", message.generation(), limits::kMaxName);
  backend.departure = {.sessions = fields.number<std::uint16_t>(
                           "released sessions", message.sessions_released(), 0, limits::kSlices),
                       .flows = fields.number<std::uint16_t>(
                           "released flows", message.flows_released(), 0, limits::kSlices)};
  backend.starting_unix = message.starting_unix();
  backend.quic_server_id = message.quic_server_id();
  fields.number<std::size_t>("length of the QUIC server id", backend.quic_server_id.size(), 0,
                             limits::kMaxQuicServerId);
  if (fields.failed()) return fields.error();
  return backend;
}

model::Timeouts timeouts_from(const wire::Service& message, Fields& fields) {
  const auto seconds = [&](const char* what, std::uint64_t value) {
    return fields.number<std::uint16_t>(what, value, 1, limits::kMaxTimeoutSeconds);
  };
  return {.established = seconds("established timeout", message.established_seconds()),
          .handshake = seconds("handshake timeout", message.handshake_seconds()),
          .closing = seconds("closing timeout", message.closing_seconds()),
          .udp = seconds("udp timeout", message.udp_seconds())};
}

model::Protection protection_from(const wire::Protection& message, Fields& fields) {
  model::Protection protection{
      .max_flows = message.max_flows(),
      .new_flow_rate = message.new_flow_rate(),
      .source_rate = {.per_second = message.source_rate(), .burst = message.source_burst()},
      .allow = {message.allow().begin(), message.allow().end()},
      .deny = {message.deny().begin(), message.deny().end()}};
  if (protection.source_rate.per_second == 0) return protection;
  protection.source_rate.ipv4_prefix =
      fields.number<std::uint8_t>("source rate prefix", message.source_ipv4_prefix(), 1, 32);
  protection.source_rate.ipv6_prefix =
      fields.number<std::uint8_t>("source rate prefix", message.source_ipv6_prefix(), 1, 128);
  return protection;
}

model::QuicRouting quic_from(const wire::QuicRouting& message, Fields& fields) {
  return {
      .config_id = fields.number<std::uint8_t>("QUIC config id", message.config_id(), 0,
                                               limits::kMaxQuicConfigId),
      .server_id_length = fields.number<std::uint8_t>(
          "length of QUIC server ids", message.server_id_length(), 1, limits::kMaxQuicServerId),
      .nonce_length = fields.number<std::uint8_t>("length of QUIC nonces", message.nonce_length(),
                                                  limits::kMinQuicNonce, limits::kMaxQuicNonce),
      .key = message.key()};
}

}  // namespace

Result<model::Service> service_from(const wire::Service& message) {
  Fields fields("service \"" + message.name() + "\"");
  const auto word = [&]<typename E>(const char* what, E, int value, int max) {
    return fields.word<E>(what, value, max);
  };
  model::Service service;
  service.name = message.name();
  service.address = fields.address(message.address());
  service.port = fields.number<std::uint16_t>("port", message.port(), 1, 65535);
  service.protocol = word("protocol", service.protocol, message.protocol(), wire::Protocol_MAX);
  service.forward = word("forward", service.forward, message.forward(), wire::Forward_MAX);
  service.affinity.by =
      word("affinity", service.affinity.by, message.affinity_by(), wire::AffinityBy_MAX);
  service.affinity.name =
      fields.text("affinity name", message.affinity_name(), limits::kMaxFieldName);
  if (message.has_cookie()) service.affinity.cookie = cookie_from(message.cookie(), fields);
  service.affinity.ipv4_prefix =
      fields.number<std::uint8_t>("affinity prefix", message.affinity_ipv4_prefix(), 1, 32);
  service.affinity.ipv6_prefix =
      fields.number<std::uint8_t>("affinity prefix", message.affinity_ipv6_prefix(), 1, 128);
  service.on_down = word("on_down", service.on_down, message.on_down(), wire::DownPolicy_MAX);
  service.timeouts = timeouts_from(message, fields);
  service.table_slots = message.table_slots();
  service.client_address = word("client_address", service.client_address, message.client_address(),
                                wire::ClientAddress_MAX);
  if (service.forward == model::Forward::kDsrGue) {
    service.gue_port = fields.number<std::uint16_t>("gue_port", message.gue_port(), 1, 65535);
  }
  service.bounded_load_permille = fields.number<std::uint32_t>(
      "bounded_load", message.bounded_load_permille(), 0, limits::kMaxBoundedLoadPermille);
  if (message.has_protection()) {
    service.protection = protection_from(message.protection(), fields);
  }
  if (message.has_quic()) service.quic = quic_from(message.quic(), fields);
  if (fields.failed()) return fields.error();
  if (message.has_splice()) {
    Result<model::Splice> splice = splice_from(message.splice(), message.name());
    if (!splice) return splice.error();
    service.splice = *std::move(splice);
  }
  service.backends.reserve(static_cast<std::size_t>(message.backends_size()));
  for (const wire::Backend& entry : message.backends()) {
    Result<model::Backend> backend = backend_from(entry, message.name());
    if (!backend) return backend.error();
    service.backends.push_back(*std::move(backend));
  }
  return service;
}

namespace {

void to_message(const model::Backend& backend, wire::Backend& message) {
  message.set_name(backend.name);
  message.set_address(net::address_to_bytes(backend.address));
  message.set_port(backend.port);
  message.set_weight(backend.weight);
  message.set_admission(static_cast<wire::Admission>(backend.admission));
  message.set_quic_server_id(backend.quic_server_id);
  message.set_generation(backend.generation);
  message.set_sessions_released(backend.departure.sessions);
  message.set_flows_released(backend.departure.flows);
  message.set_starting_unix(backend.starting_unix);
}

void to_message(const model::Protection& protection, wire::Protection& message) {
  message.set_max_flows(protection.max_flows);
  message.set_new_flow_rate(protection.new_flow_rate);
  message.set_source_rate(protection.source_rate.per_second);
  message.set_source_burst(protection.source_rate.burst);
  message.set_source_ipv4_prefix(protection.source_rate.ipv4_prefix);
  message.set_source_ipv6_prefix(protection.source_rate.ipv6_prefix);
  for (const std::string& name : protection.allow) message.add_allow(name);
  for (const std::string& name : protection.deny) message.add_deny(name);
}

void to_message(const model::QuicRouting& quic, wire::QuicRouting& message) {
  message.set_config_id(quic.config_id);
  message.set_server_id_length(quic.server_id_length);
  message.set_nonce_length(quic.nonce_length);
  message.set_key(quic.key);
}

}  // namespace

void to_message(const model::Service& service, wire::Service& message) {
  message.set_name(service.name);
  message.set_address(net::address_to_bytes(service.address));
  message.set_port(service.port);
  message.set_protocol(static_cast<wire::Protocol>(service.protocol));
  message.set_forward(static_cast<wire::Forward>(service.forward));
  message.set_affinity_by(static_cast<wire::AffinityBy>(service.affinity.by));
  message.set_affinity_ipv4_prefix(service.affinity.ipv4_prefix);
  message.set_affinity_ipv6_prefix(service.affinity.ipv6_prefix);
  message.set_on_down(static_cast<wire::DownPolicy>(service.on_down));
  message.set_established_seconds(service.timeouts.established);
  message.set_handshake_seconds(service.timeouts.handshake);
  message.set_closing_seconds(service.timeouts.closing);
  message.set_udp_seconds(service.timeouts.udp);
  message.set_table_slots(service.table_slots);
  message.set_client_address(static_cast<wire::ClientAddress>(service.client_address));
  message.set_gue_port(service.gue_port);
  message.set_bounded_load_permille(service.bounded_load_permille);
  if (service.protection != model::Protection{}) {
    to_message(service.protection, *message.mutable_protection());
  }
  if (service.quic != model::QuicRouting{}) to_message(service.quic, *message.mutable_quic());
  message.set_affinity_name(service.affinity.name);
  if (service.affinity.cookie != model::Cookie{}) {
    api::to_message(service.affinity.cookie, *message.mutable_cookie());
  }
  if (service.splice != model::Splice{}) api::to_message(service.splice, *message.mutable_splice());
  for (const model::Backend& backend : service.backends) {
    to_message(backend, *message.add_backends());
  }
}

namespace {

Result<std::vector<model::CookieKey>> cookie_keys_from(const wire::Snapshot& message) {
  std::vector<model::CookieKey> keys;
  for (const wire::CookieKey& entry : message.cookie_keys()) {
    Result<model::CookieKey> key = cookie_key_from(entry);
    if (!key) return key.error();
    keys.push_back(*key);
  }
  if (keys.size() > limits::kCookieKeys) {
    return fail("there are " + std::to_string(keys.size()) + " cookie keys, must be at most " +
                std::to_string(limits::kCookieKeys));
  }
  if (keys.size() == 2 && keys[0].id == keys[1].id) {
    return fail("both cookie keys have the id " + std::to_string(keys[0].id));
  }
  return keys;
}

// --- prefix lists
// ---------------------------------------------------------------------------------

constexpr char kIpv4Mark = 4;
constexpr char kIpv6Mark = 6;

std::string packed(std::span<const net::Prefix> prefixes) {
  std::string bytes;
  for (const net::Prefix& prefix : prefixes) {
    bytes += prefix.address.is_ipv4() ? kIpv4Mark : kIpv6Mark;
    bytes += static_cast<char>(prefix.length);
    bytes += net::address_to_bytes(prefix.address);
  }
  return bytes;
}

}  // namespace

Result<model::PrefixList> list_from(const wire::PrefixList& message) {
  const auto malformed = [&](std::size_t at) {
    return fail("prefix list \"" + message.name() + "\": malformed at byte " + std::to_string(at));
  };
  std::vector<net::Prefix> prefixes;
  const std::string& bytes = message.prefixes();
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = bytes[at] == kIpv4Mark ? 4 : bytes[at] == kIpv6Mark ? 16 : 0;
    if (size == 0 || bytes.size() - at < 2 + size) return malformed(at);
    const auto length = static_cast<std::uint8_t>(bytes[at + 1]);
    Result<net::IpAddress> address = net::address_from_bytes({bytes.data() + at + 2, size});
    if (!address || length > size * 8) return malformed(at);
    prefixes.push_back({*address, length});
    at += 2 + size;
  }
  return model::PrefixList{message.name(),
                           std::make_shared<const std::vector<net::Prefix>>(std::move(prefixes))};
}

void head_to_message(const model::Desired& desired, wire::Snapshot& message) {
  message.set_epoch(desired.epoch.value);
  message.set_flow_key(desired.flow_key.data(), desired.flow_key.size());
  for (const model::CookieKey& key : desired.cookie_keys) {
    to_message(key, *message.add_cookie_keys());
  }
}

Result<model::Desired> head_from_message(const wire::Snapshot& message) {
  model::Desired desired;
  desired.epoch = Epoch(message.epoch());
  if (message.flow_key().size() != desired.flow_key.size()) {
    return fail("the flow key has " + std::to_string(message.flow_key().size()) +
                " bytes, must be " + std::to_string(desired.flow_key.size()));
  }
  std::memcpy(desired.flow_key.data(), message.flow_key().data(), desired.flow_key.size());
  Result<std::vector<model::CookieKey>> keys = cookie_keys_from(message);
  if (!keys) return keys.error();
  desired.cookie_keys = *std::move(keys);
  return desired;
}

void to_message(const model::PrefixList& list, wire::PrefixList& message) {
  message.set_name(list.name);
  message.set_prefixes(packed(*list.prefixes));
}

void to_message(const model::Desired& desired, wire::Snapshot& message) {
  head_to_message(desired, message);
  for (const model::Service& service : desired.services) {
    to_message(service, *message.add_services());
  }
  for (const model::PrefixList& list : desired.prefix_lists) {
    to_message(list, *message.add_prefix_lists());
  }
}

Result<model::Desired> from_message(const wire::Snapshot& message) {
  return from_message(message, {});
}

}  // namespace hawser::api
