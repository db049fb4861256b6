// Reads and writes of one connection, and the epoll loop around all of them.
#include "peer/stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace hawser::adversary {
namespace {

constexpr std::size_t kReadAtOnce = 64 * 1024;  // bytes
constexpr int kReadsInTurn = 4;                 // then others have theirs

std::array<std::uint8_t, kReadAtOnce>& read_buffer() {
  static std::array<std::uint8_t, kReadAtOnce> buffer;
  return buffer;
}

}  // namespace

Watched::~Watched() {
  close(descriptor_);
}

Stream::Stream(int descriptor, bool connecting, std::uint64_t seed, bool dribbles,
               std::chrono::seconds patience)
    : Watched(descriptor),
      out_(seed, dribbles),
      connecting_(connecting),
      patience_(patience),
      progress_(Clock::now()) {}

std::uint32_t Stream::interest() const {
  std::uint32_t events = 0;
  if (connecting_ || blocked_) events |= EPOLLOUT;
  if (!connecting_ && wants_read_ && !read_ended_) events |= EPOLLIN;
  return events;
}

void Stream::ready(std::uint32_t events) {
  if (connecting_) {
    int error = 0;
    socklen_t length = sizeof(error);
    getsockopt(descriptor(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) throw Wrong(std::string("cannot connect: ") + std::strerror(error));
    connecting_ = false;
    progress_ = Clock::now();
    connected();
  }
  if ((events & EPOLLOUT) != 0) blocked_ = false;
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0 && !read_ended_) read();
  if (!finished()) write();
}

void Stream::read() {
  for (int turn = 0; turn < kReadsInTurn && !finished(); ++turn) {
    auto& buffer = read_buffer();
    const ssize_t count = recv(descriptor(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0) {
      if (errno == EAGAIN || errno == EINTR) return;
      throw Wrong(std::string("cannot read: ") + std::strerror(errno));
    }
    progress_ = Clock::now();
    if (count == 0) {
      read_ended_ = true;
      ended();
      return;
    }
    arrived(std::span(buffer.data(), static_cast<std::size_t>(count)));
    if (!wants_read_) return;
  }
}

void Stream::write() {
  while (!out_.empty() && !blocked_ && !paused_ && !finished()) {
    const std::uint64_t before = out_.sent();
    const Outgoing::Outcome outcome = out_.flush(descriptor());
    const int error = errno;
    if (out_.sent() != before) progress_ = Clock::now();
    switch (outcome) {
      case Outgoing::Outcome::kAll:
        sent_all();
        break;
      case Outgoing::Outcome::kBlocked:
        blocked_ = true;
        break;
      case Outgoing::Outcome::kPause:
        paused_ = true;
        break;
      case Outgoing::Outcome::kFailed:
        throw Wrong(std::string("cannot write: ") + std::strerror(error));
    }
  }
  if (shut_when_sent_ && !shut_ && out_.empty() && !finished()) {
    shut_ = true;
    if (shutdown(descriptor(), SHUT_WR) != 0) {
      throw Wrong(std::string("cannot shut: ") + std::strerror(errno));
    }
  }
}

void Stream::tick(Clock::time_point now) {
  if (paused_) {
    paused_ = false;
    write();
  }
  if (now - progress_ < patience_) return;
  if (may_rest()) return;
  throw Wrong("no progress for " + std::to_string(patience_.count()) + " s; " +
              std::to_string(out_.waiting()) + " bytes wait to be sent");
}

Loop::Loop(Report& report) : report_(report), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw Wrong("no epoll");
}

Loop::~Loop() {
  close(epoll_);
}

void Loop::add(std::unique_ptr<Watched> watched) {
  const int descriptor = watched->descriptor();
  const std::uint32_t interest = watched->interest();
  epoll_event event{};
  event.events = interest;
  event.data.fd = descriptor;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) throw Wrong("epoll_ctl failed");
  watched_[descriptor] = Entry{std::move(watched), interest};
}

void Loop::guarded(Watched& watched, const std::function<void()>& action) {
  try {
    action();
  } catch (const Wrong& wrong) {
    report_.error(watched.where() + ": " + wrong.what());
    watched.finish();
  }
}

// Closes what has finished, and tells epoll what the others wait for now.
void Loop::settle(int descriptor) {
  const auto found = watched_.find(descriptor);
  if (found == watched_.end()) return;
  Entry& entry = found->second;
  if (entry.watched->finished()) {
    watched_.erase(found);
    return;
  }
  if (entry.watched->paused()) paused_.push_back(descriptor);
  const std::uint32_t interest = entry.watched->interest();
  if (interest == entry.interest) return;
  entry.interest = interest;
  epoll_event event{};
  event.events = interest;
  event.data.fd = descriptor;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event);
}

void Loop::run(const std::function<bool()>& step) {
  std::array<epoll_event, 256> events{};
  Clock::time_point ticked = Clock::now();
  while (step()) {
    const int timeout = paused_.empty() ? 100 : 1;
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
    for (int i = 0; i < count; ++i) {
      const epoll_event event = events[static_cast<std::size_t>(i)];
      const auto found = watched_.find(event.data.fd);
      if (found == watched_.end()) continue;
      Watched& watched = *found->second.watched;
      guarded(watched, [&] { watched.ready(event.events); });
      settle(event.data.fd);
    }
    const Clock::time_point now = Clock::now();
    std::vector<int> due;
    due.swap(paused_);
    if (now - ticked >= std::chrono::seconds(1)) {
      ticked = now;
      due.clear();
      for (const auto& [descriptor, entry] : watched_) due.push_back(descriptor);
    }
    for (const int descriptor : due) {
      const auto found = watched_.find(descriptor);
      if (found == watched_.end()) continue;
      Watched& watched = *found->second.watched;
      guarded(watched, [&] { watched.tick(now); });
      settle(descriptor);
    }
  }
}

Endpoint endpoint_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &address, sizeof(ipv4));
    inet_ntop(AF_INET, &ipv4.sin_addr, text.data(), text.size());
    return {text.data(), ntohs(ipv4.sin_port)};
  }
  sockaddr_in6 ipv6{};
  std::memcpy(&ipv6, &address, sizeof(ipv6));
  inet_ntop(AF_INET6, &ipv6.sin6_addr, text.data(), text.size());
  const std::string spelt = text.data();
  const bool mapped = IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr);
  return {mapped ? spelt.substr(7) : spelt, ntohs(ipv6.sin6_port)};
}

Endpoint local_endpoint(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw Wrong("no local address");
  }
  return endpoint_of(address);
}

}  // namespace hawser::adversary
