// Flight: one check on its way: connects, says PROXY, shakes hands, talks. Never blocks.
#include "health_flight.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace hawser::control {
namespace {

// PROXY protocol 2.2, LOCAL and without addresses: the balancer speaks for itself, which is what
// the protocol has for health checks.
constexpr std::string_view kProxyLocal("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);

constexpr std::size_t kReadBytes = 16U << 10;
socklen_t fill(const net::IpAddress& address, std::uint16_t port, sockaddr_storage& out) {
  if (address.is_ipv4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, address.bytes.data(), sizeof(in.sin_addr));
    std::memcpy(&out, &in, sizeof(in));
    return sizeof(in);
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port);
  std::memcpy(&in.sin6_addr, address.bytes.data(), sizeof(in.sin6_addr));
  std::memcpy(&out, &in, sizeof(in));
  return sizeof(in);
}

std::int64_t now_unix() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace

std::string system_error(int number) {
  switch (number) {
    case ECONNREFUSED:
      return "connection refused";
    case EHOSTUNREACH:
      return "no route to host";
    case ENETUNREACH:
      return "network unreachable";
    case ECONNRESET:
    case EPIPE:
      return "connection reset";
    case ETIMEDOUT:
      return "connection timed out";
    default:
      return std::strerror(number);
  }
}

Flight::~Flight() {
  if (descriptor_ < 0) return;
  if (session_) session_->close();
  session_.reset();
  // A reset keeps thousands of ended connections out of TIME_WAIT. It may overtake what was sent,
  // so not after bytes that nobody has answered: a PROXY header, the end of a TLS handshake.
  const bool reset = route_.tls == nullptr && (!sent_ || phase_ == Phase::kAnswer);
  if (reset) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  }
  close(descriptor_);
}

std::optional<Landing> Flight::start() {
  sockaddr_storage address{};
  const socklen_t size = fill(route_.address, route_.port, address);
  descriptor_ = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return failed("no socket: " + system_error(errno));
  const auto* const generic = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  if (connect(descriptor_, generic, size) == 0 || errno == EINPROGRESS) return std::nullopt;
  return failed(system_error(errno));
}

Landing Flight::failed(std::string text) const {
  return {.passed = false, .text = std::move(text), .warning = {}};
}

Flight::Step Flight::fail_with(int number) {
  failure_ = system_error(number);
  return Step::kFailed;
}

Flight::Step Flight::finish_connect() {
  int number = 0;
  socklen_t size = sizeof(number);
  if (getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &number, &size) != 0) return fail_with(errno);
  return number == 0 ? Step::kDone : fail_with(number);
}

Flight::Step Flight::send_plain(std::string_view& bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno == EAGAIN ? Step::kWait : fail_with(errno);
    sent_ = true;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return Step::kDone;
}

Flight::Step Flight::send(std::string_view& bytes) {
  if (!session_) return send_plain(bytes);
  const Step taken = session_->send(bytes);
  if (taken == Step::kFailed) failure_ = session_->failure();
  return taken;
}

Flight::Step Flight::receive(char* buffer, std::size_t room, std::size_t& size) {
  if (session_) {
    const Step taken = session_->receive(buffer, room, size);
    if (taken == Step::kFailed) failure_ = session_->failure();
    return taken;
  }
  ssize_t got = 0;
  do {
    got = recv(descriptor_, buffer, room, 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return errno == EAGAIN ? Step::kWait : fail_with(errno);
  size = static_cast<std::size_t>(got);
  return got == 0 ? Step::kEnd : Step::kDone;
}

void Flight::next() {
  switch (phase_) {
    case Phase::kConnecting:
      phase_ = Phase::kProxy;
      unsent_ = route_.proxy_header ? kProxyLocal : std::string_view();
      return;
    case Phase::kProxy:
      phase_ = Phase::kHandshake;
      if (route_.tls == nullptr) return;
      session_.emplace(*route_.tls, descriptor_, route_.server_name, route_.address);
      return;
    case Phase::kHandshake:
      phase_ = Phase::kRequest;
      if (talk_ != nullptr) unsent_ = talk_->request();
      return;
    case Phase::kRequest:
    case Phase::kAnswer:
      phase_ = Phase::kAnswer;
  }
}

Flight::Step Flight::step() {
  switch (phase_) {
    case Phase::kConnecting:
      return finish_connect();
    case Phase::kProxy:
      return send_plain(unsent_);
    case Phase::kHandshake: {
      if (!session_) return Step::kDone;
      const Step shaken = session_->handshake();
      if (shaken == Step::kFailed) failure_ = session_->failure();
      return shaken;
    }
    case Phase::kRequest:
      return talk_ == nullptr ? Step::kDone : send(unsent_);
    case Phase::kAnswer:
      break;
  }
  return Step::kWait;
}

std::optional<Landing> Flight::advance() {
  while (phase_ != Phase::kAnswer) {
    const Step taken = step();
    if (taken == Step::kWait) return std::nullopt;
    if (taken != Step::kDone) {
      // A server may refuse with an answer and hang up before it heard us out.
      if (phase_ != Phase::kRequest) return failed(failure_);
      unsent_ = {};
    }
    if (phase_ == Phase::kRequest && (talk_ == nullptr || !talk_->listens())) {
      if (taken != Step::kDone) return failed(failure_);
      return land({.passed = true, .text = {}});
    }
    next();
  }
  return read_answer();
}

std::optional<Landing> Flight::read_answer() {
  std::array<char, kReadBytes> buffer;  // NOLINT: written before it is read
  for (;;) {
    std::size_t size = 0;
    switch (receive(buffer.data(), buffer.size(), size)) {
      case Step::kWait:
        return std::nullopt;
      case Step::kFailed:
        return failed(failure_);
      case Step::kEnd:
        return land(talk_->end());
      case Step::kDone:
        break;
    }
    if (const std::optional<Outcome> outcome = talk_->take({buffer.data(), size})) {
      return land(*outcome);
    }
  }
}

Landing Flight::land(const Outcome& outcome) const {
  return {.passed = outcome.passed,
          .text = outcome.text,
          .warning = outcome.passed ? certificate_warning() : std::string()};
}

std::string Flight::certificate_warning() const {
  if (!session_ || route_.expires_within == 0) return {};
  const std::optional<std::int64_t> until = session_->expires_unix();
  if (!until) return {};
  constexpr std::int64_t kDay = 86'400;
  constexpr std::int64_t kHour = 3600;
  const std::int64_t left = *until - now_unix();
  if (left > route_.expires_within) return {};
  if (left <= 0) return fmt::format("certificate expired on {}", day_of(*until));
  const std::string when =
      left >= 2 * kDay ? fmt::format("{} d", left / kDay) : fmt::format("{} h", left / kHour);
  return fmt::format("certificate expires on {}, in {}", day_of(*until), when);
}

Landing Flight::overdue() const {
  switch (phase_) {
    case Phase::kConnecting:
      return failed(fmt::format("no connection in {} ms", route_.timeout_ms));
    case Phase::kProxy:
    case Phase::kHandshake:
      return failed(fmt::format("no TLS handshake in {} ms", route_.timeout_ms));
    case Phase::kRequest:
    case Phase::kAnswer:
      break;
  }
  if (talk_ == nullptr) return failed(fmt::format("no answer in {} ms", route_.timeout_ms));
  return failed(talk_->overdue(route_.timeout_ms));
}

}  // namespace hawser::control
