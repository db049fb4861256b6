// What operators configure about traffic: services and their backends.
//
// Plain values with the defaults of the product. validation.h says which values are allowed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hawser/base/limits.h"
#include "hawser/base/result.h"
#include "hawser/base/strong.h"
#include "hawser/model/availability.h"
#include "hawser/model/check.h"
#include "hawser/model/splice.h"
#include "hawser/net/address.h"

namespace hawser::model {

enum class Protocol : std::uint8_t { kTcp, kUdp };

// How packets reach the backend (docs/forwarding.md).
enum class Forward : std::uint8_t {
  kNat,      // both addresses rewritten; replies come back through the balancer
  kDsrL2,    // only the MAC addresses rewritten; replies go straight to the client
  kDsrIpip,  // carried in another IP packet (RFC 2003, RFC 2473, RFC 4213); direct replies
  kDsrGue,   // carried in UDP, variant 1 of Generic UDP Encapsulation; direct replies
  kSplice,   // read first, then like nat with translated sequence numbers
};

// Replies come back through the balancer, from addresses of its own.
[[nodiscard]] constexpr bool uses_nat(Forward forward) noexcept {
  return forward == Forward::kNat || forward == Forward::kSplice;
}

// The packet reaches the backend inside another one.
[[nodiscard]] constexpr bool is_tunnel(Forward forward) noexcept {
  return forward == Forward::kDsrIpip || forward == Forward::kDsrGue;
}

// Bytes of the headers around a packet towards a backend of that family.
[[nodiscard]] constexpr std::uint32_t tunnel_overhead(Forward forward,
                                                      net::Family backend) noexcept {
  constexpr std::uint32_t kIpv4Header = 20;
  constexpr std::uint32_t kIpv6Header = 40;
  constexpr std::uint32_t kUdpHeader = 8;
  if (!is_tunnel(forward)) return 0;
  return (backend == net::Family::kIpv4 ? kIpv4Header : kIpv6Header) +
         (forward == Forward::kDsrGue ? kUdpHeader : 0);
}

// What a new flow's backend is chosen by.
enum class AffinityBy : std::uint8_t {
  kFlow,     // the five-tuple: every connection on its own
  kSource,   // the client's address prefix: a client stays on its backend
  kQuicCid,  // the QUIC connection ID where it names a backend, else the five-tuple
  // Of forward = "splice" only:
  kNone,       // every request on its own
  kCookie,     // a cookie of ours that names the home
  kAppCookie,  // the value of a cookie that the application sets
  kHeader,     // the value of a request header
  kQuery,      // the value of a parameter of the query
  kSni,        // the server name that a TLS client asks for
};

// How a backend behind nat learns who the client is.
enum class ClientAddress : std::uint8_t {
  kNone,          // it sees the balancer's address
  kToa,           // TCP option 254 on the first segments, where it fits
  kProxyV2,       // PROXY protocol version 2, before the client's first byte
  kForwardedFor,  // X-Forwarded-For in every request (splice, http)
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
  std::string name;               // of the header, the parameter or the application's cookie
  Cookie cookie;                  // with kCookie
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

// How many new flows one source prefix may open; per_second 0: as many as it likes. Per worker.
struct SourceRate {
  std::uint32_t per_second = 0;
  std::uint32_t burst = 0;
  std::uint8_t ipv4_prefix = 32;  // bits of the client address that make a source, 1..32
  std::uint8_t ipv6_prefix = 64;  // 1..128
  friend bool operator==(const SourceRate&, const SourceRate&) = default;
};

// What a service bears before it defends itself. 0: no limit.
struct Protection {
  std::uint64_t max_flows = 0;      // live flows over all workers
  std::uint32_t new_flow_rate = 0;  // new flows a second over all workers
  SourceRate source_rate;
  std::vector<std::string> allow;  // names of prefix lists; see docs/configuration.md
  std::vector<std::string> deny;
  friend bool operator==(const Protection&, const Protection&) = default;
};

// How backends put their id into QUIC connection IDs (draft-ietf-quic-load-balancers).
struct QuicRouting {
  std::uint8_t config_id = 0;         // 0..6: the first three bits of a connection ID
  std::uint8_t server_id_length = 0;  // bytes, 1..15
  std::uint8_t nonce_length = 0;      // bytes, 4..18
  std::string key;                    // 16 raw bytes; empty: the id is in plain sight
  friend bool operator==(const QuicRouting&, const QuicRouting&) = default;
};

// A named set of networks that services allow or deny. Shared, because it may be large.
struct PrefixList {
  std::string name;  // unique
  std::shared_ptr<const std::vector<net::Prefix>> prefixes;

  friend bool operator==(const PrefixList& a, const PrefixList& b) {
    return a.name == b.name && (a.prefixes == b.prefixes || *a.prefixes == *b.prefixes);
  }
};

// How far a draining backend has been left: of limits::kSlices parts, those below are let go. What
// a session's or a flow's part is, follows from its id or hash, so every balancer lets go the same.
struct Departure {
  std::uint16_t sessions = 0;  // go to another home with their next request
  std::uint16_t flows = 0;     // are ended as those of a backend that is down
  friend bool operator==(const Departure&, const Departure&) = default;
};

struct Backend {
  std::string name;  // unique in its service
  net::IpAddress address;
  std::uint16_t port = 0;
  std::uint32_t weight = limits::kDefaultWeight;
  std::string quic_server_id;  // raw bytes; empty: no connection ID leads here
  std::string generation;      // release of the application that it runs; empty: none
  // Not configured but decided at run time; the configuration parser leaves it at kServing.
  Admission admission = Admission::kServing;
  Departure departure;
  // When its slow start began, seconds since 1970; 0: it has its whole weight. The dataplane keeps
  // it for a hawserd that returns.
  std::uint64_t starting_unix = 0;
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
  ClientAddress client_address = ClientAddress::kNone;
  std::uint16_t gue_port = limits::kGuePort;  // UDP port of the decapsulator, dsr-gue only
  // How far above its share of live flows a backend may be before new flows go elsewhere,
  // thousandths; 0: no bound.
  std::uint32_t bounded_load_permille = limits::kBoundedLoadPermille;
  Protection protection;
  QuicRouting quic;
  Splice splice;  // with forward splice
  Check check;
  Availability availability;
  AgentCheck agent;
  std::uint32_t table_slots = 0;  // 0: by the number of backends (limits.h)
  std::vector<Backend> backends;
  friend bool operator==(const Service&, const Service&) = default;
};

// Secret key of the flow hash, the same on every balancer of a cluster.
using FlowKey = std::array<std::uint8_t, 32>;

[[nodiscard]] std::string_view to_string(Protocol protocol) noexcept;
[[nodiscard]] std::string_view to_string(Forward forward) noexcept;
[[nodiscard]] std::string_view to_string(AffinityBy by) noexcept;
[[nodiscard]] std::string_view to_string(ClientAddress how) noexcept;
[[nodiscard]] std::string_view to_string(DownPolicy policy) noexcept;
[[nodiscard]] std::string_view to_string(Admission admission) noexcept;
// "http" and "tls", else "tcp" or "udp".
[[nodiscard]] std::string_view protocol_word(const Service& service) noexcept;

// What a word of protocol means: "http" and "tls" are read, over TCP.
struct ProtocolChoice {
  Protocol protocol = Protocol::kTcp;
  Layer7 layer7 = Layer7::kNone;
};

// The inverse of to_string; the error lists the words and names the nearest.
[[nodiscard]] Result<ProtocolChoice> parse_protocol(std::string_view word);
[[nodiscard]] Result<Forward> parse_forward(std::string_view word);
[[nodiscard]] Result<AffinityBy> parse_affinity(std::string_view word);
[[nodiscard]] Result<ClientAddress> parse_client_address(std::string_view word);
[[nodiscard]] Result<DownPolicy> parse_down_policy(std::string_view word);

}  // namespace hawser::model
