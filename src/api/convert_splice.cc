// Between messages and values of what is read in connections: cookies, rules, keys.
#include "convert_splice.h"

#include <cstring>

#include "dataplane.pb.h"
#include "hawser/base/limits.h"
#include "hawser/model/rule_patterns.h"

namespace hawser::api {
namespace {

namespace wire = dataplane::v1;

// Enumerators are declared in the same order on both sides; the asserts hold them together.
static_assert(static_cast<int>(model::Layer7::kTls) == wire::TLS);
static_assert(static_cast<int>(model::SameSite::kNone) == wire::SAME_SITE_NONE);
static_assert(static_cast<int>(model::RuleField::kCookie) == wire::COOKIE_FIELD);
static_assert(static_cast<int>(model::RuleField::kAlpn) == wire::ALPN);
static_assert(static_cast<int>(model::RuleMatch::kRegex) == wire::REGEX);

model::RuleCondition condition_from(const wire::RuleCondition& message, Fields& fields) {
  model::RuleCondition condition;
  condition.field = fields.word<model::RuleField>("field", message.field(), wire::RuleField_MAX);
  condition.name = fields.text("name of a field", message.name(), limits::kMaxFieldName);
  condition.patterns.reserve(static_cast<std::size_t>(message.patterns_size()));
  for (const wire::RulePattern& entry : message.patterns()) {
    model::RulePattern pattern{
        .match = fields.word<model::RuleMatch>("match", entry.match(), wire::RuleMatch_MAX),
        .text = entry.text()};
    if (const Result<void> sound = model::check_pattern(pattern); !sound) {
      fields.fault("a pattern " + sound.error().message);
    }
    condition.patterns.push_back(std::move(pattern));
  }
  if (condition.patterns.empty()) fields.fault("a condition has no pattern");
  return condition;
}

model::RuleRate rate_from(const wire::Rule& message, Fields& fields) {
  return {
      .per_second = fields.number<std::uint32_t>("rate", message.rate(), 0, limits::kMaxRuleRate),
      .burst = fields.number<std::uint32_t>("burst", message.rate_burst(),
                                            message.rate() == 0 ? 0 : 1, limits::kMaxRuleRate),
      .by_source = message.rate_by_source()};
}

std::uint16_t redirect_from(const wire::Rule& message, Fields& fields) {
  switch (message.redirect()) {
    case 0:
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      break;
    default:
      fields.fault("redirect is " + std::to_string(message.redirect()) +
                   ", must be 301, 302, 303, 307 or 308");
  }
  return static_cast<std::uint16_t>(message.redirect());
}

Result<model::Rule> rule_from(const wire::Rule& message, const std::string& service) {
  Fields fields("service \"" + service + "\", rule \"" + message.name() + "\"");
  model::Rule rule;
  rule.name = fields.text("the name", message.name(), limits::kMaxName);
  for (const wire::RuleCondition& condition : message.conditions()) {
    rule.conditions.push_back(condition_from(condition, fields));
  }
  rule.generation = fields.text("generation", message.generation(), limits::kMaxName);
  rule.sticky = message.sticky();
  if (message.deny() != 0) {
    rule.deny = fields.number<std::uint16_t>("deny", message.deny(), limits::kMinDenyStatus,
                                             limits::kMaxHttpStatus);
  }
  rule.redirect = redirect_from(message, fields);
  rule.location = fields.text("location", message.location(), limits::kMaxRuleLocation);
  rule.rate = rate_from(message, fields);
  if (fields.failed()) return fields.error();
  return rule;
}

void to_message(const model::Rule& rule, wire::Rule& message) {
  message.set_name(rule.name);
  for (const model::RuleCondition& condition : rule.conditions) {
    wire::RuleCondition& entry = *message.add_conditions();
    entry.set_field(static_cast<wire::RuleField>(condition.field));
    entry.set_name(condition.name);
    for (const model::RulePattern& pattern : condition.patterns) {
      wire::RulePattern& text = *entry.add_patterns();
      text.set_match(static_cast<wire::RuleMatch>(pattern.match));
      text.set_text(pattern.text);
    }
  }
  message.set_generation(rule.generation);
  message.set_sticky(rule.sticky);
  message.set_deny(rule.deny);
  message.set_redirect(rule.redirect);
  message.set_location(rule.location);
  message.set_rate(rule.rate.per_second);
  message.set_rate_burst(rule.rate.burst);
  message.set_rate_by_source(rule.rate.by_source);
}

}  // namespace

void to_message(const model::Splice& splice, wire::Splice& message) {
  message.set_layer7(static_cast<wire::Layer7>(splice.layer7));
  message.set_h2c_tunnel(splice.h2c_tunnel);
  message.set_head_timeout_ms(splice.head_timeout_ms);
  message.set_error_body(splice.error_body);
  for (const model::Rule& rule : splice.rules) to_message(rule, *message.add_rules());
  message.set_rules_database(splice.rules_database);
}

void to_message(const model::Cookie& cookie, wire::Cookie& message) {
  message.set_name(cookie.name);
  message.set_path(cookie.path);
  message.set_domain(cookie.domain);
  message.set_secure(cookie.secure);
  message.set_http_only(cookie.http_only);
  message.set_same_site(static_cast<wire::SameSite>(cookie.same_site));
  message.set_idle_seconds(cookie.idle_seconds);
  message.set_maximum_seconds(cookie.maximum_seconds);
}

void to_message(const model::CookieKey& key, wire::CookieKey& message) {
  message.set_id(key.id);
  message.set_secret(key.secret.data(), key.secret.size());
}

Result<model::Splice> splice_from(const wire::Splice& message, const std::string& service) {
  Fields fields("service \"" + service + "\"");
  model::Splice splice;
  splice.layer7 = fields.word<model::Layer7>("layer7", message.layer7(), wire::Layer7_MAX);
  splice.h2c_tunnel = message.h2c_tunnel();
  splice.head_timeout_ms =
      fields.number<std::uint32_t>("head timeout", message.head_timeout_ms(),
                                   limits::kMinHeadMilliseconds, limits::kMaxHeadMilliseconds);
  splice.error_body = fields.text("error body", message.error_body(), limits::kMaxErrorBody);
  splice.rules_database =
      fields.text("the compiled rules", message.rules_database(), limits::kMaxRulesDatabase);
  fields.number<std::size_t>("number of rules", static_cast<std::size_t>(message.rules_size()), 0,
                             limits::kMaxRules);
  if (fields.failed()) return fields.error();
  std::size_t patterns = 0;
  splice.rules.reserve(static_cast<std::size_t>(message.rules_size()));
  for (const wire::Rule& entry : message.rules()) {
    Result<model::Rule> rule = rule_from(entry, service);
    if (!rule) return rule.error();
    for (const model::RuleCondition& condition : rule->conditions) {
      patterns += condition.patterns.size();
    }
    splice.rules.push_back(*std::move(rule));
  }
  fields.number<std::size_t>("number of patterns", patterns, 0, limits::kMaxRulePatterns);
  if (fields.failed()) return fields.error();
  return splice;
}

model::Cookie cookie_from(const wire::Cookie& message, Fields& fields) {
  model::Cookie cookie;
  cookie.name = fields.text("name of the cookie", message.name(), limits::kMaxCookieName);
  if (cookie.name.empty()) fields.fault("the cookie has no name");
  cookie.path = fields.text("path of the cookie", message.path(), limits::kMaxCookiePath);
  cookie.domain = fields.text("domain of the cookie", message.domain(), limits::kMaxCookieDomain);
  cookie.secure = message.secure();
  cookie.http_only = message.http_only();
  cookie.same_site =
      fields.word<model::SameSite>("same_site", message.same_site(), wire::SameSite_MAX);
  cookie.idle_seconds =
      fields.number<std::uint32_t>("idle time of the cookie", message.idle_seconds(),
                                   limits::kMinCookieIdleSeconds, limits::kMaxCookieIdleSeconds);
  cookie.maximum_seconds =
      fields.number<std::uint32_t>("maximum time of the cookie", message.maximum_seconds(),
                                   message.idle_seconds(), limits::kMaxCookieSeconds);
  return cookie;
}

Result<model::CookieKey> cookie_key_from(const wire::CookieKey& message) {
  Fields fields("cookie key " + std::to_string(message.id()));
  model::CookieKey key;
  key.id = fields.number<std::uint8_t>("id", message.id(), 0, limits::kMaxCookieKeyId);
  fields.number<std::size_t>("length of the secret", message.secret().size(), key.secret.size(),
                             key.secret.size());
  if (fields.failed()) return fields.error();
  std::memcpy(key.secret.data(), message.secret().data(), key.secret.size());
  return key;
}

}  // namespace hawser::api
