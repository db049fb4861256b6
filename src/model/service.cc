// The words of the configuration language for the model's enumerations.
#include "hawser/model/service.h"

#include <array>
#include <string_view>

#include "hawser/base/nearest.h"

namespace hawser::model {
namespace {

// Words in the order of the enumerators.
constexpr std::array<std::string_view, 2> kProtocols{"tcp", "udp"};
constexpr std::array<std::string_view, 4> kProtocolChoices{"tcp", "udp", "http", "tls"};
constexpr std::array<std::string_view, 5> kForwards{"nat", "dsr-l2", "dsr-ipip", "dsr-gue",
                                                    "splice"};
constexpr std::array<std::string_view, 9> kAffinities{
    "flow", "source", "quic-cid", "none", "cookie", "app-cookie", "header", "query", "sni"};
constexpr std::array<std::string_view, 4> kClientAddresses{"none", "toa", "proxy-v2",
                                                           "x-forwarded-for"};
constexpr std::array<std::string_view, 4> kSameSites{"unset", "lax", "strict", "none"};
constexpr std::array<std::string_view, 7> kRuleFields{"method", "host",        "path", "header",
                                                      "cookie", "server_name", "alpn"};
constexpr std::array<std::string_view, 3> kRuleMatches{"exact", "prefix", "regex"};
constexpr std::array<std::string_view, 2> kDownPolicies{"reset", "rehome"};
constexpr std::array<std::string_view, 2> kOnPanic{"refuse", "spread"};
constexpr std::array<std::string_view, 3> kAdmissions{"serving", "draining", "down"};
constexpr std::array<std::string_view, 5> kChecks{"none", "tcp", "http", "https", "tls"};
constexpr std::array<std::string_view, 4> kMethods{"GET", "HEAD", "OPTIONS", "POST"};

template <std::size_t N>
std::vector<std::string> list(const std::array<std::string_view, N>& words) {
  return {words.begin(), words.end()};
}

template <typename E, std::size_t N>
Result<E> parse(std::string_view word, const std::array<std::string_view, N>& words) {
  std::string allowed;
  for (std::size_t i = 0; i < N; ++i) {
    if (words[i] == word) return static_cast<E>(i);
    allowed += (i == 0 ? "\"" : i + 1 == N ? " or \"" : ", \"") + std::string(words[i]) + "\"";
  }
  return fail("\"" + std::string(word) + "\" must be " + allowed + suggestion(word, list(words)));
}

template <typename E, std::size_t N>
std::string_view word_of(E value, const std::array<std::string_view, N>& words) noexcept {
  return words[static_cast<std::size_t>(value)];
}

}  // namespace

std::string_view to_string(Protocol protocol) noexcept {
  return word_of(protocol, kProtocols);
}
std::string_view to_string(Forward forward) noexcept {
  return word_of(forward, kForwards);
}
std::string_view to_string(AffinityBy by) noexcept {
  return word_of(by, kAffinities);
}
std::string_view to_string(ClientAddress how) noexcept {
  return word_of(how, kClientAddresses);
}
std::string_view to_string(DownPolicy policy) noexcept {
  return word_of(policy, kDownPolicies);
}
std::string_view to_string(OnPanic choice) noexcept {
  return word_of(choice, kOnPanic);
}
std::string_view to_string(Admission admission) noexcept {
  return word_of(admission, kAdmissions);
}
std::string_view to_string(CheckType type) noexcept {
  return word_of(type, kChecks);
}
std::string_view to_string(HttpMethod method) noexcept {
  return word_of(method, kMethods);
}
std::string_view to_string(SameSite same_site) noexcept {
  return word_of(same_site, kSameSites);
}
std::string_view to_string(RuleField field) noexcept {
  return word_of(field, kRuleFields);
}
std::string_view to_string(RuleMatch match) noexcept {
  return word_of(match, kRuleMatches);
}
std::string_view protocol_word(const Service& service) noexcept {
  switch (service.splice.layer7) {
    case Layer7::kNone:
      break;
    case Layer7::kHttp:
      return "http";
    case Layer7::kTls:
      return "tls";
  }
  return to_string(service.protocol);
}

Result<ProtocolChoice> parse_protocol(std::string_view word) {
  constexpr std::array<ProtocolChoice, kProtocolChoices.size()> kMeanings{
      {{Protocol::kTcp, Layer7::kNone},
       {Protocol::kUdp, Layer7::kNone},
       {Protocol::kTcp, Layer7::kHttp},
       {Protocol::kTcp, Layer7::kTls}}};
  const Result<std::size_t> index = parse<std::size_t>(word, kProtocolChoices);
  if (!index) return index.error();
  return kMeanings[*index];
}
Result<Forward> parse_forward(std::string_view word) {
  return parse<Forward>(word, kForwards);
}
Result<AffinityBy> parse_affinity(std::string_view word) {
  return parse<AffinityBy>(word, kAffinities);
}
Result<ClientAddress> parse_client_address(std::string_view word) {
  return parse<ClientAddress>(word, kClientAddresses);
}
Result<DownPolicy> parse_down_policy(std::string_view word) {
  return parse<DownPolicy>(word, kDownPolicies);
}
Result<OnPanic> parse_on_panic(std::string_view word) {
  return parse<OnPanic>(word, kOnPanic);
}
Result<CheckType> parse_check(std::string_view word) {
  return parse<CheckType>(word, kChecks);
}
Result<HttpMethod> parse_http_method(std::string_view word) {
  return parse<HttpMethod>(word, kMethods);
}
Result<SameSite> parse_same_site(std::string_view word) {
  return parse<SameSite>(word, kSameSites);
}

}  // namespace hawser::model
