// What every verb works with: its arguments, its surroundings, its connection and its deadline.
#pragma once

#include <chrono>
#include <string>

#include "arguments.h"
#include "client.h"
#include "console.h"
#include "failure.h"
#include "json.h"
#include "table.h"

namespace hawser::ctl {

struct Session {
  const Arguments& arguments;
  Console& console;
  const Client& client;
  Paint paint;
  bool json = false;
  std::chrono::milliseconds timeout{};
  Client::Time deadline;

  // A deadline for one call of a command that runs on, such as a live view.
  [[nodiscard]] Client::Time from_now() const { return std::chrono::steady_clock::now() + timeout; }
  // Prints whichever of the two was asked for.
  void print(const std::string& text, const Json& value) const {
    console.out << (json ? dump(value) : text);
  }
};

}  // namespace hawser::ctl
