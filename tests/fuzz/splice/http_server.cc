// Reads requests, answers each as its target says.
#include "http_server.h"

#include <algorithm>

#include "peer/plan.h"
#include "peer/proxy_header.h"

namespace hawser::simulation {
namespace {

using adversary::Body;
using adversary::ClientAddress;
using adversary::Exchange;
using adversary::Framing;
using adversary::Head;
using adversary::Kind;
using adversary::Wrong;

}  // namespace

HttpServer::HttpServer(TcpEnd& tcp, const ServerSettings& settings, Choices& choices,
                       Ledger& ledger, Milliseconds now)
    : settings_(settings),
      speaker_(tcp, settings.manner, choices),
      ledger_(ledger),
      reader_([this](const Head& head) { return take_head(head); },
              [this](std::span<const std::uint8_t> bytes) { body_->take(bytes); }),
      needs_proxy_(settings.told == ClientAddress::kProxy),
      active_(now) {}

std::string HttpServer::where() const {
  std::string text = settings_.name + " connection from " + speaker_.tcp().remote().text() +
                     " (client " + (client_.empty() ? "unknown" : client_) + "), " +
                     std::to_string(requests_) + " requests";
  if (request_) text += ", last " + request_->exchange.where();
  text += ", " + std::to_string(speaker_.waiting()) + " bytes to say";
  if (tunnel_) return text + ", in the tunnel at byte " + std::to_string(tunnel_->position());
  return text + ", " + reader_.where();
}

// How many bytes it took; 0 when some are missing.
std::size_t HttpServer::take_proxy_header() {
  const auto header = adversary::read_proxy_header(input_);
  if (!header) return 0;
  proxy_client_ = header->client.text();
  proxy_target_ = header->target.text();
  needs_proxy_ = false;
  ++ledger_.counts["proxy headers"];
  return header->length;
}

void HttpServer::process(Milliseconds now) {
  while (!input_.empty() && !answering_) {
    std::size_t used = 0;
    if (needs_proxy_) {
      used = take_proxy_header();
      if (used == 0) return;
    } else if (tunnel_) {
      const std::span bytes(reinterpret_cast<const std::uint8_t*>(input_.data()), input_.size());
      tunnel_->take(bytes);
      speaker_.say(input_);
      used = input_.size();
    } else {
      if (leaving_) throw Wrong("bytes behind the last request");
      used = reader_.take(
          std::span(reinterpret_cast<const std::uint8_t*>(input_.data()), input_.size()));
      if (reader_.done()) answer(now);
    }
    input_.erase(0, used);
  }
}

Body HttpServer::take_head(const Head& head) {
  request_ = check_request(head, settings_.told);
  const Exchange& exchange = request_->exchange;
  if (settings_.told == ClientAddress::kProxy &&
      (request_->client != proxy_client_ || request_->target != proxy_target_)) {
    throw Wrong("the PROXY header says " + proxy_client_ + " to " + proxy_target_ +
                ", the client " + request_->client + " to " + request_->target);
  }
  // Whoever is in between, a connection carries one client's requests in their order.
  if (requests_ > 0 && (request_->client != client_ || exchange.number <= last_number_)) {
    throw Wrong("a request of " + request_->client + " behind request " +
                std::to_string(last_number_) + " of " + client_);
  }
  client_ = request_->client;
  last_number_ = exchange.number;
  ++requests_;
  const Body body = body_of(head, Framing::kNone);
  if (body.framing != exchange.request_framing ||
      (body.framing == Framing::kLength && body.length != exchange.request_length)) {
    throw Wrong("the request is framed otherwise than it was sent");
  }
  if (body.framing != Framing::kNone) {
    body_.emplace(exchange.where() + " body", exchange.request_seed(), exchange.request_length);
  }
  if (exchange.expects_continue) speaker_.say(interim_head(100, exchange).text());
  return body;
}

// The request is whole: answers now or a little later.
void HttpServer::answer(Milliseconds now) {
  reader_.next();
  received_.clear();
  if (body_) {
    body_->end();
    received_ = adversary::hex(body_->hash()) + ":" + std::to_string(body_->position());
    body_.reset();
  }
  answering_ = true;
  Choices& choices = speaker_.choices();
  const bool slow = choices.permille(settings_.slow_permille);
  speaks_at_ = now + (slow ? static_cast<Milliseconds>(choices.below(settings_.slow_ms)) : 0);
}

void HttpServer::speak() {
  speaks_at_.reset();
  const Exchange& exchange = request_->exchange;
  if (exchange.early_hints) speaker_.say(interim_head(103, exchange).text());
  speaker_.say(response_head(exchange, settings_.name, received_).text());
  if (exchange.kind == Kind::kUpgrade) {
    answering_ = false;
    tunnel_.emplace(exchange.where() + " tunnel", exchange.request_seed(), exchange.request_length);
    return;
  }
  if (exchange.kind == Kind::kGet || exchange.kind == Kind::kPost) {
    if (exchange.response_framing == Framing::kChunked) {
      speaker_.say_chunked(exchange.response_seed(), exchange.response_length);
    } else {
      speaker_.say_content(exchange.response_seed(), exchange.response_length);
    }
  }
  if (exchange.closes) {
    leaving_ = true;
    speaker_.end(true);
  }
  Choices& choices = speaker_.choices();
  if (choices.permille(settings_.cut_permille)) cuts_at_ = choices.below(speaker_.waiting());
}

void HttpServer::ended(Milliseconds now) {
  finished_ = true;
  if (tunnel_) {
    tunnel_->end();
  } else {
    if (needs_proxy_ && !input_.empty()) throw Wrong("the stream ended in the PROXY header");
    reader_.end_of_stream();
  }
  speaker_.end(true);
  speaker_.write(now);
}

bool HttpServer::may_be_forgotten() const {
  if (!request_ || speaker_.tcp().has_sent_all()) return true;
  const std::uint64_t connection = request_->exchange.connection;
  const auto answered = ledger_.answered.find(connection);
  const bool heard = answered != ledger_.answered.end() && answered->second > last_number_;
  return heard || ledger_.left.contains(connection) || ledger_.refused.contains(connection);
}

void HttpServer::reset() {
  finished_ = true;
  if (!request_ || speaker_.tcp().delivered_all()) return;
  const std::uint64_t connection = request_->exchange.connection;
  if (ledger_.left.contains(connection) || ledger_.refused.contains(connection)) return;
  throw Wrong("reset without reason");
}

void HttpServer::step(Milliseconds now) {
  TcpEnd& tcp = speaker_.tcp();
  if (tcp.state() == TcpEnd::State::kClosed) {
    if (tcp.was_reset() && !finished_) reset();
    return;
  }
  if (speaks_at_ && now >= *speaks_at_) speak();
  for (std::string bytes = speaker_.read(now); !bytes.empty(); bytes = speaker_.read(now)) {
    active_ = now;
    input_ += bytes;
    process(now);
    if (speaks_at_ && now >= *speaks_at_) speak();
  }
  speaker_.write(now);
  if (cuts_at_ && speaker_.waiting() <= *cuts_at_) {
    ledger_.cut.insert(request_->exchange.connection);
    ++ledger_.counts["cut"];
    finished_ = true;
    return tcp.abort(now);
  }
  if (answering_ && !speaks_at_ && speaker_.said_all()) {
    answering_ = false;
    active_ = now;
    process(now);
  }
  if (tcp.at_end() && !finished_ && !answering_ && speaker_.said_all()) ended(now);
  const bool idle = now - active_ >= settings_.idle && !answering_ && !tunnel_;
  if (idle && !finished_ && tcp.is_open()) speaker_.end(true);
  speaker_.write(now);
}

std::optional<Milliseconds> HttpServer::deadline() const {
  std::optional<Milliseconds> first = speaker_.deadline();
  if (speaks_at_ && (!first || *speaks_at_ < *first)) first = speaks_at_;
  const Milliseconds idle = active_ + settings_.idle;
  if (!finished_ && !answering_ && (!first || idle < *first)) first = idle;
  return first;
}

}  // namespace hawser::simulation
