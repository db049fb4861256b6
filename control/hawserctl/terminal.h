// A full-screen view on the terminal: keys as they are pressed, and everything put back at the end.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

namespace hawser::ctl {

// What ended a pause.
enum class Wake : unsigned char { kTime, kKey, kQuit };

// Keys that are no letters, as `Pause::key` has them.
inline constexpr char kKeyUp = 1;
inline constexpr char kKeyDown = 2;
inline constexpr char kKeyPageUp = 4;
inline constexpr char kKeyPageDown = 5;
inline constexpr char kKeyHome = 6;
inline constexpr char kKeyEnd = 7;

struct Pause {
  Wake wake = Wake::kTime;
  char key = 0;  // with kKey
};

struct ScreenSize {
  std::size_t lines = 24;
  std::size_t columns = 80;
};
// Of the terminal that standard output is; the usual one if it does not say.
[[nodiscard]] ScreenSize screen_size();

// The key that the bytes of one press mean; 0: none that is known.
[[nodiscard]] char key_of(std::string_view bytes) noexcept;

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
