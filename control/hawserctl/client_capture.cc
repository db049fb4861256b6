// The call that runs until it is ended: a capture.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "client.h"
#include "errors.h"

namespace hawser::ctl {
namespace {

// Cancels a call from beside it: when `descriptor` becomes readable, or when the call has not begun
// by `begin_by`.
class Canceller {
 public:
  Canceller(grpc::ClientContext& context, int descriptor, Client::Time begin_by)
      : context_(context),
        descriptor_(descriptor),
        begin_by_(begin_by),
        over_(eventfd(0, EFD_CLOEXEC)),
        thread_([this] { watch(); }) {}
  ~Canceller() {
    eventfd_write(over_, 1);
    thread_.join();
    ::close(over_);
  }
  Canceller(const Canceller&) = delete;
  Canceller& operator=(const Canceller&) = delete;

  void begun() { begun_ = true; }
  [[nodiscard]] bool interrupted() const { return interrupted_; }
  [[nodiscard]] bool late() const { return late_; }

 private:
  void watch() {
    std::array<pollfd, 2> waits{{{.fd = over_, .events = POLLIN, .revents = 0},
                                 {.fd = descriptor_, .events = POLLIN, .revents = 0}}};
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          begin_by_ - std::chrono::steady_clock::now());
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

  grpc::ClientContext& context_;
  int descriptor_;
  Client::Time begin_by_;
  std::atomic<bool> begun_{false};
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> late_{false};
  int over_;
  std::thread thread_;  // last: it starts when everything else is there
};

}  // namespace

Outcome<CaptureEnd> Client::capture(
    const path::Capture& wanted, Time begin_by, int stop,
    const std::function<bool(const path::CaptureReply&)>& take) const {
  grpc::ClientContext context;
  Canceller canceller(context, stop, begin_by);
  const auto reader = administer_->Capture(&context, wanted);
  path::CaptureReply part;
  bool enough = false;
  bool last = false;
  while (!enough && reader->Read(&part)) {
    canceller.begun();
    last = part.last();
    enough = !take(part);
  }
  if (enough) context.TryCancel();
  const grpc::Status status = reader->Finish();
  if (enough) return CaptureEnd::kEnough;
  if (last) return CaptureEnd::kLimit;
  if (canceller.interrupted()) return CaptureEnd::kInterrupted;
  if (canceller.late()) {
    return Failure{ExitCode::kTimedOut, "the capture did not begin in time",
                   "try a longer --timeout"};
  }
  if (!status.ok()) return failure_of(status, socket_);
  return Failure{ExitCode::kFailed, "hawserd ended the capture without a word", ""};
}

}  // namespace hawser::ctl
