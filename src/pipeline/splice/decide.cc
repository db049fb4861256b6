// Decides requests: rules first, then the session's home, then the table.
#include "hawser/pipeline/decide.h"

#include <algorithm>
#include <optional>

#include <sodium.h>

#include "../choose.h"

namespace hawser::pipeline {
namespace {

using affinity::CookieFault;

// --- hashes --------------------------------------------------------------------------------------

std::uint64_t keyed(const Context& context, std::span<const std::uint8_t> bytes) noexcept {
  std::array<std::uint8_t, crypto_shorthash_BYTES> out{};
  crypto_shorthash(out.data(), bytes.data(), bytes.size(),
                   context.snapshot.splice_keys.secret.data());
  return load<std::uint64_t>(out.data());
}
std::uint64_t keyed(const Context& context, std::string_view text) noexcept {
  return keyed(context, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::uint64_t client_hash(const Request& request, const ServiceEntry& service,
                          const Context& context) noexcept {
  const net::IpAddress prefix = net::masked(request.client, service.affinity_prefix);
  return keyed(context, prefix.bytes);
}

// A browser's first connections come at once: they agree on a home by what they have in common.
std::uint64_t first_contact(const Request& request, const Context& context) noexcept {
  const std::uint64_t by_address = keyed(context, request.client.bytes);
  const l7::Header* agent = request.head->find("user-agent");
  return hash::mix(by_address ^ (agent == nullptr ? 0 : keyed(context, agent->value)));
}

std::uint64_t connection_hash(const Request& request, const Context& context) noexcept {
  return hash::mix(keyed(context, request.client.bytes) + request.client_port.raw());
}

// --- what a service may be sticky by -------------------------------------------------------------

std::optional<std::string_view> cookie_value(const l7::RequestHead& head, std::string_view name) {
  std::optional<std::string_view> found;
  for (const l7::Header& header : head.all()) {
    if (!l7::equals_ignoring_case(header.name, "cookie")) continue;
    l7::for_each_cookie(header.value, [&](std::string_view key, std::string_view value) {
      if (!found && key == name) found = value;
    });
  }
  return found;
}

std::optional<std::string_view> parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name) {
      return equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    }
    if (end == std::string_view::npos) break;
    query = query.substr(end + 1);
  }
  return std::nullopt;
}

std::optional<std::string_view> sticky_value(const Request& request,
                                             const SpliceService& splice) noexcept {
  const auto header = [&]() -> std::optional<std::string_view> {
    const l7::Header* found = request.head->find(splice.affinity_name);
    return found == nullptr ? std::nullopt : std::optional(found->value);
  };
  switch (splice.by) {
    case model::AffinityBy::kAppCookie:
      return cookie_value(*request.head, splice.affinity_name);
    case model::AffinityBy::kHeader:
      return header();
    case model::AffinityBy::kQuery:
      return parameter(request.head->query, splice.affinity_name);
    case model::AffinityBy::kSni:
      if (request.hello == nullptr || request.hello->name_length == 0) return std::nullopt;
      return request.hello->server_name();
    case model::AffinityBy::kFlow:
    case model::AffinityBy::kSource:
    case model::AffinityBy::kQuicCid:
    case model::AffinityBy::kNone:
    case model::AffinityBy::kCookie:
      break;
  }
  return std::nullopt;
}

// --- backends ------------------------------------------------------------------------------------

// By weight and hash among the backends of one generation (weighted rendezvous: -w / ln u).
BackendId choose_in_generation(std::uint64_t hash, std::uint16_t generation,
                               const ServiceEntry& service, const Context& context) noexcept {
  BackendId best;
  double best_score = 0;
  for (const BackendId id : service.members) {
    const BackendEntry& backend = context.snapshot.backends[id.value];
    if (backend.generation != generation) continue;
    const std::uint64_t mixed = hash::mix(hash ^ hash::mix(backend.tag + 1ULL));
    // Bits of a number in (0, 1): the score is the time of the first event at rate `weight`.
    const double uniform = (static_cast<double>(mixed >> 12U) + 0.5) * 0x1p-52;
    const double score = static_cast<double>(backend.weight) / -__builtin_log(uniform);
    if (best != BackendId() && score <= best_score) continue;
    best = id;
    best_score = score;
  }
  return best;
}

Choice choose(std::uint64_t hash, std::uint16_t generation, ServiceId id,
              const ServiceEntry& service, const Context& context) noexcept {
  if (generation == 0) return choose_by_hash(hash, id, service, context);
  return {.backend = choose_in_generation(hash, generation, service, context)};
}

// The home may get requests of its sessions: it serves, and is of the right generation.
bool is_usable(BackendId id, std::uint16_t generation, const Context& context) noexcept {
  const BackendEntry& backend = context.snapshot.backends[id.value];
  return backend.admission == model::Admission::kServing &&
         (generation == 0 || backend.generation == generation);
}

// The home goes on with its session: it serves, or drains and has not let this one go yet.
bool keeps_session(BackendId home, std::uint64_t session, std::uint16_t generation,
                   const Context& context) noexcept {
  const BackendEntry& backend = context.snapshot.backends[home.value];
  return backend.keeps_session(session) && (generation == 0 || backend.generation == generation);
}

// --- sessions ------------------------------------------------------------------------------------

// A sound cookie of another service, signed with the same keys, is told apart from a forged one.
bool is_of_another(std::string_view value, const SpliceService& splice, const Context& context) {
  constexpr std::size_t kLooks = 64;
  std::size_t looks = 0;
  for (const ServiceEntry& other : context.snapshot.services) {
    if (other.splice == nullptr || other.splice->name == splice.name) continue;
    if (other.splice->by != model::AffinityBy::kCookie) continue;
    if (++looks > kLooks) return false;
    const auto reading =
        affinity::read_cookie(value, context.snapshot.splice_keys.cookies, other.splice->name,
                              other.splice->lifetime, affinity::cookie_time(context.unix_seconds));
    if (reading.fault != CookieFault::kBadTag) return true;
  }
  return false;
}

struct Presented {
  affinity::CookieReading reading{.fault = CookieFault::kMalformed};
  BackendId home;
  bool any = false;
};

// Every Cookie header is read; the first usable value wins (affinity.md section 2).
Presented read_cookies(const l7::RequestHead& head, const SpliceService& splice,
                       const Context& context) noexcept {
  Presented result;
  const std::uint32_t now = affinity::cookie_time(context.unix_seconds);
  for (const l7::Header& header : head.all()) {
    if (!l7::equals_ignoring_case(header.name, "cookie")) continue;
    l7::for_each_cookie(header.value, [&](std::string_view name, std::string_view value) {
      if (name != splice.cookie_name) return;
      if (result.any && result.reading.fault == CookieFault::kNone) return;
      auto reading = affinity::read_cookie(value, context.snapshot.splice_keys.cookies, splice.name,
                                           splice.lifetime, now);
      if (reading.fault == CookieFault::kBadTag && is_of_another(value, splice, context)) {
        reading.fault = CookieFault::kOtherService;
      }
      result.any = true;
      result.reading = reading;
    });
  }
  if (result.reading.fault == CookieFault::kNone) {
    const BackendId* home = splice.homes.find({result.reading.session.backend});
    if (home == nullptr) {
      result.reading.fault = CookieFault::kUnknownBackend;
    } else {
      result.home = *home;
    }
  }
  return result;
}

bool needs_refresh(const affinity::CookieReading& reading, const SpliceService& splice,
                   const Context& context) noexcept {
  const auto& keys = context.snapshot.splice_keys.cookies;
  const std::uint32_t now = affinity::cookie_time(context.unix_seconds);
  const std::uint32_t age = now > reading.session.refreshed ? now - reading.session.refreshed : 0;
  return reading.key_id != keys.front().id || age * 4 > splice.lifetime.idle;
}

// The session goes on: where it was, or where today's table puts it.
void continue_session(const Presented& presented, std::uint16_t generation, ServiceId id,
                      const ServiceEntry& service, const Context& context, Decision& decision) {
  const SpliceService& splice = *service.splice;
  decision.session = presented.reading.session;
  if (presented.home != BackendId() &&
      keeps_session(presented.home, decision.session.id, generation, context)) {
    decision.reason = Reason::kHome;
    decision.backend = presented.home;
    decision.gives_cookie = needs_refresh(presented.reading, splice, context);
    return;
  }
  const Choice choice = choose(hash::mix(decision.session.id), generation, id, service, context);
  decision.reason = Reason::kMoved;
  decision.backend = choice.backend;
  decision.spilled = choice.spilled;
  decision.gives_cookie = true;
}

void begin_session(const Request& request, std::uint16_t generation, ServiceId id,
                   const ServiceEntry& service, const Context& context, Decision& decision) {
  const std::uint64_t hash = first_contact(request, context);
  const Choice choice = choose(hash, generation, id, service, context);
  decision.reason = Reason::kFirstContact;
  decision.backend = choice.backend;
  // A client without cookies on one connection need not wander with every request.
  if (choice.spilled && is_usable(request.current, generation, context)) {
    decision.backend = request.current;
  }
  decision.spilled = choice.spilled;
  decision.gives_cookie = true;
  decision.session = {.born = affinity::cookie_time(context.unix_seconds)};
}

void decide_by_cookie(const Request& request, std::uint16_t generation, ServiceId id,
                      const ServiceEntry& service, const Context& context, Decision& decision) {
  const Presented presented = read_cookies(*request.head, *service.splice, context);
  decision.had_cookie = presented.any;
  if (presented.any) decision.cookie_fault = presented.reading.fault;
  const bool known = presented.any && (presented.reading.fault == CookieFault::kNone ||
                                       presented.reading.fault == CookieFault::kUnknownBackend);
  if (known) {
    continue_session(presented, generation, id, service, context, decision);
  } else {
    begin_session(request, generation, id, service, context, decision);
  }
}

// Not sticky: a connection stays where it is while that serves, unless every request is its own.
void decide_freely(const Request& request, std::uint16_t generation, ServiceId id,
                   const ServiceEntry& service, const Context& context, Decision& decision) {
  const bool each = service.splice->by == model::AffinityBy::kNone;
  if (!each && request.current != BackendId() && is_usable(request.current, generation, context)) {
    decision.reason = Reason::kConnection;
    decision.backend = request.current;
    return;
  }
  std::uint64_t hash = connection_hash(request, context);
  if (each) hash = hash::mix(hash ^ (context.worker.splice.drawn.read() << 32U) ^ context.now_us);
  const Choice choice = choose(hash, generation, id, service, context);
  decision.reason = Reason::kSpread;
  decision.backend = choice.backend;
  decision.spilled = choice.spilled;
}

// --- rules ---------------------------------------------------------------------------------------

void refuse(Decision& decision, Refusal refusal, std::uint16_t status) noexcept {
  decision.reason = Reason::kRefused;
  decision.refusal = refusal;
  decision.status = status;
}

const model::Rule* find_rule(const Request& request, const SpliceService& splice, WorkerId worker,
                             Decision& decision) noexcept {
  if (splice.rules == nullptr) return nullptr;
  decision.rule = request.head != nullptr ? splice.rules->find(*request.head, worker)
                                          : splice.rules->find(*request.hello, worker);
  return decision.rule == l7::RuleSet::kNone ? nullptr : &splice.rules->rules()[decision.rule];
}

}  // namespace

std::string_view to_string(Reason reason) noexcept {
  constexpr std::array<std::string_view, 8> kNames{
      "refused", "home", "moved", "first_contact", "by_value", "by_source", "connection", "spread"};
  return kNames[static_cast<std::size_t>(reason)];
}

Decision decide(const Request& request, ServiceId id, const ServiceEntry& service, WorkerId worker,
                const Context& context) noexcept {
  const SpliceService& splice = *service.splice;
  Decision decision;
  const model::Rule* rule = find_rule(request, splice, worker, decision);
  std::uint16_t generation = 0;
  bool sticky = true;
  if (rule != nullptr) {
    if (rule->deny != 0) {
      refuse(decision, Refusal::kDenied, rule->deny);
      return decision;
    }
    if (rule->redirect != 0) {
      refuse(decision, Refusal::kRedirected, rule->redirect);
      return decision;
    }
    generation = splice.rule_generations[decision.rule];
    sticky = rule->sticky;
  }
  const auto value = sticky ? sticky_value(request, splice) : std::nullopt;
  if (sticky && splice.by == model::AffinityBy::kCookie) {
    decide_by_cookie(request, generation, id, service, context, decision);
  } else if (value) {
    const Choice choice = choose(keyed(context, *value), generation, id, service, context);
    decision.reason = Reason::kByValue;
    decision.backend = choice.backend;
    decision.spilled = choice.spilled;
  } else if (sticky && splice.by == model::AffinityBy::kSource) {
    const Choice choice =
        choose(client_hash(request, service, context), generation, id, service, context);
    decision.reason = Reason::kBySource;
    decision.backend = choice.backend;
    decision.spilled = choice.spilled;
  } else {
    decide_freely(request, generation, id, service, context, decision);
  }
  if (decision.backend == BackendId()) {
    refuse(decision, Refusal::kNoBackend, info(Refusal::kNoBackend).status);
    decision.gives_cookie = false;
  }
  return decision;
}

BackendId next_choice(const Request& request, std::uint8_t attempt, BackendId refused,
                      std::uint16_t generation, const ServiceEntry& service,
                      const Context& context) noexcept {
  const std::size_t members = service.members.size();
  if (members == 0) return {};
  const std::uint64_t hash = hash::mix(connection_hash(request, context) + attempt);
  for (std::size_t i = 0; i < members; ++i) {
    const BackendId id = service.members[(hash + i) % members];
    if (id != refused && is_usable(id, generation, context)) return id;
  }
  // The only one: it may take the next SYN.
  return is_usable(refused, generation, context) ? refused : BackendId();
}

}  // namespace hawser::pipeline
