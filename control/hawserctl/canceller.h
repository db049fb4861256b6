// Ends a call of gRPC from beside it.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include <grpcpp/client_context.h>

namespace hawser::ctl {

// Cancels a call from beside it: when `descriptor` becomes readable, or when the call has not begun
// by `begin_by`.
class Canceller {
 public:
  Canceller(grpc::ClientContext& context, int descriptor,
            std::chrono::steady_clock::time_point begin_by);
  ~Canceller();
  Canceller(const Canceller&) = delete;
  Canceller& operator=(const Canceller&) = delete;

  void begun() { begun_ = true; }
  [[nodiscard]] bool interrupted() const { return interrupted_; }
  [[nodiscard]] bool late() const { return late_; }

 private:
  void watch();

  grpc::ClientContext& context_;
  int descriptor_;
  std::chrono::steady_clock::time_point begin_by_;
  std::atomic<bool> begun_{false};
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> late_{false};
  int over_;
  std::thread thread_;  // last: it starts when everything else is there
};

}  // namespace hawser::ctl
