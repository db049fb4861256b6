// Checks of what a service says about reading connections: protocol, affinity, cookie, rules.
#include "check_splice.h"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "hawser/base/nearest.h"
#include "read_splice.h"
#include "service_faults.h"

namespace hawser::model {
namespace {

// What a way of choosing needs to have been read.
enum class Needs : std::uint8_t { kNothing, kSplice, kHttp, kTls };

Needs needs_of(AffinityBy by) {
  switch (by) {
    case AffinityBy::kFlow:
    case AffinityBy::kSource:
    case AffinityBy::kQuicCid:
      return Needs::kNothing;
    case AffinityBy::kNone:
      return Needs::kSplice;
    case AffinityBy::kCookie:
    case AffinityBy::kAppCookie:
    case AffinityBy::kHeader:
    case AffinityBy::kQuery:
      return Needs::kHttp;
    case AffinityBy::kSni:
      break;
  }
  return Needs::kTls;
}

std::string_view text_of(Needs needs) {
  switch (needs) {
    case Needs::kNothing:
      return {};
    case Needs::kSplice:
      return "forward \"splice\"";
    case Needs::kHttp:
      return "forward \"splice\" and protocol \"http\"";
    case Needs::kTls:
      break;
  }
  return "forward \"splice\" and protocol \"tls\"";
}

bool has(Needs needs, Layer7 layer7) {
  switch (needs) {
    case Needs::kNothing:
      return true;
    case Needs::kSplice:
      return layer7 != Layer7::kNone;
    case Needs::kHttp:
      return layer7 == Layer7::kHttp;
    case Needs::kTls:
      break;
  }
  return layer7 == Layer7::kTls;
}

// As it stands in a target: what would end or split the parameter must be encoded.
bool is_parameter_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > 0x20 && c < 0x7f && c != '&' && c != '=' && c != '#' && c != '?';
  });
}

class SpliceCheck : ServiceFaults {
 public:
  using ServiceFaults::ServiceFaults;

  void check() {
    if (!sound("protocol") || !sound("forward") || !check_protocol()) return;
    check_keys();
    check_affinity();
    check_generations();
    check_rules();
  }

 private:
  // True when forward and protocol agree.
  bool check_protocol() {
    const Node* protocol = table_.find("protocol");
    const bool splice = service_.forward == Forward::kSplice;
    if (splice == (layer7_ != Layer7::kNone)) return true;
    if (splice) {
      complain(protocol == nullptr ? *table_.find("forward") : *protocol,
               "forward \"splice\" must know what it reads; write protocol = \"http\" or \"tls\"");
    } else {
      complain(*protocol,
               fmt::format("protocol \"{}\" needs forward \"splice\", which reads it; write "
                           "forward = \"splice\", or protocol = \"tcp\" to leave it unread",
                           protocol_word(service_)));
    }
    return false;
  }

  void check_keys() {
    need("head_timeout", Needs::kSplice);
    need("h2c", Needs::kHttp);
    need("error_body", Needs::kHttp);
  }

  void need(const char* key, Needs needs) {
    const Node* node = table_.find(key);
    if (!diagnostics_.usable(node) || has(needs, layer7_)) return;
    complain(*node, fmt::format("{} has no effect without {}; remove it", key, text_of(needs)));
  }

  void check_affinity() {
    const Node* affinity = table_.find("affinity");
    if (!diagnostics_.usable(affinity)) return;
    const Node* by = affinity->find("by");
    if (by != nullptr && !diagnostics_.usable(by)) return;
    const Needs needs = needs_of(service_.affinity.by);
    if (!has(needs, layer7_)) {
      complain(*by, fmt::format("affinity by \"{}\" needs {}", by->text, text_of(needs)));
      return;
    }
    check_affinity_name(*affinity, by);
    const Node* cookie = affinity->find("cookie");
    if (!diagnostics_.usable(cookie)) return;
    if (service_.affinity.by == AffinityBy::kCookie) {
      check_cookie(*cookie);
    } else {
      complain(*cookie, fmt::format("affinity: cookie has no effect with by \"{}\"; write by = "
                                    "\"cookie\" or remove it",
                                    to_string(service_.affinity.by)));
    }
  }

  void check_affinity_name(const Node& affinity, const Node* by) {
    const Node* node = affinity.find("name");
    const std::string& name = service_.affinity.name;
    const AffinityBy how = service_.affinity.by;
    const bool query = how == AffinityBy::kQuery;
    if (!query && how != AffinityBy::kHeader && how != AffinityBy::kAppCookie) {
      if (!diagnostics_.usable(node)) return;
      complain(*node, fmt::format("affinity: name has no effect with by \"{}\"{}; remove it",
                                  to_string(how),
                                  how == AffinityBy::kCookie ? ", whose is cookie.name" : ""));
    } else if (node == nullptr) {
      complain(*by, fmt::format("affinity by \"{}\" needs to know which; write name = \"{}\"",
                                to_string(how), how == AffinityBy::kHeader ? "X-User" : "user"));
    } else if (diagnostics_.usable(node) && !(query ? is_parameter_name(name) : is_token(name))) {
      complain(*node, fmt::format("affinity: name is \"{}\", which no {} is called", name,
                                  query                        ? "parameter of a query"
                                  : how == AffinityBy::kHeader ? "header"
                                                               : "cookie"));
    }
  }

  void check_cookie(const Node& table) {
    const Cookie& cookie = service_.affinity.cookie;
    const Node* name = table.find("name");
    const Node* same_site = table.find("same_site");
    if (diagnostics_.usable(same_site) && cookie.same_site == SameSite::kNone && !cookie.secure) {
      complain(*same_site,
               "affinity, cookie: browsers refuse same_site \"none\" without secure; write secure "
               "= true");
    }
    const bool host = cookie.name.starts_with("__Host-");
    const bool unsecured = cookie.name.starts_with("__Secure-") && !cookie.secure;
    if (unsecured || (host && (!cookie.secure || !cookie.domain.empty() || cookie.path != "/"))) {
      complain(*name,
               fmt::format("affinity, cookie: browsers refuse the name \"{}\" {}", cookie.name,
                           host ? "unless secure is true, path is \"/\" and there is no "
                                  "domain"
                                : "unless secure is true"));
    }
    const Node* idle = table.find("idle");
    const Node* maximum = table.find("max");
    if (cookie.maximum_seconds >= cookie.idle_seconds) return;
    const Node* place = maximum == nullptr ? idle : maximum;
    if (!diagnostics_.usable(place)) return;
    complain(*place, fmt::format("affinity, cookie: idle is {} s and max {} s; max must be at "
                                 "least idle",
                                 cookie.idle_seconds, cookie.maximum_seconds));
  }

  void check_generations() {
    if (layer7_ != Layer7::kNone) return;
    for (std::size_t i = 0; i < source_.backends.size(); ++i) {
      const Node* node = source_.backends[i]->find("generation");
      if (!diagnostics_.usable(node)) continue;
      complain(*node, label("backend", service_.backends[i].name, i) +
                          ": generation has no effect without forward \"splice\"; remove it");
    }
  }

  void check_rules() {
    if (source_.rules.empty()) return;
    if (layer7_ == Layer7::kNone) {
      complain(*source_.rules.front().table,
               fmt::format("rules have no effect without forward \"splice\", which reads what they "
                           "look at; with \"{}\" remove them",
                           to_string(service_.forward)));
      return;
    }
    std::set<std::string> generations;
    for (const Backend& backend : service_.backends) generations.insert(backend.generation);
    generations.erase("");
    const std::vector<std::string> known(generations.begin(), generations.end());
    for (std::size_t i = 0; i < source_.rules.size(); ++i) {
      const std::string own = label("rule", service_.splice.rules[i].name, i);
      check_fields(*source_.rules[i].table, own);
      check_actions(service_.splice.rules[i], *source_.rules[i].table, own);
      check_generation(*source_.rules[i].table, own, known);
    }
  }

  void check_fields(const Node& rule, const std::string& own) {
    constexpr std::array<const char*, 6> kHttp{"method", "host",   "path",
                                               "header", "cookie", "redirect"};
    constexpr std::array<const char*, 2> kTls{"server_name", "alpn"};
    const auto refuse = [&](const char* key, const char* instead) {
      const Node* node = rule.find(key);
      if (!diagnostics_.usable(node)) return;
      complain(*node, fmt::format("{}: {} cannot be read with protocol \"{}\"; {}", own, key,
                                  protocol_word(service_), instead));
    };
    if (layer7_ == Layer7::kHttp) {
      for (const char* key : kTls) refuse(key, "write host or path, or remove it");
    } else {
      for (const char* key : kHttp) refuse(key, "write server_name or alpn, or remove it");
    }
  }

  void check_actions(const Rule& rule, const Node& table, const std::string& own) {
    constexpr std::array<const char*, 5> kActions{"generation", "sticky", "deny", "redirect",
                                                  "rate"};
    bool any = false;
    for (const char* key : kActions) any = any || table.find(key) != nullptr;
    if (!any) {
      complain(table, fmt::format("{}: it does nothing; write {}, or sticky = true for a rule that "
                                  "only keeps requests from those after it",
                                  own, fmt::join(kActions, ", ")));
    }
    const Node* last = table.find("redirect");
    if (rule.deny != 0 && rule.redirect != 0) {
      complain(*last, own + ": deny and redirect exclude each other; remove one of them");
      return;
    }
    const char* answer = rule.deny != 0 ? "deny" : rule.redirect != 0 ? "redirect" : nullptr;
    if (answer == nullptr) return;
    for (const char* key : {"generation", "sticky"}) {
      const Node* node = table.find(key);
      if (!diagnostics_.usable(node)) continue;
      complain(*node, fmt::format("{}: {} has no effect with {}, which reaches no backend; remove "
                                  "it",
                                  own, key, answer));
    }
  }

  void check_generation(const Node& rule, const std::string& own,
                        const std::vector<std::string>& known) {
    const Node* node = rule.find("generation");
    if (!diagnostics_.usable(node)) return;
    if (std::find(known.begin(), known.end(), node->text) != known.end()) return;
    std::string advice = suggestion(node->text, known);
    if (advice.empty()) {
      advice = fmt::format("; write generation = \"{}\" in a [[service.backend]]", node->text);
    }
    complain(*node,
             fmt::format("{}: no backend is of generation \"{}\"{}", own, node->text, advice));
  }

  const Layer7 layer7_ = service_.splice.layer7;
};

}  // namespace

void check_splice(const Service& service, const ServiceSource& source, const std::string& where,
                  Diagnostics& diagnostics) {
  SpliceCheck(service, source, where, diagnostics).check();
}

}  // namespace hawser::model
