// The model's flows of one worker: a map and plain counts. No layout, no packing, no wrapping time.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "hawser/l4/tcp_state.h"
#include "hawser/pipeline/verdict.h"
#include "model_config.h"
#include "model_ports.h"
#include "segment.h"

namespace hawser::property {

struct FlowKey {
  net::IpAddress client;
  std::uint16_t port = 0;
  ServiceIdentity service = 0;
  friend auto operator<=>(const FlowKey&, const FlowKey&) = default;
};

// A local endpoint: slot of the NAT address and port.
struct Local {
  std::uint8_t address = 0;
  std::uint16_t port = 0;
  friend auto operator<=>(const Local&, const Local&) = default;
};

struct ModelFlow {
  l4::FlowState state = l4::FlowState::kFree;
  Moment seen = 0;
  BackendIdentity backend = 0;
  std::optional<Local> local;
};

struct LocalUse {
  FlowKey flow;
  net::MacAddress client_mac;
  PortId client_port;
  bool by_gateway = false;
  Moment seen = 0;
};

struct ModelCounters {
  std::uint64_t flows = 0;
  std::uint64_t new_flows = 0;
  std::uint64_t packets_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t packets_out = 0;
  std::uint64_t bytes_out = 0;
  friend bool operator==(const ModelCounters&, const ModelCounters&) = default;
};

// RFC 9293's states as an observer sees them, as rules (docs/packet-path.md).
[[nodiscard]] l4::FlowState state_after(l4::FlowState state, bool from_client, std::uint8_t flags);
// The state that a client's packet opens a flow in.
[[nodiscard]] l4::FlowState first_state(const Segment& segment);

class ModelFlows {
 public:
  ModelFlows(const ModelConfig& config, const Network& network, std::uint16_t workers,
             std::uint16_t self, std::uint32_t first_port);

  [[nodiscard]] ModelFlow* find(const FlowKey& key);
  [[nodiscard]] LocalUse* find(const Local& local);
  [[nodiscard]] bool is_expired(const FlowKey& key, const ModelFlow& flow, Moment now) const;
  void open(const FlowKey& key, const ModelFlow& flow);
  void move(ServiceIdentity service, ModelFlow& flow, l4::FlowState state);
  [[nodiscard]] static bool is_over(const ModelFlow& flow);
  // Live flows that are load, of a backend and of a service.
  [[nodiscard]] std::uint64_t load(BackendIdentity backend) {
    return counters(backend).flows - static_cast<std::uint64_t>(ended_[backend]);
  }
  [[nodiscard]] std::uint64_t service_load(ServiceIdentity service) {
    return service_flows(service) - static_cast<std::uint64_t>(service_ended_[service]);
  }
  // Forgets the flow, with its local port and its place in the counts.
  void forget(const FlowKey& key);
  // Forgets idle flows in an unknown order, and counts them as expired.
  void expire(const std::vector<FlowKey>& keys);
  // All idle flows of a family.
  [[nodiscard]] std::vector<FlowKey> expired(net::Family family, Moment now) const;

  [[nodiscard]] std::size_t live(net::Family family) const {
    return family == net::Family::kIpv4 ? live_ipv4_ : flows_.size() - live_ipv4_;
  }
  [[nodiscard]] const std::map<FlowKey, ModelFlow>& flows() const { return flows_; }
  [[nodiscard]] const std::map<Local, LocalUse>& locals() const { return locals_; }
  [[nodiscard]] std::map<Local, LocalUse>& locals() { return locals_; }
  [[nodiscard]] ModelPorts& ports(std::uint8_t address) { return ports_[address]; }
  [[nodiscard]] std::vector<ModelPorts>& ports() { return ports_; }
  [[nodiscard]] ModelCounters& counters(BackendIdentity backend);
  [[nodiscard]] const std::map<std::uint32_t, ModelCounters>& counters() const { return counters_; }
  [[nodiscard]] std::uint64_t service_flows(ServiceIdentity service) const {
    const auto found = service_flows_.find(service);
    return found == service_flows_.end() ? 0 : found->second;
  }
  // A backend id that another had before begins at nought.
  void reuse(BackendId id) { counters_.erase(id.value); }

  std::array<std::uint64_t, pipeline::kVerdicts> verdicts{};
  std::uint64_t stateless = 0;
  std::uint64_t expired_flows = 0;
  std::uint64_t to_previous_owners = 0;
  std::uint64_t reclaimed = 0;
  std::uint64_t spilled = 0;

 private:
  void count_ended(ServiceIdentity service, const ModelFlow& flow, int by);

  const ModelConfig* config_;
  std::map<FlowKey, ModelFlow> flows_;
  std::map<Local, LocalUse> locals_;
  std::vector<ModelPorts> ports_;                    // by NAT address
  std::map<std::uint32_t, ModelCounters> counters_;  // by backend id
  std::map<ServiceIdentity, std::uint64_t> service_flows_;
  std::map<BackendIdentity, std::int64_t> ended_;
  std::map<ServiceIdentity, std::int64_t> service_ended_;
  std::size_t live_ipv4_ = 0;
};

}  // namespace hawser::property
