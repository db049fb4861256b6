// A full-screen view on the terminal: keys as they are pressed, and everything put back at the end.
#pragma once

#include <chrono>
#include <string_view>

namespace hawser::ctl {

// What ended a pause.
enum class Wake : unsigned char { kTime, kKey, kQuit };

struct Pause {
  Wake wake = Wake::kTime;
  char key = 0;  // with kKey
};

// Takes the terminal for its lifetime; at most one at a time. SIGTERM and SIGHUP become kQuit.
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // Replaces what is shown. Lines that do not fit are cut.
  void show(std::string_view text) const;
  // Until a key (q and Ctrl-C: kQuit), a signal, or `limit` has passed.
  [[nodiscard]] Pause pause(std::chrono::milliseconds limit) const;

 private:
  bool keys_ = false;  // standard input is a terminal too
};

}  // namespace hawser::ctl
