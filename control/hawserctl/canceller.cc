// A thread that waits for a descriptor and for the time.
#include "canceller.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace hawser::ctl {

Canceller::Canceller(grpc::ClientContext& context, int descriptor,
                     std::chrono::steady_clock::time_point begin_by)
    : context_(context),
      descriptor_(descriptor),
      begin_by_(begin_by),
      over_(eventfd(0, EFD_CLOEXEC)),
      thread_([this] { watch(); }) {}

Canceller::~Canceller() {
  eventfd_write(over_, 1);
  thread_.join();
  ::close(over_);
}

void Canceller::watch() {
  std::array<pollfd, 2> waits{{{.fd = over_, .events = POLLIN, .revents = 0},
                               {.fd = descriptor_, .events = POLLIN, .revents = 0}}};
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(begin_by_ - std::chrono::steady_clock::now());
    const bool waits_for_begin = !begun_;
    if (waits_for_begin && left.count() <= 0) {
      late_ = true;
      context_.TryCancel();
      return;
    }
    constexpr std::chrono::milliseconds kLook{100};
    const int ready =
        ::poll(waits.data(), waits.size(),
               waits_for_begin ? static_cast<int>(std::min(left, kLook).count()) : -1);
    if (ready <= 0) continue;
    if (waits[0].revents == 0) {
      interrupted_ = true;
      context_.TryCancel();
    }
    return;
  }
}

}  // namespace hawser::ctl
