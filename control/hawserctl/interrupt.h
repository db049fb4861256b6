// Interrupt: SIGINT, SIGTERM and SIGHUP as something to wait for, instead of an end.
#pragma once

namespace hawser::ctl {

// One at a time. While it lives, a write to a closed pipe is an error and no signal.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Readable once a signal has come.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace hawser::ctl
