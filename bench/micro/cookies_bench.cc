// Cookies and hellos: what the first packets of a spliced connection cost beside their headers.
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "hawser/affinity/session_cookie.h"
#include "hawser/base/hex.h"
#include "hawser/l4/syn_cookie.h"
#include "hawser/l7/client_hello.h"
#include "unit/client_hello_vectors.h"

namespace hawser {
namespace {

// --- SYN cookies ---------------------------------------------------------------------------------

constexpr l4::SynKey kKey{1, 2, 3, 4};
constexpr std::uint32_t kWindow = 27'343'750;

l4::SynTuple tuple_of(const char* client, const char* service) {
  return {.client = net::parse_address(client).value(),
          .service = net::parse_address(service).value(),
          .client_port = net::Big16(40000),
          .service_port = net::Big16(443)};
}
const l4::SynTuple kIpv4 = tuple_of("192.0.2.1", "198.51.100.2");
const l4::SynTuple kIpv6 = tuple_of("2001:db8::1", "2001:db8::2");

constexpr l4::SynOffer kAlone{.mss = 1460, .window_scale = 7, .sack = true};
constexpr l4::SynOffer kFull{.mss = 1460, .window_scale = 7, .sack = true, .timestamps = true};

void syn_cookie_make(benchmark::State& state, const l4::SynTuple& tuple, l4::SynOffer offer) {
  l4::Sequence isn{1};
  for (auto _ : state) {
    benchmark::DoNotOptimize(l4::make_syn_cookie(kKey, tuple, isn, offer, kWindow));
    isn += 64'000;
  }
}
BENCHMARK_CAPTURE(syn_cookie_make, ipv4_alone, kIpv4, kAlone);
BENCHMARK_CAPTURE(syn_cookie_make, ipv4_timestamps, kIpv4, kFull);
BENCHMARK_CAPTURE(syn_cookie_make, ipv6_timestamps, kIpv6, kFull);

// `age`: windows since it was made. A forged one costs as much as one of the last window.
void syn_cookie_check(benchmark::State& state, const l4::SynTuple& tuple, l4::SynOffer offer,
                      std::uint32_t age) {
  constexpr l4::Sequence kIsn{1};
  const l4::SynAnswer answer = l4::make_syn_cookie(kKey, tuple, kIsn, offer, kWindow);
  std::optional<std::uint32_t> echo;
  if (offer.timestamps) echo = answer.timestamp;
  bool good = true;
  for (auto _ : state) {
    const auto agreed =
        l4::check_syn_cookie(kKey, tuple, kIsn, answer.sequence, echo, kWindow + age);
    benchmark::DoNotOptimize(agreed);
    good = good && agreed.has_value();
  }
  if (!good) state.SkipWithError("a good cookie was refused");
}
BENCHMARK_CAPTURE(syn_cookie_check, ipv4_alone, kIpv4, kAlone, 0);
BENCHMARK_CAPTURE(syn_cookie_check, ipv4_timestamps, kIpv4, kFull, 0);
BENCHMARK_CAPTURE(syn_cookie_check, ipv6_timestamps, kIpv6, kFull, 0);
BENCHMARK_CAPTURE(syn_cookie_check, ipv4_last_window, kIpv4, kFull, 1);

// --- session cookies -----------------------------------------------------------------------------

constexpr std::uint32_t kNow = 175'000'000;
constexpr std::array kKeys{affinity::CookieKey{.id = 1, .secret = {1}},
                           affinity::CookieKey{.id = 2, .secret = {2}}};

void session_cookie_write(benchmark::State& state) {
  affinity::Session session{.backend = 7, .id = 1, .born = kNow, .refreshed = kNow};
  std::array<char, affinity::kCookieText> out{};
  for (auto _ : state) {
    write_cookie(session, kKeys[1], "shop", out);
    benchmark::DoNotOptimize(out);
    ++session.id;
  }
}
BENCHMARK(session_cookie_write);

// Many of them, so that no branch learns one.
void session_cookie_read(benchmark::State& state) {
  std::vector<std::array<char, affinity::kCookieText>> cookies(256);
  for (std::size_t i = 0; i < cookies.size(); ++i) {
    const affinity::Session session{
        .backend = 7, .id = i * 0x9e3779b97f4a7c15U, .born = kNow, .refreshed = kNow};
    write_cookie(session, kKeys[1], "shop", cookies[i]);
  }
  std::size_t next = 0;
  bool good = true;
  for (auto _ : state) {
    const auto& cookie = cookies[next++ % cookies.size()];
    const auto reading =
        affinity::read_cookie({cookie.data(), cookie.size()}, kKeys, "shop", {}, kNow);
    benchmark::DoNotOptimize(reading);
    good = good && reading.fault == affinity::CookieFault::kNone;
  }
  if (!good) state.SkipWithError("a good cookie was refused");
}
BENCHMARK(session_cookie_read);

// --- hellos --------------------------------------------------------------------------------------

std::vector<std::uint8_t> hello_bytes(std::size_t vector) {
  const std::string_view hex = tests::kHelloVectors[vector].hex;
  std::vector<std::uint8_t> bytes(hex.size() / 2);
  static_cast<void>(parse_hex(hex, bytes));
  return bytes;
}

void hello_parse(benchmark::State& state, const std::vector<std::uint8_t>& bytes) {
  bool good = true;
  for (auto _ : state) {
    l7::ClientHello hello;
    good = l7::parse_client_hello(bytes, hello) == l7::HelloState::kComplete && good;
    benchmark::DoNotOptimize(hello);
  }
  if (!good) state.SkipWithError("a hello was refused");
}
BENCHMARK_CAPTURE(hello_parse, openssl, hello_bytes(1));
BENCHMARK_CAPTURE(hello_parse, chromium, hello_bytes(4));

// The same hello in two records, as some clients send it on purpose.
std::vector<std::uint8_t> in_two_records(std::vector<std::uint8_t> bytes) {
  constexpr std::size_t kFirst = 100;
  const std::size_t rest = bytes.size() - 5 - kFirst;
  bytes[3] = 0;
  bytes[4] = kFirst;
  const std::array<std::uint8_t, 5> header{22, 3, 1, static_cast<std::uint8_t>(rest >> 8U),
                                           static_cast<std::uint8_t>(rest)};
  bytes.insert(bytes.begin() + 5 + kFirst, header.begin(), header.end());
  return bytes;
}
BENCHMARK_CAPTURE(hello_parse, chromium_in_two_records, in_two_records(hello_bytes(4)));

}  // namespace
}  // namespace hawser
