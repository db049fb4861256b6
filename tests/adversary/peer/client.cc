// One connection's way through its plan, and the fleet of them.
#include "peer/client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>

namespace hawser::adversary {
namespace {

class Connection : public Stream {
 public:
  Connection(int descriptor, const ClientSettings& settings, std::uint64_t number, Plan plan,
             const Target& target, User& user, std::string user_name, Report& report,
             std::uint64_t& running)
      : Stream(descriptor, true, derived(derived(settings.seed, number), 9), plan.dribbles,
               settings.patience),
        settings_(settings),
        number_(number),
        plan_(std::move(plan)),
        target_(endpoint_of(target.address)),
        user_(user),
        user_name_(std::move(user_name)),
        report_(report),
        running_(running),
        reader_([this](const Head& head) { return take_head(head); },
                [this](std::span<const std::uint8_t> bytes) { body_->take(bytes); }) {
    ++running_;
  }
  ~Connection() override { --running_; }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] std::string where() const override {
    std::string text = "seed " + std::to_string(settings_.seed) + " connection " +
                       std::to_string(number_) + " from " + local_.text() + " to " +
                       target_.text() + ", ";
    if (connecting()) return text + "connecting";
    text += std::to_string(sent_) + " requests sent, " + std::to_string(read_) + " of " +
            std::to_string(plan_.exchanges.size()) + " answered, ";
    if (tunnel_) return text + "in the tunnel at byte " + std::to_string(tunnel_->position());
    return text + reader_.where();
  }

 private:
  struct Sent {
    std::string home;  // server of the cookie that was sent; empty when none was
    bool had_cookie = false;
    bool saw_continue = false;
    bool saw_hints = false;
  };

  void connected() override {
    local_ = local_endpoint(descriptor());
    requests_.resize(plan_.exchanges.size());
    send_requests();
  }

  // Sends the next request, and those that are not to wait for its answer.
  void send_requests() {
    while (sent_ < plan_.exchanges.size()) {
      const Exchange& exchange = plan_.exchanges[sent_];
      Sent& request = requests_[sent_];
      request.had_cookie = !user_.cookie.empty();
      request.home = user_.home;
      out().add(request_head(exchange, local_, target_, user_name_, cookies(exchange)).text());
      ++sent_;
      ++report_.count("requests");
      ++report_.count(std::string("requests_") + name_of(exchange.kind));
      if (exchange.expects_continue) return;
      send_body(exchange);
      if (exchange.half_closes && exchange.kind != Kind::kUpgrade) shut_when_sent();
      if (!exchange.pipelined) return;
      ++report_.count("pipelined");
    }
  }

  void send_body(const Exchange& exchange) {
    if (exchange.request_framing == Framing::kLength) {
      out().add_content(exchange.request_seed(), exchange.request_length);
    } else if (exchange.request_framing == Framing::kChunked) {
      out().add_chunked(exchange.request_seed(), exchange.request_length);
    }
    if (exchange.request_framing != Framing::kNone) {
      report_.count("bytes_sent") += exchange.request_length;
    }
  }

  [[nodiscard]] std::string cookies(const Exchange& exchange) const {
    Random random(derived(exchange.seed, 6));
    std::string text = random.chance(0.3) ? "theme=dark" : "";
    if (!user_.cookie.empty()) {
      text += (text.empty() ? "" : "; ") + settings_.cookie + "=" + user_.cookie;
    }
    if (random.chance(0.3)) text += std::string(text.empty() ? "" : "; ") + "cart=3";
    return text;
  }

  Body take_head(const Head& head) {
    const Exchange& exchange = plan_.exchanges[read_];
    Sent& request = requests_[read_];
    const Response response = check_response(head, exchange, settings_.cookie);
    if (response.status == 100 && exchange.expects_continue && !request.saw_continue) {
      request.saw_continue = true;
      send_body(exchange);
      return {};
    }
    if (response.status == 103 && exchange.early_hints && !request.saw_hints) {
      request.saw_hints = true;
      return {};
    }
    if (response.status != exchange.status())
      throw Wrong("a status that was not due: " + head.start);
    if (request.saw_continue != exchange.expects_continue ||
        request.saw_hints != exchange.early_hints) {
      throw Wrong(exchange.where() + ": an interim answer is missing");
    }
    final_ = true;
    take_final(head, exchange, request, response);
    return begin_body(head, exchange);
  }

  void take_final(const Head& head, const Exchange& exchange, const Sent& request,
                  const Response& response) {
    ++report_.server(response.server);
    user_.servers.insert(response.server);
    if (exchange.kind == Kind::kPost) {
      const std::string wanted =
          hex(content_hash(exchange.request_seed(), exchange.request_length)) + ":" +
          std::to_string(exchange.request_length);
      if (head.one("X-Received") != wanted) {
        throw Wrong(exchange.where() + ": the server received " + head.one("X-Received") +
                    " instead of " + wanted);
      }
    }
    if (settings_.cookie.empty()) return;
    if (request.had_cookie && request.home != response.server) ++report_.count("moved");
    if (!response.inserted.empty()) {
      ++report_.count("cookies_set");
      user_.cookie = response.inserted;
      user_.home = response.server;
    } else if (!request.had_cookie) {
      throw Wrong(exchange.where() + ": no cookie was set, and none was sent");
    }
  }

  Body begin_body(const Head& head, const Exchange& exchange) {
    if (exchange.kind == Kind::kUpgrade) {
      tunnel_.emplace(exchange.where() + " echo", exchange.request_seed(), exchange.request_length);
      out().add_content(exchange.request_seed(), exchange.request_length);
      report_.count("bytes_sent") += exchange.request_length;
      if (exchange.half_closes || exchange.request_length == 0) shut_when_sent();
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

  void arrived(std::span<const std::uint8_t> bytes) override {
    while (!bytes.empty() && !finished()) {
      if (tunnel_) {
        report_.count("bytes_received") += bytes.size();
        tunnel_->take(bytes);
        if (tunnel_->complete()) shut_when_sent();
        return;
      }
      if (read_ == sent_) throw Wrong("bytes that nobody asked for");
      bytes = bytes.subspan(reader_.take(bytes));
      if (reader_.done()) message_ended();
    }
  }

  void message_ended() {
    reader_.next();
    if (!final_) return;
    final_ = false;
    if (body_) {
      body_->end();
      report_.count("bytes_received") += body_->position();
      body_.reset();
    }
    ++read_;
    ++report_.count("answers");
    if (tunnel_) return;
    if (read_ == plan_.exchanges.size()) {
      leave();
    } else if (read_ == sent_) {
      send_requests();
    }
  }

  void leave() {
    const Exchange& last = plan_.exchanges.back();
    if (read_ended() || (plan_.leaves_first && !last.closes && !last.half_closes)) {
      complete();
    } else if (!last.closes) {
      shut_when_sent();
    }
  }

  void ended() override {
    if (!tunnel_) {
      const bool to_close = !reader_.fresh();
      reader_.end_of_stream();
      if (to_close) message_ended();
    }
    if (read_ != plan_.exchanges.size()) throw Wrong("the server closed too early");
    if (tunnel_) tunnel_->end();
    complete();
  }

  void complete() {
    if (finished()) return;
    ++report_.count("connections");
    finish();
  }

  [[nodiscard]] bool may_rest() const override { return false; }

  const ClientSettings& settings_;
  std::uint64_t number_;
  Plan plan_;
  Endpoint target_;
  Endpoint local_;
  User& user_;
  std::string user_name_;
  Report& report_;
  std::uint64_t& running_;
  MessageReader reader_;
  std::optional<ContentCheck> body_;
  std::optional<ContentCheck> tunnel_;
  std::vector<Sent> requests_;
  std::size_t sent_ = 0;
  std::size_t read_ = 0;
  bool final_ = false;
};

int open_socket(const Target& target) {
  const int descriptor =
      socket(target.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw Wrong(std::string("no socket: ") + std::strerror(errno));
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&target.address), target.length) != 0 &&
      errno != EINPROGRESS) {
    throw Wrong(std::string("cannot connect: ") + std::strerror(errno));
  }
  return descriptor;
}

}  // namespace

Target read_target(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) throw Wrong("\"" + text + "\" has no port");
  std::string host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), text.c_str() + colon + 1, &hints, &found) != 0) {
    throw Wrong("\"" + text + "\" is no address and port");
  }
  Target target;
  std::memcpy(&target.address, found->ai_addr, found->ai_addrlen);
  target.length = found->ai_addrlen;
  freeaddrinfo(found);
  return target;
}

void drive(const ClientSettings& settings, Report& report) {
  const std::uint64_t user_count =
      settings.users != 0 ? settings.users : std::max<std::uint64_t>(settings.connections / 4, 1);
  std::vector<User> users(user_count);
  std::uint64_t next = settings.only.value_or(0);
  const std::uint64_t end = settings.only ? next + 1 : settings.connections;
  std::uint64_t running = 0;
  Loop loop(report);
  loop.run([&] {
    while (next < end && running < settings.concurrency && report.errors() < settings.most_errors) {
      const std::uint64_t user = next % user_count;
      const Target& target = settings.targets[user % settings.targets.size()];
      loop.add(std::make_unique<Connection>(
          open_socket(target), settings, next, plan_of(settings.seed, next, settings.limits),
          target, users[user], "user-" + hex(settings.seed) + "-" + std::to_string(user), report,
          running));
      ++next;
    }
    return running > 0;
  });
  for (const User& user : users) {
    if (user.servers.empty()) continue;
    ++report.count("users");
    if (user.servers.size() == 1) ++report.count("users_at_one_server");
  }
}

}  // namespace hawser::adversary
