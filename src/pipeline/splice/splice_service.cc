// The causes of the balancer's own answers; keys derived from the cluster's.
#include "hawser/pipeline/splice_service.h"

#include <sodium.h>

namespace hawser::pipeline {

using enum Refusal;

constexpr std::array<RefusalInfo, kRefusals> kRefusalTable{{
    {kNone, 0, "none", "not refused"},
    {kFault, 0, "fault", "the request is malformed; counted by what is wrong with it"},
    {kDenied, 0, "denied", "a rule denies it"},
    {kRedirected, 0, "redirected", "a rule sends it elsewhere"},
    {kRate, 429, "rate", "above the rate of a rule"},
    {kNoBackend, 503, "no_backend", "no backend takes requests"},
    {kConnectFailed, 503, "connect_failed", "every backend tried refused or was silent"},
    {kHeadTimeout, 408, "head_timeout", "the head was not complete in time"},
    {kHeadCut, 400, "head_cut", "the client closed before its head was complete"},
    {kNoRoom, 503, "no_room", "no buffer, record or local port was free"},
    {kServiceFull, 503, "service_full", "the service has as many flows as it may have"},
    {kNewFlowRate, 503, "new_flow_rate", "more new connections than the service bears"},
    {kSourceRate, 429, "source_rate", "more new connections than one source may open"},
    {kBadResponse, 502, "bad_response", "the backend's answer is malformed"},
    {kNotTls, 0, "not_tls", "the first bytes are no TLS ClientHello; the connection is reset"},
}};

namespace {
constexpr bool in_order() {
  for (std::size_t i = 0; i < kRefusals; ++i) {
    if (static_cast<std::size_t>(kRefusalTable[i].refusal) != i) return false;
  }
  return true;
}
static_assert(in_order());

// The context of libsodium's key derivation (BLAKE2b): names the purpose of the master key.
constexpr char kPurpose[crypto_kdf_CONTEXTBYTES + 1] = "hawserL7";
}  // namespace

SpliceKeys splice_keys(const model::Desired& desired) {
  static_assert(sizeof(desired.flow_key) == crypto_kdf_KEYBYTES);
  SpliceKeys keys;
  crypto_kdf_derive_from_key(keys.syn.data(), keys.syn.size(), 1, kPurpose,
                             desired.flow_key.data());
  crypto_kdf_derive_from_key(keys.secret.data(), keys.secret.size(), 2, kPurpose,
                             desired.flow_key.data());
  for (const model::CookieKey& key : desired.cookie_keys) {
    keys.cookies.push_back({.id = key.id, .secret = key.secret});
  }
  return keys;
}

}  // namespace hawser::pipeline
