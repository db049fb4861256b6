// The words of the configuration language for the model's enumerations.
#include "hawser/model/service.h"

#include <array>
#include <string_view>

#include "hawser/base/nearest.h"

namespace hawser::model {
namespace {

// Words in the order of the enumerators.
constexpr std::array<std::string_view, 2> kProtocols{"tcp", "udp"};
constexpr std::array<std::string_view, 4> kForwards{"nat", "dsr-l2", "dsr-ipip", "dsr-gue"};
constexpr std::array<std::string_view, 3> kAffinities{"flow", "source", "quic-cid"};
constexpr std::array<std::string_view, 3> kClientAddresses{"none", "toa", "proxy-v2"};
constexpr std::array<std::string_view, 2> kDownPolicies{"reset", "rehome"};
constexpr std::array<std::string_view, 3> kAdmissions{"serving", "draining", "down"};
constexpr std::array<std::string_view, 3> kChecks{"none", "tcp", "http"};

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
std::string_view to_string(Admission admission) noexcept {
  return word_of(admission, kAdmissions);
}
std::string_view to_string(CheckType type) noexcept {
  return word_of(type, kChecks);
}

Result<Protocol> parse_protocol(std::string_view word) {
  return parse<Protocol>(word, kProtocols);
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
Result<CheckType> parse_check(std::string_view word) {
  return parse<CheckType>(word, kChecks);
}

}  // namespace hawser::model
