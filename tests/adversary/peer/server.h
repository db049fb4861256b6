// The origin: answers as each request's target says, and checks all of what it receives.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "peer/heads.h"
#include "peer/stream.h"

namespace hawser::adversary {

struct ListeningPort {
  std::uint16_t port = 0;
  ClientAddress told = ClientAddress::kNone;
};

struct ServerSettings {
  std::string name;
  std::vector<ListeningPort> ports;
  std::chrono::seconds patience{60};
};

// Serves until SIGTERM or SIGINT; `on_usr1` runs on SIGUSR1. Counts and errors go to `report`.
void serve(const ServerSettings& settings, Report& report, const std::function<void()>& on_usr1);

}  // namespace hawser::adversary
