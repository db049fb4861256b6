// A connection of the origin, and the sockets it listens at.
#include "peer/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "peer/plan.h"
#include "peer/proxy_header.h"

namespace hawser::adversary {
namespace {

constexpr std::uint64_t kEchoWaits = 256 * 1024;  // bytes: then the tunnel is not read

class Served : public Stream {
 public:
  Served(int descriptor, std::uint64_t number, const ServerSettings& settings, ClientAddress told,
         std::string peer, Report& report)
      : Stream(descriptor, false, number, number % 4 == 3, settings.patience),
        settings_(settings),
        told_(told),
        peer_(std::move(peer)),
        report_(report),
        needs_proxy_(told == ClientAddress::kProxy),
        reader_([this](const Head& head) { return take_head(head); },
                [this](std::span<const std::uint8_t> bytes) { body_->take(bytes); }) {
    ++report_.count("accepted");
  }

  [[nodiscard]] std::string where() const override {
    std::string text = settings_.name + " connection from " + peer_ + " (client " +
                       (client_.empty() ? "unknown" : client_) + "), " + std::to_string(requests_) +
                       " requests";
    if (request_) text += ", last " + request_->exchange.where();
    if (tunnel_) return text + ", in the tunnel at byte " + std::to_string(tunnel_->position());
    return text + ", " + reader_.where();
  }

 private:
  void arrived(std::span<const std::uint8_t> bytes) override {
    input_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    process();
  }

  void process() {
    std::size_t used = 0;
    while (used < input_.size() && !answering_) {
      const std::string_view rest = std::string_view(input_).substr(used);
      if (needs_proxy_) {
        const auto header = read_proxy_header(rest);
        if (!header) break;
        proxy_client_ = header->client.text();
        proxy_target_ = header->target.text();
        needs_proxy_ = false;
        used += header->length;
        ++report_.count("proxy_headers");
        continue;
      }
      const std::span bytes(reinterpret_cast<const std::uint8_t*>(rest.data()), rest.size());
      if (tunnel_) {
        echo(bytes);
        used = input_.size();
        break;
      }
      if (leaving_) throw Wrong("bytes behind the last request");
      used += reader_.take(bytes);
      if (reader_.done()) answer();
    }
    input_.erase(0, used);
    read_on(!answering_ && (!tunnel_ || out().waiting() < kEchoWaits));
  }

  Body take_head(const Head& head) {
    request_ = check_request(head, told_);
    const Exchange& exchange = request_->exchange;
    if (told_ == ClientAddress::kProxy &&
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
    ++report_.count("requests");
    ++report_.count(std::string("requests_") + name_of(exchange.kind));
    const Body body = body_of(head, Framing::kNone);
    if (body.framing != exchange.request_framing ||
        (body.framing == Framing::kLength && body.length != exchange.request_length)) {
      throw Wrong("the request is framed otherwise than it was sent");
    }
    if (body.framing != Framing::kNone) {
      body_.emplace(exchange.where() + " body", exchange.request_seed(), exchange.request_length);
    }
    if (exchange.expects_continue) out().add(interim_head(100, exchange).text());
    return body;
  }

  void answer() {
    const Exchange& exchange = request_->exchange;
    reader_.next();
    std::string received;
    if (body_) {
      body_->end();
      received = hex(body_->hash()) + ":" + std::to_string(body_->position());
      report_.count("bytes_received") += body_->position();
      body_.reset();
    }
    if (exchange.early_hints) out().add(interim_head(103, exchange).text());
    out().add(response_head(exchange, settings_.name, received).text());
    if (exchange.kind == Kind::kUpgrade) {
      tunnel_.emplace(exchange.where() + " tunnel", exchange.request_seed(),
                      exchange.request_length);
      return;
    }
    answering_ = true;
    if (exchange.kind == Kind::kGet || exchange.kind == Kind::kPost) {
      if (exchange.response_framing == Framing::kChunked) {
        out().add_chunked(exchange.response_seed(), exchange.response_length);
      } else {
        out().add_content(exchange.response_seed(), exchange.response_length);
      }
      report_.count("bytes_sent") += exchange.response_length;
    }
    if (exchange.closes) {
      leaving_ = true;
      shut_when_sent();
    }
  }

  void echo(std::span<const std::uint8_t> bytes) {
    tunnel_->take(bytes);
    report_.count("bytes_received") += bytes.size();
    report_.count("bytes_sent") += bytes.size();
    out().add(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }

  void sent_all() override {
    answering_ = false;
    if (read_ended()) {
      complete();
    } else {
      process();
    }
  }

  void ended() override {
    if (tunnel_) {
      tunnel_->end();
    } else {
      if (needs_proxy_ && !input_.empty()) throw Wrong("the stream ended in the PROXY header");
      reader_.end_of_stream();
    }
    if (out().empty()) complete();
  }

  void complete() {
    ++report_.count("closed");
    finish();
  }

  [[nodiscard]] bool may_rest() const override {
    return out().empty() && !tunnel_ && reader_.fresh() && input_.empty();
  }

  const ServerSettings& settings_;
  ClientAddress told_;
  std::string peer_;
  Report& report_;
  bool needs_proxy_;
  MessageReader reader_;
  std::string input_;  // not yet taken
  std::optional<Request> request_;
  std::optional<ContentCheck> body_;
  std::optional<ContentCheck> tunnel_;
  std::string proxy_client_;
  std::string proxy_target_;
  std::string client_;
  std::uint64_t last_number_ = 0;
  std::uint64_t requests_ = 0;
  bool answering_ = false;  // what comes meanwhile waits
  bool leaving_ = false;
};

int listening_socket(std::uint16_t port) {
  const int descriptor = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw Wrong(std::string("no socket: ") + std::strerror(errno));
  const int on = 1;
  const int off = 0;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  if (bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(descriptor, 4096) != 0) {
    throw Wrong("cannot listen at port " + std::to_string(port) + ": " + std::strerror(errno));
  }
  return descriptor;
}

class Listener : public Watched {
 public:
  Listener(const ListeningPort& port, const ServerSettings& settings, Loop& loop, Report& report)
      : Watched(listening_socket(port.port)),
        port_(port),
        settings_(settings),
        loop_(loop),
        report_(report) {}

  [[nodiscard]] std::uint32_t interest() const override { return EPOLLIN; }
  [[nodiscard]] std::string where() const override {
    return settings_.name + " port " + std::to_string(port_.port);
  }

  void ready(std::uint32_t) override {
    for (;;) {
      sockaddr_storage peer{};
      socklen_t length = sizeof(peer);
      const int descriptor = accept4(this->descriptor(), reinterpret_cast<sockaddr*>(&peer),
                                     &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor < 0) return;
      loop_.add(std::make_unique<Served>(descriptor, accepted_++, settings_, port_.told,
                                         endpoint_of(peer).text(), report_));
    }
  }

 private:
  ListeningPort port_;
  const ServerSettings& settings_;
  Loop& loop_;
  Report& report_;
  std::uint64_t accepted_ = 0;
};

// Ends the loop on SIGTERM and SIGINT.
class Signals : public Watched {
 public:
  Signals(const std::function<void()>& on_usr1, bool& ended)
      : Watched(open()), on_usr1_(on_usr1), ended_(ended) {}

  [[nodiscard]] std::uint32_t interest() const override { return EPOLLIN; }
  [[nodiscard]] std::string where() const override { return "signals"; }

  void ready(std::uint32_t) override {
    signalfd_siginfo signal{};
    if (::read(descriptor(), &signal, sizeof(signal)) != sizeof(signal)) return;
    if (signal.ssi_signo == SIGUSR1) {
      on_usr1_();
    } else {
      ended_ = true;
    }
  }

 private:
  static int open() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&signals, number);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  }

  const std::function<void()>& on_usr1_;
  bool& ended_;
};

}  // namespace

void serve(const ServerSettings& settings, Report& report, const std::function<void()>& on_usr1) {
  Loop loop(report);
  bool ended = false;
  std::size_t others = 1;
  const auto count_open = [&] { report.count("open") = loop.size() - others; };
  const std::function<void()> print = [&] {
    count_open();
    on_usr1();
  };
  loop.add(std::make_unique<Signals>(print, ended));
  for (const ListeningPort& port : settings.ports) {
    loop.add(std::make_unique<Listener>(port, settings, loop, report));
    ++others;
  }
  loop.run([&ended] { return !ended; });
  count_open();
}

}  // namespace hawser::adversary
