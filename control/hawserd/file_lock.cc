// A lock file by flock(2), with the holder's process id in it for the message.
#include "file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace hawser::control {
namespace {

std::string holder(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t size = pread(descriptor, text.data(), text.size() - 1, 0);
  const std::string pid(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return pid.empty() ? std::string() : fmt::format(" (process {})", pid);
}

}  // namespace

Result<FileLock> FileLock::take(const std::string& path, const std::string& what) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return fail(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  FileLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return fail(fmt::format("cannot lock {}: {}", path, std::strerror(errno)));
    }
    return fail(
        fmt::format("another hawserd{} uses {}; stop it first, or give this one its own "
                    "socket and state_directory in [control]",
                    holder(descriptor), what));
  }
  const std::string pid = std::to_string(getpid());
  const bool written =
      ftruncate(descriptor, 0) == 0 &&
      pwrite(descriptor, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
  if (!written) return fail(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<void> make_directories(const std::string& path, unsigned mode) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    const bool last = slash == std::string::npos;
    if (mkdir(part.c_str(), last ? mode : 0755) != 0 && errno != EEXIST) {
      return fail(fmt::format("cannot create the directory {}: {}", part, std::strerror(errno)));
    }
    if (last) return {};
  }
}

}  // namespace hawser::control
