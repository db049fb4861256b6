// How a command ends: exit codes, a failure for people, and a value-or-failure.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace hawser::ctl {

// What scripts see. Documented in docs/reference/hawserctl.md; never renumber.
enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kRefused = 3,      // by a guard of hawserd, or by the dataplane
  kTimedOut = 4,     // within --timeout
  kUnreachable = 5,  // nobody answers on the socket
};

// What went wrong, and what the reader can do about it (empty: `what` says it).
struct Failure {
  ExitCode code = ExitCode::kFailed;
  std::string what;
  std::string advice;
};

// A value, or why there is none. Result<T> with an exit code.
template <typename T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}            // NOLINT
  Outcome(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT

  explicit operator bool() const noexcept { return state_.index() == 0; }
  [[nodiscard]] T& operator*() { return *std::get_if<0>(&state_); }
  [[nodiscard]] const T& operator*() const { return *std::get_if<0>(&state_); }
  [[nodiscard]] T* operator->() { return std::get_if<0>(&state_); }
  [[nodiscard]] const T* operator->() const { return std::get_if<0>(&state_); }
  [[nodiscard]] const Failure& failure() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Failure> state_;
};

}  // namespace hawser::ctl
