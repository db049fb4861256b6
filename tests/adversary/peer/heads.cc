// Makes and checks heads; each end's fields follow from the exchange.
#include "peer/heads.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "peer/content.h"

namespace hawser::adversary {
namespace {

constexpr const char* kCheck = "X-Check";
constexpr const char* kForwarded = "X-Forwarded-For";
constexpr std::size_t kLongestPad = 1900;  // bytes of one field

std::uint64_t check_of(const Head& head) {
  std::string text = head.start + "\n";
  for (const Field& field : head.fields) {
    if (!same_name(field.name, kCheck)) text += field.name + ":" + field.value + "\n";
  }
  return XXH3_64bits(text.data(), text.size());
}

// Names of fields may be written in any case; some applications do.
std::string any_case(std::string name, Random& random) {
  if (random.chance(0.7)) return name;
  const bool lower = random.chance(0.5);
  for (char& character : name) {
    const auto byte = static_cast<unsigned char>(character);
    character = static_cast<char>(lower ? std::tolower(byte) : std::toupper(byte));
  }
  return name;
}

void add_padding(Head& head, std::uint64_t length, Random& random) {
  static constexpr char kCharacters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 =;:,-_/\"()";
  for (std::size_t field = 0; length > 0; ++field) {
    const std::size_t count = std::min<std::uint64_t>(length, random.between(1, kLongestPad));
    std::string value(count, 'x');
    for (char& character : value) character = kCharacters[random.below(sizeof(kCharacters) - 1)];
    value.front() = 'p';
    value.back() = 'q';
    const auto place = static_cast<std::ptrdiff_t>(random.below(head.fields.size() + 1));
    head.fields.insert(head.fields.begin() + place, {"X-Pad-" + std::to_string(field), value});
    length -= count;
  }
}

void seal(Head& head) {
  head.add(kCheck, hex(check_of(head)));
}

void check_seal(const Head& head, const std::string& what) {
  const std::string wanted = head.one(kCheck);
  if (hex(check_of(head)) == wanted) return;
  std::string text = head.text();
  if (text.size() > 1500) text = text.substr(0, 1500) + "...";
  throw Wrong(what + ": its head has changed on the way: " + text);
}

// The elements of a list over all its fields (RFC 9110 section 5.6.1).
std::vector<std::string> elements(const std::vector<std::string>& values) {
  std::vector<std::string> list;
  for (const std::string& value : values) {
    for (std::size_t at = 0; at <= value.size();) {
      const std::size_t end = std::min(value.find(',', at), value.size());
      std::string element = value.substr(at, end - at);
      element.erase(0, element.find_first_not_of(' '));
      element.erase(element.find_last_not_of(' ') + 1);
      list.push_back(element);
      at = end + 1;
    }
  }
  return list;
}

// As inet_ntop would write it, so that two spellings of one address are equal; "" when it is none.
std::string canonical(const std::string& address) {
  std::array<std::uint8_t, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (inet_pton(family, address.c_str(), bytes.data()) != 1) return {};
  inet_ntop(family, bytes.data(), text.data(), text.size());
  return text.data();
}

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& element : list) text += (text.empty() ? "" : ", ") + element;
  return "\"" + text + "\"";
}

void check_forwarded(const Head& head, const std::string& client, ClientAddress told) {
  std::vector<std::string> wanted = elements(head.all("X-Sent-Forwarded"));
  std::vector<std::string> seen = elements(head.all(kForwarded));
  const std::string all = joined(seen);
  if (told == ClientAddress::kForwardedFor) {
    wanted.push_back(client.substr(0, client.find(' ')));
    if (!seen.empty()) seen.back() = canonical(seen.back());
  }
  if (seen != wanted) {
    throw Wrong("X-Forwarded-For is " + all + " instead of " + joined(wanted));
  }
}

void add_framing(Head& head, Framing framing, std::uint64_t length, Random& random) {
  if (framing == Framing::kLength) {
    head.add(any_case("Content-Length", random), std::to_string(length));
  } else if (framing == Framing::kChunked) {
    head.add(any_case("Transfer-Encoding", random), "chunked");
  }
}

const char* method_of(Kind kind) {
  switch (kind) {
    case Kind::kPost:
      return "POST";
    case Kind::kHead:
      return "HEAD";
    case Kind::kGet:
    case Kind::kNoContent:
    case Kind::kNotModified:
    case Kind::kUpgrade:
    case Kind::kCount:
      break;
  }
  return "GET";
}

const char* reason_of(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 103:
      return "Early Hints";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    default:
      return "OK";
  }
}

std::string status_line(int status) {
  return "HTTP/1.1 " + std::to_string(status) + " " + reason_of(status);
}

}  // namespace

std::string Endpoint::text() const {
  return address + " " + std::to_string(port);
}

Head request_head(const Exchange& exchange, const Endpoint& client, const Endpoint& target,
                  const std::string& user, const std::string& cookies) {
  Random random(derived(exchange.seed, 3));
  Head head;
  head.start = std::string(method_of(exchange.kind)) + " " + target_of(exchange) + " HTTP/1.1";
  head.add(any_case("Host", random), "adversary.test");
  head.add("User-Agent", user);
  head.add("X-Client", client.text());
  head.add("X-Target", target.text());
  if (exchange.forwarded) {
    const std::string sent = random.chance(0.5) ? "203.0.113.9" : "2001:db8::9, 203.0.113.8";
    head.add("X-Sent-Forwarded", sent);
    head.add(any_case(kForwarded, random), sent);
  }
  if (!cookies.empty()) head.add(any_case("Cookie", random), cookies);
  add_framing(head, exchange.request_framing, exchange.request_length, random);
  if (exchange.expects_continue) head.add("Expect", "100-continue");
  if (exchange.closes) head.add(any_case("Connection", random), "close");
  if (exchange.kind == Kind::kUpgrade) {
    head.add(any_case("Connection", random),
             random.chance(0.5) ? "Upgrade" : "keep-alive, upgrade");
    head.add("Upgrade", "x-echo");
  }
  add_padding(head, exchange.request_padding, random);
  // The check is over what the server will see once it has taken the forwarding fields out.
  Head bare = head;
  std::erase_if(bare.fields, [](const Field& field) { return same_name(field.name, kForwarded); });
  head.add(kCheck, hex(check_of(bare)));
  return head;
}

Request check_request(const Head& head, ClientAddress told) {
  const std::size_t first = head.start.find(' ');
  const std::size_t last = head.start.rfind(' ');
  if (first == last || head.start.substr(last + 1) != "HTTP/1.1") {
    throw Wrong("the request line is \"" + head.start + "\"");
  }
  Request request;
  request.exchange = from_target(head.start.substr(first + 1, last - first - 1));
  const std::string where = request.exchange.where();
  Head bare = head;
  std::erase_if(bare.fields, [](const Field& field) { return same_name(field.name, kForwarded); });
  check_seal(bare, where);
  if (head.start.substr(0, first) != method_of(request.exchange.kind)) {
    throw Wrong(where + ": the method is " + head.start.substr(0, first));
  }
  request.client = head.one("X-Client");
  request.target = head.one("X-Target");
  try {
    check_forwarded(head, request.client, told);
  } catch (const Wrong& wrong) {
    throw Wrong(where + ": " + wrong.what());
  }
  return request;
}

Head response_head(const Exchange& exchange, const std::string& server,
                   const std::string& received) {
  Random random(derived(exchange.seed, 4));
  Head head;
  head.start = status_line(exchange.status());
  head.add("X-Server", server);
  head.add("X-Id", std::to_string(exchange.connection) + "." + std::to_string(exchange.number));
  if (!received.empty()) head.add("X-Received", received);
  if (random.chance(0.2)) head.add(any_case("Set-Cookie", random), "theme=dark; Path=/");
  if (random.chance(0.2)) {
    head.add(any_case("Cache-Control", random), random.chance(0.5) ? "no-store" : "max-age=60");
  }
  if (exchange.kind == Kind::kUpgrade) {
    head.add("Connection", "Upgrade");
    head.add("Upgrade", "x-echo");
  } else if (exchange.kind != Kind::kNoContent) {
    // Also where no body follows, HEAD and 304: they say what would.
    add_framing(head, exchange.response_framing, exchange.response_length, random);
  }
  if (exchange.closes) head.add(any_case("Connection", random), "close");
  add_padding(head, exchange.response_padding, random);
  seal(head);
  return head;
}

Head interim_head(int status, const Exchange& exchange) {
  Head head;
  head.start = status_line(status);
  if (status != 100) {
    Random random(derived(exchange.seed, 5));
    head.add("Link", "</style.css>; rel=preload");
    add_padding(head, exchange.response_padding / 8, random);
  }
  seal(head);
  return head;
}

Response check_response(const Head& head, const Exchange& exchange, const std::string& cookie) {
  const std::string where = exchange.where();
  Response response;
  if (!head.start.starts_with("HTTP/1.1 ") || head.start.size() < 13) {
    throw Wrong(where + ": the status line is \"" + head.start + "\"");
  }
  response.status = std::atoi(head.start.substr(9, 3).c_str());
  const bool interim = response.status < 200 && response.status != 101;
  if (!interim && response.status != exchange.status()) {
    throw Wrong(where + ": \"" + head.start + "\" instead of " + std::to_string(exchange.status()));
  }
  Head bare = head;
  if (!cookie.empty() && !interim) {
    const std::string begin = cookie + "=";
    std::size_t inserted = 0;
    for (const std::string& value : head.all("Set-Cookie")) {
      if (!value.starts_with(begin)) continue;
      response.inserted = value.substr(begin.size(), value.find(';') - begin.size());
      ++inserted;
    }
    if (inserted > 1) throw Wrong(where + ": the cookie is set twice: " + head.text());
    std::erase_if(bare.fields, [&](const Field& field) {
      const bool set = same_name(field.name, "Set-Cookie") && field.value.starts_with(begin);
      const bool made_private = same_name(field.name, "Cache-Control") && field.value == "private";
      return set || (inserted > 0 && made_private);
    });
  }
  check_seal(bare, where);
  if (interim) return response;
  const std::string id =
      std::to_string(exchange.connection) + "." + std::to_string(exchange.number);
  if (head.one("X-Id") != id) throw Wrong(where + ": the answer to " + head.one("X-Id"));
  response.server = head.one("X-Server");
  return response;
}

}  // namespace hawser::adversary
