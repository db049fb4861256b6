// Maps errors to failures and prints failures.
#include "errors.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "table.h"

namespace hawser::ctl {
namespace {

constexpr std::string_view kStart = "is it running? \"systemctl status hawserd\" tells";

Failure unreachable(const std::string& socket, std::string_view why) {
  return {ExitCode::kUnreachable, fmt::format("hawserd is not reachable at {} ({})", socket, why),
          std::string(kStart)};
}

// What gRPC itself says when the connection fails, in contrast to words of hawserd.
bool is_transport_text(const std::string& text) {
  constexpr std::array<std::string_view, 6> kTransport{"failed to connect",   "Socket closed",
                                                       "Connection reset",    "Broken pipe",
                                                       "channel is in state", "GOAWAY"};
  for (const std::string_view part : kTransport) {
    if (text.find(part) != std::string::npos) return true;
  }
  return text.empty();
}

std::string_view kind_of(ExitCode code) {
  switch (code) {
    case ExitCode::kOk:
      return "ok";
    case ExitCode::kFailed:
      return "failed";
    case ExitCode::kUsage:
      return "usage";
    case ExitCode::kRefused:
      return "refused";
    case ExitCode::kTimedOut:
      return "timed_out";
    case ExitCode::kUnreachable:
      return "unreachable";
  }
  return "failed";
}

}  // namespace

Failure failure_of(const grpc::Status& status, const std::string& socket) {
  const std::string& text = status.error_message();
  switch (status.error_code()) {
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::OUT_OF_RANGE:
      return {ExitCode::kUsage, text, ""};
    case grpc::StatusCode::NOT_FOUND:
      return {ExitCode::kFailed, text, "\"hawserctl backends\" lists what there is"};
    case grpc::StatusCode::FAILED_PRECONDITION:
      return {ExitCode::kRefused, text, ""};
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      if (text.empty() || text == "Deadline Exceeded") {
        return {ExitCode::kTimedOut, "hawserd did not answer in time", "try a longer --timeout"};
      }
      return {ExitCode::kTimedOut, text, ""};
    case grpc::StatusCode::UNAVAILABLE:
      if (is_transport_text(text)) return unreachable(socket, text.empty() ? "no answer" : text);
      return {ExitCode::kUnreachable, text, ""};
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNIMPLEMENTED:
      return {ExitCode::kFailed, fmt::format("hawserd does not do this on {}", socket),
              "changes need the admin socket; also compare \"hawserctl version\""};
    case grpc::StatusCode::OK:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::ALREADY_EXISTS:
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::DATA_LOSS:
    case grpc::StatusCode::DO_NOT_USE:
      break;
  }
  return {ExitCode::kFailed, text.empty() ? "hawserd failed without a word" : text,
          "the log of hawserd may say more: \"journalctl -u hawserd\""};
}

std::optional<Failure> probe(const std::string& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof(address.sun_path)) {
    return Failure{ExitCode::kUsage, fmt::format("the socket path {} is too long", socket),
                   fmt::format("use one below {} bytes", sizeof(address.sun_path))};
  }
  std::memcpy(address.sun_path, socket.data(), socket.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Failure{ExitCode::kFailed, "cannot make a socket", ""};
  const int result =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));  // POSIX
  const int error = errno;
  ::close(fd);
  if (result == 0) return std::nullopt;
  if (error == EACCES || error == EPERM) {
    return Failure{ExitCode::kFailed, fmt::format("no permission for {}", socket),
                   "run as root, or join the group of the socket (socket_group in [control])"};
  }
  return unreachable(socket, std::generic_category().message(error));
}

std::string render(const Failure& failure, bool json) {
  if (json) {
    nlohmann::ordered_json error;
    error["error"]["code"] = static_cast<int>(failure.code);
    error["error"]["kind"] = kind_of(failure.code);
    error["error"]["message"] = failure.what;
    error["error"]["advice"] = failure.advice;
    return error.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  std::string line = "hawserctl: " + printable(failure.what);
  if (!failure.advice.empty()) line += ": " + printable(failure.advice);
  return line + "\n";
}

}  // namespace hawser::ctl
