// HTTP/1 heads: cost of reading one, of a browser and of curl, and of passing over chunks.
#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "hawser/l7/chunked.h"
#include "hawser/l7/http_head.h"

namespace hawser::l7 {
namespace {

// As a current browser sends it to a shop; 12 headers. The "@" become different in each request.
constexpr std::string_view kBrowser =
    "GET /catalogue/item/@@@@?from=start&page=2 HTTP/1.1\r\n"
    "Host: shop.example.com\r\n"
    "Connection: keep-alive\r\n"
    "Cache-Control: max-age=0\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "*/*;q=0.8\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Referer: https://shop.example.com/catalogue/\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-GB,en;q=0.9\r\n"
    "Cookie: session=@@@@e1c9a07bd2f4468193; theme=dark\r\n"
    "\r\n";
constexpr std::string_view kCurl =
    "GET /@@@@ HTTP/1.1\r\n"
    "Host: 192.0.2.10:8080\r\n"
    "User-Agent: curl/8.5.0\r\n"
    "Accept: */*\r\n"
    "\r\n";
constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Server: nginx/1.24.0\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Length: @@@@\r\n"
    "Connection: keep-alive\r\n"
    "ETag: \"5f3c-5e8d4c1b2a@@@@\"\r\n"
    "\r\n";

using Message = std::vector<std::uint8_t>;

// 64 messages that differ, and of sizes that differ, so that no branch learns one by heart.
std::vector<Message> messages(std::string_view pattern) {
  std::vector<Message> result(64);
  for (std::size_t i = 0; i < result.size(); ++i) {
    std::string text(pattern);
    if (pattern.front() == 'G') text.insert(text.find('@'), i % 16, 'x');
    std::replace(text.begin(), text.end(), '@', static_cast<char>('0' + i % 10));
    result[i].assign(text.begin(), text.end());
  }
  return result;
}

void http_request(benchmark::State& state, std::string_view pattern) {
  const std::vector<Message> all = messages(pattern);
  RequestHead head;
  std::size_t next = 0;
  std::size_t wrong = 0;
  for (auto _ : state) {
    const HeadResult result = parse_request_head(all[next % all.size()], head);
    wrong += result.state != HeadState::kComplete ? 1U : 0U;
    benchmark::DoNotOptimize(head);
    ++next;
  }
  if (wrong != 0) state.SkipWithError("a request was not read");
  state.SetLabel(std::to_string(all[0].size()) + " bytes");
}
BENCHMARK_CAPTURE(http_request, browser, kBrowser);
BENCHMARK_CAPTURE(http_request, curl, kCurl);

void http_response(benchmark::State& state) {
  const std::vector<Message> all = messages(kResponse);
  ResponseHead head;
  std::size_t next = 0;
  std::size_t wrong = 0;
  for (auto _ : state) {
    const HeadResult result = parse_response_head(all[next % all.size()], false, false, head);
    wrong += result.state != HeadState::kComplete ? 1U : 0U;
    benchmark::DoNotOptimize(head);
    ++next;
  }
  if (wrong != 0) state.SkipWithError("a response was not read");
  state.SetLabel(std::to_string(all[0].size()) + " bytes");
}
BENCHMARK(http_response);

// One chunk as nginx writes it: its size, its data passed over, the CRLF behind.
void http_chunk(benchmark::State& state) {
  constexpr std::array<std::uint8_t, 6> kSize{'4', '0', '0', '0', '\r', '\n'};
  constexpr std::array<std::uint8_t, 2> kEnd{'\r', '\n'};
  ChunkedReader reader;
  std::uint64_t skipped = 0;
  std::uint64_t chunks = 0;
  for (auto _ : state) {
    const ChunkedReader::Step step = reader.read(kSize);
    skipped += step.skip;
    benchmark::DoNotOptimize(reader.read(kEnd));
    ++chunks;
  }
  if (skipped != chunks * 0x4000) state.SkipWithError("chunk data was not passed over");
}
BENCHMARK(http_chunk);

}  // namespace
}  // namespace hawser::l7
