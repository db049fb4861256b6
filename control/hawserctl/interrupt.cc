// Signal handlers that write to an eventfd.
#include "interrupt.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

namespace hawser::ctl {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};

std::atomic<int> woken{-1};
std::array<struct sigaction, kSignals.size()> before;
struct sigaction pipe_before;

void on_signal(int) {
  const int saved = errno;
  eventfd_write(woken.load(std::memory_order_relaxed), 1);
  errno = saved;
}

}  // namespace

Interrupt::Interrupt() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  woken = descriptor_;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART | SA_RESETHAND;  // the second one ends whatever hangs
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &action, &before[i]);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, &pipe_before);
}

Interrupt::~Interrupt() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before[i], nullptr);
  ::sigaction(SIGPIPE, &pipe_before, nullptr);
  ::close(descriptor_);
}

}  // namespace hawser::ctl
