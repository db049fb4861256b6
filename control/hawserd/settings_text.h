// Settings of services in words, as changes and views show them. Keys are never among them.
#pragma once

#include <string>

#include "hawser/model/service.h"

namespace hawser::control {

// "http / every 2s", "tcp every 500ms", "none".
[[nodiscard]] std::string check_text(const model::Check& check);
// All of a check, but no path of a key.
[[nodiscard]] std::string whole_check_text(const model::Check& check);
// "port 9999 every 2s, timeout 1s", "none".
[[nodiscard]] std::string agent_text(const model::AgentCheck& agent);
// "500ms", "2s".
[[nodiscard]] std::string duration_text(std::uint32_t milliseconds);
// "flow", "source /32 /64", "header X-User", "cookie hawser".
[[nodiscard]] std::string affinity_text(const model::Affinity& affinity);
// With all of the cookie.
[[nodiscard]] std::string whole_affinity_text(const model::Affinity& affinity);
// "established 900s, handshake 60s, closing 120s, udp 300s".
[[nodiscard]] std::string timeouts_text(const model::Timeouts& timeouts);
// "nat", "dsr-gue port 6080".
[[nodiscard]] std::string forward_text(const model::Service& service);
// "head timeout 10s, h2c refuse, 3 rules"; empty when nothing is read.
[[nodiscard]] std::string splice_text(const model::Splice& splice);
// "path prefix /a; header X-Version exact 1: generation v42, not sticky".
[[nodiscard]] std::string rule_text(const model::Rule& rule);
// "0.25", "off".
[[nodiscard]] std::string bounded_load_text(std::uint32_t permille);
// "off", or the number.
[[nodiscard]] std::string limit_text(std::uint64_t limit);
// "50 a second, burst 100, of /32 /64", "off".
[[nodiscard]] std::string source_rate_text(const model::SourceRate& rate);
// "2", "25 %"; empty without limit.
[[nodiscard]] std::string portion_text(const model::Portion& portion);
// "30s", "off".
[[nodiscard]] std::string slow_start_text(std::uint32_t seconds);
// "5 failures and 50 % within 10s: 30s to 300s, at most 10 %", "off".
[[nodiscard]] std::string passive_text(const model::Passive& passive);
// "config 0, server id 8, nonce 8, encrypted"; empty without routing by connection ID.
[[nodiscard]] std::string quic_text(const model::QuicRouting& quic);
// Lower-case digits; empty without id.
[[nodiscard]] std::string server_id_text(const model::Backend& backend);

}  // namespace hawser::control
