// Tells systemd how hawserd is (sd_notify(3)); without one nothing is told and nothing happens.
//
// From any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace hawser::control::service_manager {

// There is somebody to tell.
[[nodiscard]] bool listens();
// How long the manager waits for alive() before it takes this process for hung; none: it does not.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog();

void ready();
void reloading();
void stopping();
void alive();
// One line for `systemctl status`.
void status(const std::string& text);

}  // namespace hawser::control::service_manager
