// Watches the parts of hawserd that matter and tells the service manager while all of them live.
//
// The first round in which all answer makes hawserd ready. From then on the watchdog is fed at half
// its interval, unless a part hangs: the manager then restarts hawserd, and no packet notices.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace hawser::control {

// What the vigil looks at. Called from its thread only; a call that never returns is a part that
// hangs, too.
struct Vitals {
  // How things stand, for `systemctl status`; takes the controller's lock.
  std::function<std::string()> status;
  // Whether the sockets answer within the time.
  std::function<bool(std::chrono::milliseconds)> answers;
  // Since the loop of checks last turned.
  std::function<std::chrono::milliseconds()> checks_age;
};

// To whom it is told; service_manager's functions but in tests.
struct VigilReports {
  std::function<void()> ready;
  std::function<void()> alive;
  std::function<void(const std::string&)> status;
};

class Vigil {
 public:
  // `watchdog` as service_manager::watchdog().
  Vigil(Vitals vitals, VigilReports reports, std::optional<std::chrono::microseconds> watchdog);
  ~Vigil();
  Vigil(const Vigil&) = delete;
  Vigil& operator=(const Vigil&) = delete;

 private:
  void run();
  // Why a part does not live; empty: all do.
  [[nodiscard]] std::string trouble() const;
  void round();
  // False: stop.
  bool sleep(std::chrono::milliseconds pause);

  Vitals vitals_;
  VigilReports reports_;
  std::optional<std::chrono::milliseconds> feed_;  // half the watchdog's interval
  std::chrono::milliseconds patience_;             // with each part
  bool ready_ = false;
  std::string status_;   // told last
  std::string trouble_;  // of the last round
  std::chrono::steady_clock::time_point next_{};

  std::mutex mutex_;
  std::condition_variable woken_;
  bool stop_ = false;
  std::thread thread_;  // last: it starts when everything else is there
};

}  // namespace hawser::control
