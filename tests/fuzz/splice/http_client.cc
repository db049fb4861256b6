// Sends requests as the plan says, and judges what comes back.
#include "http_client.h"

#include <algorithm>

#include "random.h"

namespace hawser::simulation {
namespace {

using adversary::Body;
using adversary::Exchange;
using adversary::Framing;
using adversary::Head;
using adversary::Kind;
using adversary::Wrong;

constexpr Milliseconds kHeadTimeout = 10'000;  // of the services
constexpr Milliseconds kStrangers = 500;       // then the balancer resets who is unknown to it
constexpr Milliseconds kPatience = 15'000;     // of a client whose server has gone

adversary::Endpoint endpoint(const Address& address) {
  const std::string text = address.text();
  return {text.substr(0, text.find(' ')), address.port};
}

}  // namespace

HttpClient::HttpClient(TcpEnd& tcp, const ClientSettings& settings, Choices& choices,
                       Ledger& ledger)
    : settings_(settings),
      speaker_(tcp, settings.manner, choices),
      ledger_(ledger),
      user_(ledger.users[settings.user]),
      reader_([this](const Head& head) { return take_head(head); },
              [this](std::span<const std::uint8_t> bytes) {
                if (body_) body_->take(bytes);
              }) {
  requests_.resize(settings_.plan.exchanges.size());
}

std::string HttpClient::where() const {
  std::string text = "client connection " + std::to_string(settings_.connection) + ", " +
                     std::to_string(sent_) + " requests sent, " + std::to_string(read_) + " of " +
                     std::to_string(requests_.size()) + " answered";
  if (read_ < requests_.size()) text += ", at " + settings_.plan.exchanges[read_].where();
  text += ", " + std::to_string(speaker_.waiting()) + " bytes to say";
  if (tunnel_) return text + ", in the tunnel at byte " + std::to_string(tunnel_->position());
  return text + ", " + reader_.where();
}

// Sends the next request, and those that are not to wait for its answer.
void HttpClient::send_requests(Milliseconds now) {
  while (sent_ < requests_.size()) {
    const Exchange& exchange = settings_.plan.exchanges[sent_];
    Sent& request = requests_[sent_];
    request.at = now;
    request.had_cookie = !user_.cookie.empty();
    request.home = user_.home;
    speaker_.say(request_head(exchange, endpoint(speaker_.tcp().local()),
                              endpoint(speaker_.tcp().remote()), user_.name, cookies(exchange))
                     .text());
    ++sent_;
    ++ledger_.counts["requests"];
    if (exchange.expects_continue) return;
    send_body(exchange);
    if (exchange.half_closes && exchange.kind != Kind::kUpgrade) speaker_.end(true);
    if (!exchange.pipelined) return;
    ++ledger_.counts["pipelined"];
  }
}

void HttpClient::send_body(const Exchange& exchange) {
  if (exchange.request_framing == Framing::kLength) {
    speaker_.say_content(exchange.request_seed(), exchange.request_length);
  } else if (exchange.request_framing == Framing::kChunked) {
    speaker_.say_chunked(exchange.request_seed(), exchange.request_length);
  }
}

std::string HttpClient::cookies(const Exchange& exchange) const {
  adversary::Random random(adversary::derived(exchange.seed, 6));
  std::string text = random.chance(0.3) ? "theme=dark" : "";
  if (!user_.cookie.empty() && !settings_.cookie.empty()) {
    text += (text.empty() ? "" : "; ") + settings_.cookie + "=" + user_.cookie;
  }
  if (random.chance(0.3)) text += std::string(text.empty() ? "" : "; ") + "cart=3";
  return text;
}

// The balancer's own answer: each for a reason that there is.
Body HttpClient::take_refusal(const Head& head) {
  const int status = std::atoi(head.start.substr(9, 3).c_str());
  const Milliseconds took = now_ - requests_[read_].at;
  const bool due =
      (status == 503 && settings_.may_be_refused) || (status == 408 && took >= kHeadTimeout);
  if (!due) throw Wrong("refused without reason: " + head.text());
  if (head.one("Connection") != "close" || head.one("Cache-Control") != "no-store") {
    throw Wrong("a refusal that does not close: " + head.text());
  }
  ++ledger_.counts["refused_" + std::to_string(status)];
  ledger_.refused.insert(settings_.connection);
  refused_ = final_ = true;
  // Who gave up waiting for a head does not know what it asked for.
  const bool bare = settings_.plan.exchanges[read_].kind == Kind::kHead && status != 408;
  return bare ? Body{} : body_of(head, Framing::kClose);
}

Body HttpClient::take_head(const Head& head) {
  const Exchange& exchange = settings_.plan.exchanges[read_];
  Sent& request = requests_[read_];
  if (!head.has("X-Check")) return take_refusal(head);
  const adversary::Response response = check_response(head, exchange, settings_.cookie);
  if (response.status == 100 && exchange.expects_continue && !request.saw_continue) {
    request.saw_continue = true;
    send_body(exchange);
    return {};
  }
  if (response.status == 103 && exchange.early_hints && !request.saw_hints) {
    request.saw_hints = true;
    return {};
  }
  if (response.status != exchange.status()) throw Wrong("a status not due: " + head.start);
  if (request.saw_continue != exchange.expects_continue ||
      request.saw_hints != exchange.early_hints) {
    throw Wrong(exchange.where() + ": an interim answer is missing");
  }
  final_ = true;
  take_final(head, exchange, request, response);
  return begin_body(head, exchange);
}

void HttpClient::take_final(const Head& head, const Exchange& exchange, const Sent& request,
                            const adversary::Response& response) {
  if (exchange.kind == Kind::kPost) {
    const std::string wanted =
        adversary::hex(adversary::content_hash(exchange.request_seed(), exchange.request_length)) +
        ":" + std::to_string(exchange.request_length);
    if (head.one("X-Received") != wanted) {
      throw Wrong(exchange.where() + ": the server received " + head.one("X-Received") +
                  " instead of " + wanted);
    }
  }
  check_home(exchange, request, response.server);
  if (settings_.cookie.empty()) return;
  if (!response.inserted.empty()) {
    ++ledger_.counts["cookies"];
    user_.cookie = response.inserted;
    user_.home = response.server;
  } else if (!request.had_cookie) {
    throw Wrong(exchange.where() + ": no cookie was set, and none was sent");
  }
}

// Whatever has a home is always answered from there, while all homes take requests.
void HttpClient::check_home(const Exchange& exchange, const Sent& request,
                            const std::string& server) {
  ++ledger_.counts["answers"];
  if (!settings_.homes_hold) return;
  const auto must_be = [&](const std::string& home) {
    if (home == server) return;
    throw Wrong(exchange.where() + ": answered by " + server + ", its home is " + home);
  };
  if (!settings_.cookie.empty() && request.had_cookie) must_be(request.home);
  const std::string family = speaker_.tcp().local().ip.is_ipv4() ? "4 " : "6 ";
  std::string key;
  switch (settings_.by) {
    case ClientSettings::By::kNothing:
      return;
    case ClientSettings::By::kConnection:
      key = "connection " + std::to_string(settings_.connection);
      break;
    case ClientSettings::By::kNumber:
      key = "number " + std::to_string(exchange.number);
      break;
    case ClientSettings::By::kUser:
      key = user_.name;
      break;
  }
  const auto [known, is_new] = ledger_.homes.emplace(family + key, server);
  if (!is_new) must_be(known->second);
}

Body HttpClient::begin_body(const Head& head, const Exchange& exchange) {
  if (exchange.kind == Kind::kUpgrade) {
    tunnel_.emplace(exchange.where() + " echo", exchange.request_seed(), exchange.request_length);
    speaker_.say_content(exchange.request_seed(), exchange.request_length);
    if (exchange.half_closes || exchange.request_length == 0) speaker_.end(true);
    return {};
  }
  if (exchange.kind != Kind::kGet && exchange.kind != Kind::kPost) return {};
  const Body body = body_of(head, Framing::kClose);
  if (body.framing != exchange.response_framing ||
      (body.framing == Framing::kLength && body.length != exchange.response_length)) {
    throw Wrong(exchange.where() + ": the answer is framed otherwise than it was sent");
  }
  body_.emplace(exchange.where() + " body", exchange.response_seed(), exchange.response_length);
  return body;
}

void HttpClient::arrived(std::string_view text) {
  received_ += text.size();
  std::span bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  while (!bytes.empty()) {
    if (tunnel_) {
      tunnel_->take(bytes);
      if (tunnel_->complete()) speaker_.end(true);
      return;
    }
    if (read_ == sent_) throw Wrong("bytes that nobody asked for");
    bytes = bytes.subspan(reader_.take(bytes));
    if (reader_.done()) message_ended();
  }
}

void HttpClient::message_ended() {
  reader_.next();
  if (!final_) return;
  final_ = false;
  if (refused_) {
    read_ = requests_.size();
    return speaker_.end(true);
  }
  if (body_) {
    body_->end();
    body_.reset();
  }
  ledger_.answered[settings_.connection] = ++read_;
  if (tunnel_) return;
  if (read_ < requests_.size()) {
    if (read_ == sent_) send_requests(now_);
    return;
  }
  const Exchange& last = settings_.plan.exchanges.back();
  if (!last.closes) speaker_.end(!settings_.plan.leaves_first);
}

void HttpClient::ended() {
  if (!tunnel_) {
    const bool to_close = !reader_.fresh();
    reader_.end_of_stream();
    if (to_close) message_ended();
  }
  if (read_ != requests_.size()) throw Wrong("the server closed too early");
  if (tunnel_) tunnel_->end();
  speaker_.end(true);
  finished_ = true;
  ++ledger_.counts[refused_ ? "connections refused" : "connections"];
}

void HttpClient::reset() {
  finished_ = true;
  const bool told = ledger_.cut.contains(settings_.connection);
  if (told) {
    ++ledger_.counts["connections cut"];
    return;
  }
  if (refused_ || speaker_.tcp().delivered_all()) return;
  // Its first segment is lost, and others keep coming: so they do after the balancer's restart.
  const bool unknown =
      received_ == 0 && settings_.may_miss_reset && now_ >= requests_[0].at + kStrangers;
  if (unknown) {
    ++ledger_.counts["strangers"];
    ledger_.left.insert(settings_.connection);
    return;
  }
  throw Wrong("reset without reason");
}

std::optional<Milliseconds> HttpClient::deadline() const {
  const auto due = speaker_.deadline();
  const bool waits = settings_.may_miss_reset && ledger_.cut.contains(settings_.connection);
  return waits && !due ? std::optional(heard_ + kPatience) : due;
}

void HttpClient::step(Milliseconds now) {
  if (finished_) return speaker_.write(now);
  now_ = now;
  TcpEnd& tcp = speaker_.tcp();
  if (tcp.was_reset()) return reset();
  if (tcp.is_open() && sent_ == 0) send_requests(now);
  for (std::string bytes = speaker_.read(now); !bytes.empty(); bytes = speaker_.read(now)) {
    heard_ = now;
    arrived(bytes);
    if (settings_.leaves_after && received_ > *settings_.leaves_after) {
      ++ledger_.counts["connections left"];
      ledger_.left.insert(settings_.connection);
      finished_ = true;
      return tcp.abort(now);
    }
  }
  speaker_.write(now);
  const bool waits = settings_.may_miss_reset && ledger_.cut.contains(settings_.connection);
  if (waits && now >= heard_ + kPatience) {
    finished_ = true;
    return tcp.abort(now);
  }
  if (tcp.at_end()) ended();
  speaker_.write(now);
}

}  // namespace hawser::simulation
