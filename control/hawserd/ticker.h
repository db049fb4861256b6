// Ticker: a thread that does something again and again until it is told to stop.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace hawser::control {

class Ticker {
 public:
  // The first time after one period. `work` runs on the ticker's thread.
  Ticker(std::chrono::milliseconds period, std::function<void()> work);
  // Waits for the work under way.
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  void run();

  std::chrono::milliseconds period_;
  std::function<void()> work_;
  std::mutex mutex_;
  std::condition_variable told_;
  bool stop_ = false;
  std::thread thread_;  // last: it starts when everything else is there
};

}  // namespace hawser::control
