// Listens, accepts, and carries frames over Unix sockets.
#include "dataplane/socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <grp.h>

#include "hawser/net/endian.h"

namespace hawser::dataplane {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kReadBytes = 64U << 10;
// Read at once from one client before others get their turn.
constexpr std::size_t kReadTurn = 1U << 20;

Error failed(const std::string& path, const std::string& what) {
  return fail("socket " + path + ": " + what + ": " + std::strerror(errno));
}

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return fail("socket " + path + ": the path has more than " +
                std::to_string(sizeof(address.sun_path) - 1) + " bytes");
  }
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Makes room for a socket at `path`.
Result<void> clear_path(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) {
    return fail("socket " + path + ": something that is no socket is there; remove it");
  }
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(path, "no socket to try it with");
  const bool alive = ::connect(fd, generic(address), sizeof(address)) == 0 || errno == EAGAIN;
  ::close(fd);
  if (alive) {
    return fail("socket " + path +
                ": another hawser-dataplane answers there; stop it first, or give this one another "
                "`socket` in [dataplane]");
  }
  if (::unlink(path.c_str()) != 0) return failed(path, "a dead one cannot be removed");
  return {};
}

Result<void> set_access(const std::string& path, mode_t mode, const std::string& group) {
  if (!group.empty()) {
    const ::group* entry = ::getgrnam(group.c_str());
    if (entry == nullptr) {
      return fail("socket " + path + ": there is no group \"" + group +
                  "\"; make it (groupadd --system " + group + ") or change `socket_group`");
    }
    if (::chown(path.c_str(), static_cast<uid_t>(-1), entry->gr_gid) != 0) {
      return failed(path, "cannot be given to group " + group);
    }
  }
  if (::chmod(path.c_str(), mode) != 0) return failed(path, "its mode cannot be set");
  return {};
}

}  // namespace

std::string read_only_twin(const std::string& path) {
  constexpr std::string_view kEnding = ".sock";
  if (path.size() > kEnding.size() && path.ends_with(kEnding)) {
    return path.substr(0, path.size() - kEnding.size()) + "-ro.sock";
  }
  return path + "-ro";
}

Result<Listener> Listener::open(const std::string& path, mode_t mode, const std::string& group) {
  Result<sockaddr_un> address = address_of(path);
  if (!address) return address.error();
  std::error_code ignored;  // bind says it better
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  if (Result<void> clear = clear_path(path, *address); !clear) return clear.error();

  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return failed(path, "cannot be made");
  // Nobody may connect before its mode is right.
  const mode_t before = ::umask(0777);
  const int bound = ::bind(fd, generic(*address), sizeof(*address));
  ::umask(before);
  if (bound != 0) {
    const Error error = failed(path, "cannot be made");
    ::close(fd);
    return error;
  }
  Listener listener(path, fd);
  if (Result<void> access = set_access(path, mode, group); !access) return access.error();
  if (::listen(fd, SOMAXCONN) != 0) return failed(path, "cannot listen");
  return listener;
}

Listener::~Listener() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(path_.c_str());
}

int Listener::accept() noexcept {
  return ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

FrameConnection::~FrameConnection() {
  ::close(fd_);
}

bool FrameConnection::receive() {
  input_.erase(0, consumed_);
  consumed_ = 0;
  std::array<char, kReadBytes> chunk;
  for (std::size_t total = 0; total < kReadTurn;) {
    const ssize_t got = ::recv(fd_, chunk.data(), chunk.size(), 0);
    if (got > 0) {
      input_.append(chunk.data(), static_cast<std::size_t>(got));
      total += static_cast<std::size_t>(got);
      if (has_frame()) return true;
      continue;
    }
    if (got == 0) return false;
    return errno == EAGAIN || errno == EINTR;
  }
  return true;
}

std::optional<std::size_t> FrameConnection::front_length() const noexcept {
  if (input_.size() - consumed_ < kLengthBytes) return std::nullopt;
  std::uint32_t raw = 0;
  std::memcpy(&raw, input_.data() + consumed_, kLengthBytes);
  return net::Big32::from_raw(raw).host();
}

bool FrameConnection::has_frame() const noexcept {
  const std::optional<std::size_t> length = front_length();
  if (!length) return false;
  return *length > frame_limit_ || input_.size() - consumed_ - kLengthBytes >= *length;
}

Result<std::optional<std::string_view>> FrameConnection::next() {
  if (!has_frame()) return std::optional<std::string_view>();
  const std::size_t length = *front_length();
  if (length > frame_limit_) {
    return fail("a request of " + std::to_string(length) + " bytes; at most " +
                std::to_string(frame_limit_) + " are taken here");
  }
  const std::string_view frame(input_.data() + consumed_ + kLengthBytes, length);
  consumed_ += kLengthBytes + length;
  return std::optional<std::string_view>(frame);
}

void FrameConnection::send(std::string_view frame) {
  if (written_ > 0) {
    output_.erase(0, written_);
    written_ = 0;
  }
  const std::uint32_t raw = net::Big32(static_cast<std::uint32_t>(frame.size())).raw();
  std::array<char, kLengthBytes> length{};
  std::memcpy(length.data(), &raw, kLengthBytes);
  output_.append(length.data(), length.size());
  output_.append(frame);
}

bool FrameConnection::flush() {
  while (backlog() > 0) {
    const ssize_t sent = ::send(fd_, output_.data() + written_, backlog(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    written_ += static_cast<std::size_t>(sent);
  }
  output_.clear();
  written_ = 0;
  return true;
}

}  // namespace hawser::dataplane
