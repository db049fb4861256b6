// Terminal handling with termios and ANSI escapes.
#include "terminal.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include <termios.h>

namespace hawser::ctl {
namespace {

constexpr char kCtrlC = 3;
// Alternate screen, no cursor, no line wrap; and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

volatile std::sig_atomic_t stop_requested = 0;
termios saved_settings{};

void on_signal(int) {
  stop_requested = 1;
}

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void catch_signal(int number) {
  struct sigaction action {};
  action.sa_handler = on_signal;  // without SA_RESTART: poll() has to return
  ::sigaction(number, &action, nullptr);
}

// What terminals send for the keys that are no letters (ECMA-48, and xterm's ways).
struct Sequence {
  std::string_view bytes;
  char key;
};
constexpr std::array kSequences{
    Sequence{"\x1b[A", kKeyUp},      Sequence{"\x1bOA", kKeyUp},
    Sequence{"\x1b[B", kKeyDown},    Sequence{"\x1bOB", kKeyDown},
    Sequence{"\x1b[5~", kKeyPageUp}, Sequence{"\x1b[6~", kKeyPageDown},
    Sequence{"\x1b[H", kKeyHome},    Sequence{"\x1bOH", kKeyHome},
    Sequence{"\x1b[1~", kKeyHome},   Sequence{"\x1b[F", kKeyEnd},
    Sequence{"\x1bOF", kKeyEnd},     Sequence{"\x1b[4~", kKeyEnd},
};

}  // namespace

ScreenSize screen_size() {
  winsize size{};
  ScreenSize result;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return result;
  if (size.ws_row != 0) result.lines = size.ws_row;
  if (size.ws_col != 0) result.columns = size.ws_col;
  return result;
}

char key_of(std::string_view bytes) noexcept {
  for (const Sequence& sequence : kSequences) {
    if (bytes.starts_with(sequence.bytes)) return sequence.key;
  }
  if (bytes.empty() || bytes.front() < ' ') return 0;
  return bytes.front();
}

Screen::Screen() : keys_(::isatty(STDIN_FILENO) == 1) {
  stop_requested = 0;
  catch_signal(SIGTERM);
  catch_signal(SIGHUP);
  catch_signal(SIGINT);
  if (keys_ && ::tcgetattr(STDIN_FILENO, &saved_settings) == 0) {
    termios raw = saved_settings;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  write_all(kEnter);
}

Screen::~Screen() {
  write_all(kLeave);
  if (keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &saved_settings);
}

void Screen::show(std::string_view text) const {
  std::string out = "\x1b[H";
  for (std::size_t left = screen_size().lines; left > 1 && !text.empty(); --left) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out.append(text.substr(0, end)).append("\x1b[K\r\n");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  write_all(out + "\x1b[J");
}

Pause Screen::pause(std::chrono::milliseconds limit) const {
  pollfd input{keys_ ? STDIN_FILENO : -1, POLLIN, 0};
  const int ready = ::poll(&input, 1, static_cast<int>(limit.count()));
  if (stop_requested != 0) return {Wake::kQuit};
  if (ready <= 0) return {Wake::kTime};
  std::array<char, 8> bytes{};
  const ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
  if (count <= 0) return {Wake::kQuit};  // the terminal is gone
  if (bytes[0] == 'q' || bytes[0] == kCtrlC) return {Wake::kQuit};
  return {Wake::kKey, key_of({bytes.data(), static_cast<std::size_t>(count)})};
}

}  // namespace hawser::ctl
