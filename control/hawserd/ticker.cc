// Waits, works, and waits again.
#include "ticker.h"

#include <utility>

namespace hawser::control {

Ticker::Ticker(std::chrono::milliseconds period, std::function<void()> work)
    : period_(period), work_(std::move(work)), thread_([this] { run(); }) {}

Ticker::~Ticker() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  told_.notify_all();
  thread_.join();
}

void Ticker::run() {
  std::unique_lock lock(mutex_);
  while (!told_.wait_for(lock, period_, [&] { return stop_; })) {
    lock.unlock();
    work_();
    lock.lock();
  }
}

}  // namespace hawser::control
