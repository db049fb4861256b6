// The messages of sd_notify.
#include "service_manager.h"

#include <cstdint>
#include <cstdlib>
#include <ctime>

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

namespace hawser::control::service_manager {
namespace {

void tell(const std::string& message) {
  // Nobody is waiting for what could not be told: the manager draws its own conclusions.
  static_cast<void>(sd_notify(0, message.c_str()));
}

}  // namespace

bool listens() {
  const char* const socket = std::getenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe)
  return socket != nullptr && *socket != '\0';
}

std::optional<std::chrono::microseconds> watchdog() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::microseconds(microseconds);
}

void ready() {
  tell("READY=1");
}

// The moment is what managers ask for since version 253 (Type=notify-reload).
void reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1'000'000 + now.tv_nsec / 1000));
}

void stopping() {
  tell("STOPPING=1");
}

void alive() {
  tell("WATCHDOG=1");
}

void status(const std::string& text) {
  tell("STATUS=" + text);
}

}  // namespace hawser::control::service_manager
