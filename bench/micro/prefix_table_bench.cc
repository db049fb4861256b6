// The flood defences: look-ups of source prefixes, and takes of source rates.
#include <vector>

#include <benchmark/benchmark.h>

#include "hawser/base/limits.h"
#include "hawser/hash/flow_hash.h"
#include "hawser/table/prefix_table.h"
#include "hawser/table/source_limiter.h"

namespace hawser::table {
namespace {

constexpr std::uint32_t kLookups = 1U << 17;  // 0.5 MiB of IPv4 addresses, 2 MiB of IPv6

// A random address that begins as `prefix` does.
net::IpAddress random_in(const net::Prefix& prefix, std::uint64_t n) {
  net::IpAddress random;
  random.family = prefix.address.family;
  store(random.bytes.data(), hash::mix(2 * n));
  if (!random.is_ipv4()) store(random.bytes.data() + 8, hash::mix(2 * n + 1));
  if (random.is_ipv4()) random = net::IpAddress(random.v4());
  const net::IpAddress begin = net::masked(random, prefix.length);
  const net::IpAddress network = net::masked(prefix.address, prefix.length);
  for (std::size_t i = 0; i < random.bytes.size(); ++i) {
    random.bytes[i] =
        static_cast<std::uint8_t>(random.bytes[i] ^ begin.bytes[i] ^ network.bytes[i]);
  }
  return random;
}

// Lists as they may be: IPv4 /8 to /32, the shorter the rarer, or the short ones would cover
// everything; IPv6 /20 to /64 and each tenth a single address. All lie in `around`.
template <typename Address>
std::vector<PrefixRule> rules_in(const net::Prefix& around, std::uint32_t count) {
  std::vector<PrefixRule> rules(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t random = hash::mix(i + (1ULL << 40));
    std::uint64_t length = 0;
    if constexpr (sizeof(Address) == 4) {
      for (unsigned shift = 0; shift < 32; shift += 8) {
        length = std::max(length, 8 + (random >> shift & 0xffU) % 25);
      }
    } else {
      length = i % 10 == 0 ? 128 : 20 + (random & 0xffffU) % 45;
    }
    length = std::max<std::uint64_t>(length, around.length);
    rules[i] = {.prefix = {random_in(around, i), static_cast<std::uint8_t>(length)},
                .access = (random >> 32) % 2 == 0 ? Access::kAllowed : Access::kDenied};
  }
  return rules;
}

// Half of the addresses lie in a rule, the others anywhere in `around`; both in random order.
template <typename Address>
std::vector<Address> addresses(const std::vector<PrefixRule>& rules, const net::Prefix& around) {
  std::vector<Address> result(kLookups);
  for (std::uint32_t i = 0; i < kLookups; ++i) {
    const std::uint64_t random = hash::mix(i + (2ULL << 40));
    const bool hit = random % 2 == 0;
    const net::Prefix& prefix = hit ? rules[(random >> 8) % rules.size()].prefix : around;
    const net::IpAddress address = random_in(prefix, i + (3ULL << 32));
    if constexpr (sizeof(Address) == 4) {
      result[i] = address.v4();
    } else {
      result[i] = address.v6();
    }
  }
  return result;
}

// range(0) prefixes; range(1): whether each burst is prefetched first.
template <typename Address>
void prefix_find(benchmark::State& state, const char* around_text) {
  const net::Prefix around = *net::parse_prefix(around_text);
  const auto rules = rules_in<Address>(around, static_cast<std::uint32_t>(state.range(0)));
  const auto table = PrefixTable::build(rules);
  const auto shuffled = addresses<Address>(rules, around);
  const bool prefetched = state.range(1) != 0;
  std::size_t listed = 0;
  for (auto _ : state) {
    listed = 0;
    for (std::size_t begin = 0; begin < shuffled.size(); begin += limits::kBurst) {
      const auto burst = std::span(shuffled).subspan(begin, limits::kBurst);
      if (prefetched) {
        for (const Address& address : burst) table->prefetch(address);
      }
      for (const Address& address : burst) {
        listed += table->find(address) != Access::kUnlisted ? 1U : 0U;
      }
    }
    benchmark::DoNotOptimize(listed);
  }
  const double lookups = static_cast<double>(state.iterations()) * kLookups;
  state.counters["ns_each"] =
      benchmark::Counter(lookups / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["listed"] = static_cast<double>(listed) / kLookups;
  state.counters["MiB"] = static_cast<double>(table->bytes()) / (1 << 20);
}
void prefix_find_ipv4(benchmark::State& state, const char* around) {
  prefix_find<net::Ipv4Address>(state, around);
}
BENCHMARK_CAPTURE(prefix_find_ipv4, anywhere, "0.0.0.0/0")->ArgsProduct({{1000, 100'000}, {0, 1}});
BENCHMARK_CAPTURE(prefix_find_ipv4, dense, "10.0.0.0/12")->ArgsProduct({{100'000}, {0, 1}});

void prefix_find_ipv6(benchmark::State& state, const char* around) {
  prefix_find<net::Ipv6Address>(state, around);
}
BENCHMARK_CAPTURE(prefix_find_ipv6, anywhere, "2000::/3")->ArgsProduct({{1000, 100'000}, {0, 1}});
BENCHMARK_CAPTURE(prefix_find_ipv6, dense, "2001:db8::/32")->ArgsProduct({{100'000}, {0, 1}});

void prefix_build(benchmark::State& state) {
  auto rules = rules_in<net::Ipv4Address>(*net::parse_prefix("0.0.0.0/0"), 100'000);
  const auto ipv6 = rules_in<net::Ipv6Address>(*net::parse_prefix("2000::/3"), 100'000);
  rules.insert(rules.end(), ipv6.begin(), ipv6.end());
  for (auto _ : state) benchmark::DoNotOptimize(PrefixTable::build(rules));
}
BENCHMARK(prefix_build)->Unit(benchmark::kMillisecond);

// As the pipeline does it, a burst prefetched; range(0) sources ask in random order.
void source_take(benchmark::State& state) {
  std::vector<SourceLimiter::Set> memory(limits::kSourceSets);
  SourceLimiter limiter(memory);
  const l4::Rate rate{.per_second = 10, .burst = 20};
  const auto sources = static_cast<std::uint64_t>(state.range(0));
  std::uint64_t next = 0;
  for (auto _ : state) {
    std::array<std::uint64_t, limits::kBurst> burst{};
    for (std::uint64_t& key : burst) {
      key = hash::mix(hash::reduce(hash::mix(next++), static_cast<std::uint32_t>(sources)));
      limiter.prefetch(key);
    }
    const auto now_ms = static_cast<std::uint32_t>(next >> 13);
    for (const std::uint64_t key : burst) {
      benchmark::DoNotOptimize(limiter.take(key, rate, now_ms));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(limits::kBurst));
  state.counters["ns_each"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * limits::kBurst / 1e9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(source_take)->Arg(1)->Arg(10'000)->Arg(100'000'000);

}  // namespace
}  // namespace hawser::table
