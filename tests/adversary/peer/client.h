// The client: drives connections through their plans and checks every answer.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "peer/plan.h"
#include "peer/stream.h"

namespace hawser::adversary {

struct Target {
  sockaddr_storage address{};
  socklen_t length = 0;
};

// Reads "10.77.0.100:80" or "[fd77::100]:80"; throws Wrong.
[[nodiscard]] Target read_target(const std::string& text);

struct ClientSettings {
  std::vector<Target> targets;
  std::uint64_t connections = 100;
  std::uint64_t concurrency = 16;
  std::uint64_t users = 0;  // 0: a quarter of the connections
  std::uint64_t seed = 1;
  std::optional<std::uint64_t> only;  // this connection alone
  std::string cookie;                 // name of the one the balancer inserts; empty: none may be
  std::uint64_t most_errors = 50;     // then no more connections are opened
  std::chrono::seconds patience{60};
  PlanLimits limits;
};

// A virtual user, who has a cookie jar and always goes to the same target.
struct User {
  std::string cookie;  // value, empty when none was set yet
  std::string home;    // the server that the cookie came from
  std::set<std::string> servers;
};

// Runs all connections; counts and errors go to `report`.
void drive(const ClientSettings& settings, Report& report);

}  // namespace hawser::adversary
