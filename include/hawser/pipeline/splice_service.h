// SpliceService: what workers know of a service whose connections are read.
//
// Part of the snapshot, immutable, but for the counters: those belong to one worker each and stay
// over snapshots.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hawser/affinity/live_sessions.h"
#include "hawser/affinity/session_cookie.h"
#include "hawser/hash/flow_hash.h"
#include "hawser/l4/token_bucket.h"
#include "hawser/l7/http_fault.h"
#include "hawser/l7/rules.h"
#include "hawser/model/desired.h"
#include "hawser/stats/histogram.h"
#include "hawser/table/service_table.h"

namespace hawser::pipeline {

// Why the balancer answers a request itself, beside what may be wrong with it (HttpFault). Cause =
// counter = word in `hawserctl why`.
enum class Refusal : std::uint8_t {
  kNone,
  kFault,          // HttpFault says which
  kDenied,         // by a rule
  kRedirected,     // by a rule
  kRate,           // above a rule's rate
  kNoBackend,      // nobody takes new requests
  kConnectFailed,  // every backend tried refused or was silent
  kHeadTimeout,    // the head was not complete in time
  kHeadCut,        // the client closed before its head was complete
  kNoRoom,         // no buffer, record or local port was free
  kServiceFull,    // max_flows
  kNewFlowRate,    // new_flow_rate
  kSourceRate,     // source_rate
  kBadResponse,    // the backend's head is faulty: 502
  kNotTls,         // a TLS service was sent something else
  kCount,
};
inline constexpr std::size_t kRefusals = static_cast<std::size_t>(Refusal::kCount);

struct RefusalInfo {
  Refusal refusal;
  std::uint16_t status;  // of the answer; 0: that of the fault or the rule
  std::string_view name;
  std::string_view help;
};
// In the order of the enumerators (asserted in splice_service.cc).
extern const std::array<RefusalInfo, kRefusals> kRefusalTable;
[[nodiscard]] inline const RefusalInfo& info(Refusal refusal) noexcept {
  return kRefusalTable[static_cast<std::size_t>(refusal)];
}

// What one worker counts of one service.
struct SpliceCounters {
  explicit SpliceCounters(std::size_t rule_count) : rules(rule_count), buckets(rule_count) {}

  stats::Counter requests;
  stats::Counter sessions_new;
  stats::Counter sessions_kept;
  stats::Counter sessions_moved;
  stats::Counter retries;    // a backend refused or was silent, and another was tried
  stats::Counter resplices;  // requests for which a connection went over to another backend
  stats::Counter tunnels;    // connections that are passed on unread from some point on
  std::array<stats::Counter, kRefusals> refusals;
  std::array<stats::Counter, l7::kHttpFaults> faults;
  std::array<stats::Counter, affinity::kCookieFaults> cookies;
  std::vector<stats::Counter> rules;
  std::vector<l4::TokenBucket> buckets;  // of rules with a rate
  stats::Histogram chosen;               // decision to backend connected
  stats::Histogram answered;             // from there to the response's whole head
};

// The tag of a backend in cookies.
struct TagKey {
  std::uint32_t tag = 0;

  [[nodiscard]] std::uint64_t hash() const noexcept { return hash::mix(tag + 1ULL); }
  friend bool operator==(TagKey, TagKey) = default;
};

// What is common to all services: the keys of the cluster.
struct SpliceKeys {
  std::array<std::uint8_t, 16> syn{};     // of SYN cookies
  std::array<std::uint8_t, 16> secret{};  // of tags and hashes
  std::vector<affinity::CookieKey> cookies;
};
// Derives what is derived; `flow_key` is the cluster's master key.
[[nodiscard]] SpliceKeys splice_keys(const model::Desired& desired);

struct SpliceService {
  std::string name;
  model::Layer7 layer7 = model::Layer7::kHttp;
  model::AffinityBy by = model::AffinityBy::kFlow;
  std::string affinity_name;
  std::string cookie_name;
  std::string cookie_attributes;  // "; Path=/; HttpOnly; SameSite=Lax"
  affinity::CookieLifetime lifetime;
  affinity::SessionWindow window;  // of sessions that count as live
  bool h2c_tunnel = false;
  std::uint16_t mtu = 0;  // of all ports: what a segment must fit wherever it goes
  std::uint32_t head_timeout_ms = 0;
  std::string error_body;
  std::shared_ptr<const l7::RuleSet> rules;               // null: none
  std::vector<std::uint16_t> rule_generations;            // by rule: tag of its generation; 0: any
  std::vector<l4::Rate> rule_rates;                       // by rule: one worker's share
  table::OpenTable<TagKey, BackendId> homes;              // by tag of the backend
  std::vector<std::shared_ptr<SpliceCounters>> counters;  // by worker

  [[nodiscard]] SpliceCounters& counters_of(WorkerId worker) const noexcept {
    return *counters[worker.value];
  }
};

}  // namespace hawser::pipeline
