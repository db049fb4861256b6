// What a command knows of its surroundings: where it writes, for whom, and what time it is.
#pragma once

#include <cstdint>
#include <functional>
#include <iostream>
#include <optional>
#include <string>

namespace hawser::ctl {

struct Console {
  std::ostream& out;
  std::ostream& err;
  bool terminal = false;                    // `out` is a terminal: colours and live views
  bool no_color = false;                    // NO_COLOR is set
  std::optional<std::string> socket;        // HAWSER_SOCKET
  std::string author;                       // who is typing
  std::function<std::uint64_t()> now_unix;  // seconds
  std::istream& in = std::cin;              // for `--file -`
};

}  // namespace hawser::ctl
