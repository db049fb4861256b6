// Turns a service's configuration into what workers read.
#include "service_settings.h"

#include <algorithm>

#include "hawser/net/ipv4.h"

namespace hawser::pipeline {
namespace {

std::array<std::uint16_t, l4::kFlowStates> timeouts_by_state(const model::Timeouts& timeouts) {
  using enum l4::FlowState;
  std::array<std::uint16_t, l4::kFlowStates> result{};
  const auto set = [&](l4::FlowState state, std::uint16_t seconds) {
    result[static_cast<std::size_t>(state)] = seconds;
  };
  set(kSynSent, timeouts.handshake);
  set(kSynReceived, timeouts.handshake);
  set(kEstablished, timeouts.established);
  set(kClientFin, timeouts.closing);
  set(kServerFin, timeouts.closing);
  set(kTimeWait, timeouts.closing);
  set(kReset, std::min(timeouts.closing, limits::kResetLingerSeconds));
  set(kUdp, timeouts.udp);
  set(kSpliced, timeouts.established);
  return result;
}

std::uint8_t affinity_prefix(const model::Service& service) {
  return service.address.is_ipv4() ? service.affinity.ipv4_prefix : service.affinity.ipv6_prefix;
}

}  // namespace

std::uint32_t share_of(std::uint32_t rate, std::uint16_t workers) {
  return rate == 0 ? 0 : std::max<std::uint32_t>(rate / workers, 1);
}

std::uint8_t ip_protocol(model::Protocol protocol) {
  return protocol == model::Protocol::kTcp ? net::kProtocolTcp : net::kProtocolUdp;
}

// All of a service's entry that follows from its configuration alone.
ServiceEntry settings_of(const model::Service& service, std::uint16_t workers) {
  const std::uint32_t rate = share_of(service.protection.new_flow_rate, workers);
  ServiceEntry entry;
  entry.address = service.address;
  entry.port = net::Big16(service.port);
  entry.protocol = ip_protocol(service.protocol);
  entry.forward = service.forward;
  entry.affinity = service.affinity.by;
  entry.on_down = service.on_down;
  entry.affinity_prefix = affinity_prefix(service);
  entry.timeout = timeouts_by_state(service.timeouts);
  entry.bounded_load_permille = service.bounded_load_permille;
  entry.gue_port = net::Big16(service.gue_port);
  entry.client_address = service.client_address;
  entry.max_flows = service.protection.max_flows;
  entry.new_flow_rate = {.per_second = rate, .burst = rate};
  entry.source_rate = service.protection.source_rate;
  entry.source_rate.per_second = share_of(entry.source_rate.per_second, workers);
  return entry;
}

std::string quoted(const std::string& name) {
  return "\"" + name + "\"";
}

std::string described(const model::Service& service) {
  return "service " + quoted(service.name) + " (" +
         net::endpoint_to_string(service.address, service.port) + "/" +
         std::string(model::to_string(service.protocol)) + ")";
}

std::uint64_t identity_of(const std::string& backend) {
  constexpr std::uint64_t kSeed = 0x686177736572;  // "hawser"
  return hash::name_hash(backend, kSeed);
}

std::vector<table::Member> members_of(const model::Service& service) {
  std::vector<table::Member> members;
  members.reserve(service.backends.size());
  for (const model::Backend& backend : service.backends) {
    if (backend.admission != model::Admission::kServing) continue;
    members.push_back({.identity = identity_of(backend.name), .weight = backend.weight});
  }
  return members;
}

std::uint32_t slots_wanted(const model::Service& service) {
  return service.table_slots != 0 ? service.table_slots
                                  : table::Maglev::default_slots(service.backends.size());
}

l4::QuicLbParameters quic_parameters(const model::QuicRouting& quic) {
  l4::QuicLbParameters parameters{.config_id = quic.config_id,
                                  .server_id_length = quic.server_id_length,
                                  .nonce_length = quic.nonce_length};
  if (quic.key.size() == limits::kQuicKeyBytes) {
    parameters.key.emplace();
    std::copy(quic.key.begin(), quic.key.end(), parameters.key->begin());
  }
  return parameters;
}

}  // namespace hawser::pipeline
