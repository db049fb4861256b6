// Writes requests of a given size, their responses, and rules that look at them.
#include "http_text.h"

#include <fmt/format.h>

#include "hawser/affinity/session_cookie.h"
#include "hawser/base/contract.h"

namespace hawser::bench {
namespace {

constexpr std::size_t kBrowserFrom = 900;
constexpr std::string_view kEnd = "\r\n\r\n";

constexpr std::string_view kSmallClient =
    "User-Agent: curl/8.5.0\r\n"
    "Accept: */*\r\n";
constexpr std::string_view kBrowser =
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
    "Accept-Language: en-GB,en;q=0.9\r\n";

// Cookies of exactly `bytes` together, each with what parts it from the next.
std::string other_cookies(std::size_t bytes) {
  constexpr std::size_t kMost = 60;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t number = 10; text.size() < bytes; number = number % 90 + 10) {
    const std::size_t left = bytes - text.size();
    const std::size_t size = left <= kMost ? left : kMost * 3 / 4;
    text += "c" + std::to_string(number) + "=";
    for (std::size_t i = 6; i < size; ++i) text += kDigits[(i * number) % kDigits.size()];
    text += "; ";
  }
  return text;
}

// More than any measurement sends: a hundred terabytes.
constexpr std::string_view kEndless = "Content-Length: 100000000000000\r\n";

std::string head_of(std::string_view method, std::string_view length, std::size_t bytes,
                    std::size_t variant) {
  HAWSER_REQUIRE(bytes >= kLeastHead && bytes % 2 == 0);
  const std::string cookie = "hawser=" + std::string(affinity::kCookieText, '-');
  const auto with = [&](std::size_t path) {
    return std::string(method) + " /catalogue/" +
           std::string(path, static_cast<char>('a' + variant)) +
           " HTTP/1.1\r\nHost: shop.example.com\r\n" + std::string(length) +
           std::string(bytes < kBrowserFrom ? kSmallClient : kBrowser) + "Cookie: plan=a17; ";
  };
  std::string head = with(variant % kVariants);
  const std::size_t rest = cookie.size() + kEnd.size();
  HAWSER_REQUIRE(head.size() + rest <= bytes);
  constexpr std::size_t kLeastCookie = 8;
  if (bytes - rest - head.size() < kLeastCookie) {
    head = with(variant % kVariants + bytes - rest - head.size());
  }
  head += other_cookies(bytes - rest - head.size()) + cookie + std::string(kEnd);
  HAWSER_REQUIRE(head.size() == bytes);
  return head;
}

}  // namespace

std::string request_head(std::size_t bytes, std::size_t variant) {
  return head_of("GET", "", bytes, variant);
}
std::string upload_head(std::size_t bytes, std::size_t variant) {
  return head_of("POST", kEndless, bytes, variant);
}
std::string download_head(std::size_t variant) {
  return fmt::format("HTTP/1.1 200 OK\r\n{}ETag: \"{}\"\r\n\r\n", kEndless,
                     std::string(8 + variant % kVariants, 'e'));
}

std::size_t cookie_offset(std::size_t bytes) {
  return bytes - kEnd.size() - affinity::kCookieText;
}

std::string response(std::size_t bytes, std::size_t variant) {
  const auto with = [&](std::size_t body) {
    return fmt::format(
        "HTTP/1.1 200 OK\r\n"
        "Server: nginx/1.24.0\r\n"
        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        "Content-Length: {:03}\r\n"
        "Connection: keep-alive\r\n"
        "ETag: \"{}\"\r\n"
        "\r\n",
        body, std::string(8 + variant % kVariants, 'e'));
  };
  const std::size_t head = with(0).size();
  HAWSER_REQUIRE(bytes >= head && bytes - head < 1000);
  return with(bytes - head) + std::string(bytes - head, '.');
}

std::vector<model::Rule> rules_that_match_last(std::size_t count) {
  using enum model::RuleField;
  using enum model::RuleMatch;
  std::vector<model::Rule> rules;
  const auto add = [&](model::RuleCondition condition) {
    rules.push_back(
        {.name = "r" + std::to_string(rules.size()), .conditions = {std::move(condition)}});
  };
  while (rules.size() + 1 < count) {
    const std::string number = std::to_string(rules.size());
    switch (rules.size() % 4) {
      case 0:
        add({kHost, {}, {{kExact, "shop-" + number + ".example.com"}}});
        break;
      case 1:
        add({kHeader, "User-Agent", {{kRegex, "(?i)bot[-/ ]?" + number + "|crawler-" + number}}});
        break;
      case 2:
        add({kPath, {}, {{kPrefix, "/catalogue/" + number + "/"}}});
        break;
      case 3:
        add({kCookie, "plan", {{kRegex, "^[b-z][0-9]+-" + number + "$"}}});
        break;
    }
  }
  if (count != 0) add({kPath, {}, {{kPrefix, "/catalogue/"}}});
  return rules;
}

}  // namespace hawser::bench
