// What operators configure about traffic: services and their backends.
//
// Plain values with the defaults of the product. validation.h says which values are allowed.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hawser/base/limits.h"
#include "hawser/base/result.h"
#include "hawser/base/strong.h"
#include "hawser/net/address.h"

namespace hawser::model {

enum class Protocol : std::uint8_t { kTcp, kUdp };

// How packets reach the backend (docs/forwarding.md).
enum class Forward : std::uint8_t {
  kNat,    // both addresses rewritten; replies come back through the balancer
  kDsrL2,  // only the MAC addresses rewritten; replies go straight to the client
};

// What a new flow's backend is chosen by.
enum class AffinityBy : std::uint8_t {
  kFlow,    // the five-tuple: every connection on its own
  kSource,  // the client's address prefix: a client stays on its backend
};

// What happens to the established flows of a backend that is down.
enum class DownPolicy : std::uint8_t {
  kReset,   // TCP is reset at the client's next packet; UDP is re-homed
  kRehome,  // the client's next packet goes to another backend (TCP by nat is reset all the same)
};

// May a backend get traffic? What hawserd decides from configuration, operators and health.
enum class Admission : std::uint8_t {
  kServing,   // new flows and old ones
  kDraining,  // old flows only
  kDown,      // none: DownPolicy applies to its flows at the client's next packet
};

struct Affinity {
  AffinityBy by = AffinityBy::kFlow;
  std::uint8_t ipv4_prefix = 32;  // bits of the client address that count, 1..32
  std::uint8_t ipv6_prefix = 64;  // 1..128
  friend bool operator==(const Affinity&, const Affinity&) = default;
};

// Idle time after which a flow is forgotten, seconds, 1..limits::kMaxTimeoutSeconds.
// Defaults are those of IPVS.
struct Timeouts {
  std::uint16_t established = 900;
  std::uint16_t handshake = 60;
  std::uint16_t closing = 120;
  std::uint16_t udp = 300;
  friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

enum class CheckType : std::uint8_t { kNone, kTcp, kHttp };

// An active health check of each backend of a service.
struct Check {
  CheckType type = CheckType::kTcp;
  std::uint32_t interval_ms = 2000;
  std::uint32_t timeout_ms = 1000;
  std::uint32_t rise = 2;          // successes in a row that bring a backend up
  std::uint32_t fall = 3;          // failures in a row that take it down
  std::uint16_t port = 0;          // 0: the backend's own
  std::string path = "/";          // HTTP only
  std::string host;                // Host header; empty: the backend's address
  std::uint16_t status_low = 200;  // accepted HTTP status, inclusive range
  std::uint16_t status_high = 399;
  std::string body;  // must occur in the first 64 KiB of the body; empty: anything
  friend bool operator==(const Check&, const Check&) = default;
};

struct Backend {
  std::string name;  // unique in its service
  net::IpAddress address;
  std::uint16_t port = 0;
  std::uint32_t weight = limits::kDefaultWeight;
  // Not configured but decided at run time; the configuration parser leaves it at kServing.
  Admission admission = Admission::kServing;
  friend bool operator==(const Backend&, const Backend&) = default;
};

struct Service {
  std::string name;  // unique
  net::IpAddress address;
  std::uint16_t port = 0;
  Protocol protocol = Protocol::kTcp;
  Forward forward = Forward::kNat;
  Affinity affinity;
  DownPolicy on_down = DownPolicy::kReset;
  Timeouts timeouts;
  Check check;
  std::uint32_t table_slots = 0;  // 0: by the number of backends (limits.h)
  std::vector<Backend> backends;
  friend bool operator==(const Service&, const Service&) = default;
};

// Secret key of the flow hash, the same on every balancer of a cluster.
using FlowKey = std::array<std::uint8_t, 32>;

// Everything the dataplane is told, whole: the services to forward and where to.
struct Desired {
  Epoch epoch;
  FlowKey flow_key{};
  std::vector<Service> services;
};

[[nodiscard]] std::string_view to_string(Protocol protocol) noexcept;
[[nodiscard]] std::string_view to_string(Forward forward) noexcept;
[[nodiscard]] std::string_view to_string(AffinityBy by) noexcept;
[[nodiscard]] std::string_view to_string(DownPolicy policy) noexcept;
[[nodiscard]] std::string_view to_string(Admission admission) noexcept;
[[nodiscard]] std::string_view to_string(CheckType type) noexcept;

// The inverse of to_string; the error lists the words and names the nearest.
[[nodiscard]] Result<Protocol> parse_protocol(std::string_view word);
[[nodiscard]] Result<Forward> parse_forward(std::string_view word);
[[nodiscard]] Result<AffinityBy> parse_affinity(std::string_view word);
[[nodiscard]] Result<DownPolicy> parse_down_policy(std::string_view word);
[[nodiscard]] Result<CheckType> parse_check(std::string_view word);

}  // namespace hawser::model
