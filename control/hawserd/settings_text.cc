// Settings of services in words.
#include "settings_text.h"

#include <span>

#include <fmt/format.h>

#include "hawser/base/hex.h"

namespace hawser::control {

std::string duration_text(std::uint32_t milliseconds) {
  if (milliseconds % 1000 == 0) return fmt::format("{}s", milliseconds / 1000);
  return fmt::format("{}ms", milliseconds);
}

std::string affinity_text(const model::Affinity& affinity) {
  const std::string by(to_string(affinity.by));
  if (affinity.by == model::AffinityBy::kSource) {
    return fmt::format("{} /{} /{}", by, affinity.ipv4_prefix, affinity.ipv6_prefix);
  }
  if (affinity.by == model::AffinityBy::kCookie) return by + " " + affinity.cookie.name;
  return affinity.name.empty() ? by : by + " " + affinity.name;
}

std::string whole_affinity_text(const model::Affinity& affinity) {
  std::string text = affinity_text(affinity);
  if (affinity.by != model::AffinityBy::kCookie) return text;
  const model::Cookie& cookie = affinity.cookie;
  text += fmt::format(", path {}", cookie.path);
  if (!cookie.domain.empty()) text += ", domain " + cookie.domain;
  if (cookie.secure) text += ", secure";
  if (cookie.http_only) text += ", http only";
  return text + fmt::format(", same site {}, idle {}s, max {}s", to_string(cookie.same_site),
                            cookie.idle_seconds, cookie.maximum_seconds);
}

std::string splice_text(const model::Splice& splice) {
  if (splice.layer7 == model::Layer7::kNone) return {};
  std::string text = "head timeout " + duration_text(splice.head_timeout_ms);
  if (splice.layer7 == model::Layer7::kHttp) {
    text += splice.h2c_tunnel ? ", h2c tunnel" : ", h2c refuse";
  }
  if (!splice.error_body.empty()) text += fmt::format(", error body \"{}\"", splice.error_body);
  const std::size_t rules = splice.rules.size();
  if (rules != 0) text += fmt::format(", {} {}", rules, rules == 1 ? "rule" : "rules");
  return text;
}

std::string rule_text(const model::Rule& rule) {
  std::vector<std::string> conditions;
  for (const model::RuleCondition& condition : rule.conditions) {
    std::vector<std::string> patterns;
    for (const model::RulePattern& pattern : condition.patterns) {
      patterns.push_back(fmt::format("{} {}", to_string(pattern.match), pattern.text));
    }
    conditions.push_back(fmt::format("{}{}{} {}", to_string(condition.field),
                                     condition.name.empty() ? "" : " ", condition.name,
                                     fmt::join(patterns, " or ")));
  }
  std::vector<std::string> actions;
  if (!rule.generation.empty()) actions.push_back("generation " + rule.generation);
  if (!rule.sticky) actions.emplace_back("not sticky");
  if (rule.deny != 0) actions.push_back(fmt::format("deny {}", rule.deny));
  if (rule.redirect != 0) {
    actions.push_back(fmt::format("redirect {} to {}", rule.redirect, rule.location));
  }
  if (rule.rate.per_second != 0) {
    actions.push_back(fmt::format("rate {} a second, burst {}, of the {}", rule.rate.per_second,
                                  rule.rate.burst, rule.rate.by_source ? "source" : "rule"));
  }
  return fmt::format(
      "{}: {}", conditions.empty() ? "all" : fmt::format("{}", fmt::join(conditions, "; ")),
      actions.empty() ? "nothing more" : fmt::format("{}", fmt::join(actions, ", ")));
}

std::string timeouts_text(const model::Timeouts& timeouts) {
  return fmt::format("established {}s, handshake {}s, closing {}s, udp {}s", timeouts.established,
                     timeouts.handshake, timeouts.closing, timeouts.udp);
}

std::string forward_text(const model::Service& service) {
  std::string text(to_string(service.forward));
  if (service.forward == model::Forward::kDsrGue) text += fmt::format(" port {}", service.gue_port);
  return text;
}

std::string bounded_load_text(std::uint32_t permille) {
  return permille == 0 ? "off" : fmt::format("{}", static_cast<double>(permille) / 1000);
}

std::string limit_text(std::uint64_t limit) {
  return limit == 0 ? "off" : std::to_string(limit);
}

std::string source_rate_text(const model::SourceRate& rate) {
  if (rate.per_second == 0) return "off";
  return fmt::format("{} a second, burst {}, of /{} /{}", rate.per_second, rate.burst,
                     rate.ipv4_prefix, rate.ipv6_prefix);
}

std::string quic_text(const model::QuicRouting& quic) {
  if (quic.server_id_length == 0) return {};
  return fmt::format("config {}, server id {}, nonce {}, {}", quic.config_id, quic.server_id_length,
                     quic.nonce_length, quic.key.empty() ? "in plain sight" : "encrypted");
}

std::string server_id_text(const model::Backend& backend) {
  const std::vector<std::uint8_t> bytes(backend.quic_server_id.begin(),
                                        backend.quic_server_id.end());
  return to_hex(bytes);
}

std::string portion_text(const model::Portion& portion) {
  if (!portion.is_set()) return {};
  return portion.percent != 0 ? fmt::format("{} %", portion.percent)
                              : std::to_string(portion.count);
}

std::string slow_start_text(std::uint32_t seconds) {
  return seconds == 0 ? "off" : fmt::format("{}s", seconds);
}

std::string passive_text(const model::Passive& passive) {
  if (!passive.enabled) return "off";
  return fmt::format("{} failures and {} % within {}s{}: {}s to {}s, at most {} %",
                     passive.failures, passive.failure_percent, passive.window_seconds,
                     passive.server_errors ? ", 5xx count" : "", passive.ejection_seconds,
                     passive.longest_seconds, passive.max_ejected_percent);
}

}  // namespace hawser::control
