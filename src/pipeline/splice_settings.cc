// Cookies' attributes, rules and tags of a spliced service.
#include "splice_settings.h"

#include <set>

#include "service_settings.h"

namespace hawser::pipeline {
namespace {

std::string cookie_attributes(const model::Cookie& cookie) {
  std::string text = "; Path=" + cookie.path;
  if (!cookie.domain.empty()) text += "; Domain=" + cookie.domain;
  if (cookie.http_only) text += "; HttpOnly";
  if (cookie.secure) text += "; Secure";
  switch (cookie.same_site) {
    case model::SameSite::kUnset:
      break;
    case model::SameSite::kLax:
      text += "; SameSite=Lax";
      break;
    case model::SameSite::kStrict:
      text += "; SameSite=Strict";
      break;
    case model::SameSite::kNone:
      text += "; SameSite=None";
      break;
  }
  return text;
}

// One worker's share. A source may have all its connections at one worker, so its burst stays whole
// there, as with source_rate.
l4::Rate rate_of(const model::Rule& rule, std::uint16_t workers) {
  const std::uint32_t burst =
      rule.rate.by_source ? rule.rate.burst : share_of(rule.rate.burst, workers);
  return {.per_second = share_of(rule.rate.per_second, workers), .burst = burst};
}

Result<void> check_tags(const model::Service& service, const SpliceKeys& keys) {
  std::map<std::uint32_t, std::string> backends;
  std::map<std::uint16_t, std::string> generations;
  for (const model::Backend& backend : service.backends) {
    const std::uint32_t tag = affinity::backend_tag(keys.secret, service.name, backend.name);
    const auto [same, is_new] = backends.emplace(tag, backend.name);
    if (!is_new) {
      return fail("backends \"" + same->second + "\" and \"" + backend.name +
                  "\" look the same in a cookie (their 32-bit hashes are equal); rename one");
    }
    if (backend.generation.empty()) continue;
    const std::uint16_t generation =
        affinity::generation_tag(keys.secret, service.name, backend.generation);
    const std::string& known = generations.emplace(generation, backend.generation).first->second;
    if (known != backend.generation) {
      return fail("generations \"" + known + "\" and \"" + backend.generation +
                  "\" look the same in a cookie (their 16-bit hashes are equal); rename one");
    }
  }
  return {};
}

}  // namespace

Result<void> check_splice(const model::Service& service, const SpliceKeys& keys) {
  const bool splices = service.forward == model::Forward::kSplice;
  const bool reads = service.splice.layer7 != model::Layer7::kNone;
  if (splices != reads) return fail("forward = \"splice\" and protocol http or tls go together");
  if (!splices) return {};
  if (service.protocol != model::Protocol::kTcp) return fail("forward = \"splice\" needs TCP");
  if (service.affinity.by == model::AffinityBy::kCookie && keys.cookies.empty()) {
    return fail("affinity by cookie needs a key, and there is none");
  }
  return check_tags(service, keys);
}

Result<std::shared_ptr<SpliceService>> splice_settings(const model::Service& service,
                                                       const SpliceKeys& keys,
                                                       std::uint16_t workers,
                                                       std::shared_ptr<const l7::RuleSet> known) {
  auto entry = std::make_shared<SpliceService>();
  const model::Cookie& cookie = service.affinity.cookie;
  entry->name = service.name;
  entry->layer7 = service.splice.layer7;
  entry->by = service.affinity.by;
  entry->affinity_name = service.affinity.name;
  entry->cookie_name = cookie.name;
  entry->cookie_attributes = cookie_attributes(cookie);
  entry->lifetime = {.idle = cookie.idle_seconds / 10, .maximum = cookie.maximum_seconds / 10};
  entry->window = affinity::session_window(entry->lifetime.idle);
  entry->h2c_tunnel = service.splice.h2c_tunnel;
  entry->head_timeout_ms = service.splice.head_timeout_ms;
  entry->error_body = service.splice.error_body;
  if (service.splice.rules.empty()) return entry;
  entry->rules = std::move(known);
  if (entry->rules == nullptr) {
    auto rules = l7::RuleSet::create(service.splice, workers);
    if (!rules) return rules.error();
    entry->rules = *std::move(rules);
  }
  for (const model::Rule& rule : service.splice.rules) {
    entry->rule_generations.push_back(
        rule.generation.empty()
            ? std::uint16_t{0}
            : affinity::generation_tag(keys.secret, service.name, rule.generation));
    entry->rule_rates.push_back(rate_of(rule, workers));
  }
  return entry;
}

}  // namespace hawser::pipeline
