// Frames over a Unix socket: a 4-byte big-endian length and a Protobuf message.
#include "dataplane_connection.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "hawser/net/endian.h"

namespace hawser::control {
namespace {

namespace wire = dataplane::v1;

constexpr std::size_t kLengthBytes = 4;

std::string advice(int number) {
  switch (number) {
    case ENOENT:
    case ECONNREFUSED:
      return "; is hawser-dataplane running?";
    case EACCES:
      return "; may this user use it? See socket_group in [dataplane]";
    default:
      return {};
  }
}

}  // namespace

Result<DataplaneConnection> DataplaneConnection::open(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return fail(path + " is too long for a socket");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return fail(fmt::format("no socket: {}", std::strerror(errno)));
  DataplaneConnection connection(descriptor, path);
  const auto* const target = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  if (connect(descriptor, target, sizeof(address)) != 0) {
    return fail(
        fmt::format("cannot connect to {}: {}{}", path, std::strerror(errno), advice(errno)));
  }
  return connection;
}

DataplaneConnection::DataplaneConnection(DataplaneConnection&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      last_id_(other.last_id_) {}

DataplaneConnection& DataplaneConnection::operator=(DataplaneConnection&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  std::swap(last_id_, other.last_id_);
  return *this;
}

DataplaneConnection::~DataplaneConnection() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<void> DataplaneConnection::await(short events, Clock::time_point deadline) const {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return fail("the dataplane did not answer in time on " + path_);
    pollfd entry{.fd = descriptor_, .events = events, .revents = 0};
    const int ready = poll(&entry, 1, static_cast<int>(left.count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail(fmt::format("poll: {}", std::strerror(errno)));
  }
}

bool DataplaneConnection::is_readable(std::chrono::milliseconds time) const {
  pollfd entry{.fd = descriptor_, .events = POLLIN, .revents = 0};
  return poll(&entry, 1, static_cast<int>(time.count())) > 0;
}

Result<void> DataplaneConnection::send(const wire::Request& request, Clock::time_point deadline) {
  std::string frame(kLengthBytes, '\0');
  if (!request.AppendToString(&frame) || frame.size() - kLengthBytes > limits::kMaxControlFrame) {
    return fail(fmt::format("the request has {} bytes, the dataplane takes at most {}",
                            frame.size() - kLengthBytes, limits::kMaxControlFrame));
  }
  const net::Big32 length(static_cast<std::uint32_t>(frame.size() - kLengthBytes));
  std::memcpy(frame.data(), &length, sizeof(length));
  for (std::size_t sent = 0; sent < frame.size();) {
    const ssize_t now = ::send(descriptor_, frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
    if (now > 0) {
      sent += static_cast<std::size_t>(now);
    } else if (errno == EAGAIN || errno == EINTR) {
      Result<void> ready = await(POLLOUT, deadline);
      if (!ready) return ready;
    } else {
      return fail(fmt::format("lost the dataplane on {}: {}", path_, std::strerror(errno)));
    }
  }
  return {};
}

Result<void> DataplaneConnection::read(char* to, std::size_t size,
                                       Clock::time_point deadline) const {
  for (std::size_t got = 0; got < size;) {
    const ssize_t now = recv(descriptor_, to + got, size - got, 0);
    if (now > 0) {
      got += static_cast<std::size_t>(now);
    } else if (now == 0) {
      return fail("the dataplane closed the connection on " + path_);
    } else if (errno == EAGAIN || errno == EINTR) {
      Result<void> ready = await(POLLIN, deadline);
      if (!ready) return ready;
    } else {
      return fail(fmt::format("lost the dataplane on {}: {}", path_, std::strerror(errno)));
    }
  }
  return {};
}

Result<wire::Response> DataplaneConnection::receive(std::uint64_t id, Clock::time_point deadline) {
  for (;;) {
    std::array<char, kLengthBytes> head{};
    Result<void> done = read(head.data(), head.size(), deadline);
    if (!done) return done.error();
    net::Big32 length;
    std::memcpy(&length, head.data(), sizeof(length));
    if (length.host() > limits::kMaxControlFrame) {
      return fail(
          fmt::format("the dataplane sent a frame of {} bytes on {}, at most {} are "
                      "allowed; do both programs have the same version?",
                      length.host(), path_, limits::kMaxControlFrame));
    }
    std::string frame(length.host(), '\0');
    done = read(frame.data(), frame.size(), deadline);
    if (!done) return done.error();
    wire::Response response;
    if (!response.ParseFromString(frame)) {
      return fail(
          fmt::format("{} does not speak the dataplane's protocol; do both programs have "
                      "the same version?",
                      path_));
    }
    // The dataplane refuses a connection too many with an error of id 0.
    if (response.id() == id || (response.id() == 0 && response.has_error())) return response;
  }
}

Result<wire::Response> DataplaneConnection::call(wire::Request& request,
                                                 Clock::time_point deadline) {
  request.set_id(++last_id_);
  const Result<void> sent = send(request, deadline);
  if (!sent) return sent.error();
  return receive(request.id(), deadline);
}

Result<void> DataplaneConnection::idle(int wake_descriptor) const {
  for (;;) {
    std::array<pollfd, 2> entries{{{.fd = descriptor_, .events = POLLIN, .revents = 0},
                                   {.fd = wake_descriptor, .events = POLLIN, .revents = 0}}};
    const int ready = poll(entries.data(), entries.size(), -1);
    if (ready < 0 && errno != EINTR) return fail(fmt::format("poll: {}", std::strerror(errno)));
    if (ready <= 0) continue;
    // Nothing was asked, so the only thing to read is the end.
    if (entries[0].revents != 0) return fail("the dataplane closed the connection on " + path_);
    return {};
  }
}

}  // namespace hawser::control
