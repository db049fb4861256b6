// Random bytes from the kernel.
#include "random_bytes.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace hawser::control {

Result<void> fill_random(std::span<std::uint8_t> bytes, std::string_view what) {
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return fail(fmt::format("no random bytes for {}: {}", what, std::strerror(errno)));
  }
  return {};
}

}  // namespace hawser::control
