// Rates of sources and services, and who may use a service.
#include "model_limits.h"

#include <algorithm>

#include "model_packets.h"

namespace hawser::property {

using enum pipeline::Verdict;

namespace {

// Of a rate for all workers; no worker has less than one.
std::uint32_t share(std::uint32_t rate, std::uint16_t workers) {
  return std::max<std::uint32_t>(rate / workers, 1);
}

}  // namespace

bool ModelBucket::take(std::uint32_t per_second, std::uint32_t burst, Milliseconds now) {
  constexpr std::int64_t kEvent = 1000;
  const std::int64_t full = std::max<std::int64_t>(burst, 1) * kEvent;
  const std::int64_t back = (now - asked) * per_second;
  missing = std::clamp<std::int64_t>(missing - back, 0, full);
  asked = now;
  if (full - missing < kEvent) return false;
  missing += kEvent;
  return true;
}

bool ModelLimits::take_of_source(const net::IpAddress& client, const ModelService& service,
                                 std::uint16_t workers, Milliseconds now) {
  const model::SourceRate& rate = service.wanted.protection.source_rate;
  if (rate.per_second == 0) return true;
  const unsigned bits = client.is_ipv4() ? rate.ipv4_prefix : rate.ipv6_prefix;
  ModelBucket& bucket = sources_[Source(first_bits(client, bits), service.destination())];
  return bucket.take(share(rate.per_second, workers), rate.burst, now);
}

bool ModelLimits::take_of_service(const ModelService& service, std::uint16_t workers,
                                  Milliseconds now) {
  const std::uint32_t rate = service.wanted.protection.new_flow_rate;
  if (rate == 0) return true;
  return services_[service.id].take(share(rate, workers), share(rate, workers), now);
}

// Of the prefixes on its lists, the longest that contains the address; the same one twice denies.
bool ModelConfig::is_denied(const net::IpAddress& address, const model::Service& service) const {
  const model::Protection& protection = service.protection;
  int longest_allowed = -1;
  int longest_denied = -1;
  for (const model::PrefixList& list : prefix_lists_) {
    const auto is_among = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), list.name) != names.end();
    };
    int longest = -1;
    for (const net::Prefix& prefix : *list.prefixes) {
      const bool contains =
          prefix.address.family == address.family &&
          first_bits(address, prefix.length) == first_bits(prefix.address, prefix.length);
      if (contains) longest = std::max<int>(longest, prefix.length);
    }
    if (is_among(protection.allow)) longest_allowed = std::max(longest_allowed, longest);
    if (is_among(protection.deny)) longest_denied = std::max(longest_denied, longest);
  }
  const bool listed = longest_allowed >= 0 || longest_denied >= 0;
  if (!listed) return !protection.allow.empty() && protection.deny.empty();
  return longest_denied >= longest_allowed;
}

// What is asked first is taken first, also when the flow is refused later.
ModelBurst::Verdict ModelBurst::check_limits(std::size_t number, bool& stateless) {
  const FlowKey& key = *expected_[number].flow;
  const ModelService& service = worker_.config.service(key.service);
  const std::uint16_t workers = worker_.workers;
  if (!worker_.limits.take_of_source(key.client, service, workers, now_ms_)) {
    return kSourceRateExceeded;
  }
  const std::uint64_t most = service.wanted.protection.max_flows;
  const std::uint64_t live =
      worker_.flows.service_flows(key.service) + worker_.others.of(service.id);
  if (most != 0 && live >= most) return kServiceFull;
  stateless = !worker_.limits.take_of_service(service, workers, now_ms_);
  return stateless && service.is_nat() ? kNewFlowRateExceeded : kUndecided;
}

}  // namespace hawser::property
