// The process hawserctl: gathers the surroundings and runs.
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <pwd.h>

#include "run.h"

namespace {

// Whoever sits at the keyboard, also under sudo.
std::string author() {
  const char* const behind_sudo = std::getenv("SUDO_USER");
  if (behind_sudo != nullptr && *behind_sudo != '\0') return behind_sudo;
  const passwd* const entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_name : "uid " + std::to_string(::getuid());
}

std::uint64_t now_unix() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

}  // namespace

int main(int argc, char** argv) {
  // gRPC's own log lines would mix with our errors. Before any thread starts.
  ::setenv("GRPC_VERBOSITY", "NONE", 0);  // NOLINT(concurrency-mt-unsafe)
  const char* const socket = std::getenv("HAWSER_SOCKET");
  const char* const no_color = std::getenv("NO_COLOR");
  hawser::ctl::Console console{.out = std::cout,
                               .err = std::cerr,
                               .terminal = ::isatty(STDOUT_FILENO) == 1,
                               .no_color = no_color != nullptr && *no_color != '\0',
                               .socket = std::nullopt,
                               .author = author(),
                               .now_unix = now_unix};
  if (socket != nullptr && *socket != '\0') console.socket = socket;
  const std::vector<std::string> args(argv + 1, argv + argc);
  const hawser::ctl::ExitCode code = hawser::ctl::run(args, console);
  std::cout.flush();
  if (!std::cout && code == hawser::ctl::ExitCode::kOk) {
    std::cerr << "hawserctl: the output could not be written\n";
    return static_cast<int>(hawser::ctl::ExitCode::kFailed);
  }
  return static_cast<int>(code);
}
