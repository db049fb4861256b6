// A TCP connection of a peer, and the loop that drives thousands of them with epoll.
//
// Threading: one thread has the loop and everything in it.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "peer/content.h"
#include "peer/heads.h"
#include "peer/outgoing.h"
#include "peer/report.h"

namespace hawser::adversary {

using Clock = std::chrono::steady_clock;

class Loop;

// Something with a descriptor that the loop watches, and closes at its end.
class Watched {
 public:
  explicit Watched(int descriptor) : descriptor_(descriptor) {}
  virtual ~Watched();
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  virtual void ready(std::uint32_t events) = 0;
  // What epoll is to wait for now.
  [[nodiscard]] virtual std::uint32_t interest() const = 0;
  // Each second, and while paused() each millisecond.
  virtual void tick(Clock::time_point) {}
  [[nodiscard]] virtual bool paused() const { return false; }
  [[nodiscard]] virtual std::string where() const = 0;

  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  [[nodiscard]] bool finished() const noexcept { return finished_; }
  void finish() noexcept { finished_ = true; }

 private:
  int descriptor_;
  bool finished_ = false;
};

// Throws Wrong out of its functions when something is not as it must be; the loop reports it.
class Stream : public Watched {
 public:
  Stream(int descriptor, bool connecting, std::uint64_t seed, bool dribbles,
         std::chrono::seconds patience);

  void ready(std::uint32_t events) override;
  [[nodiscard]] std::uint32_t interest() const override;
  void tick(Clock::time_point now) override;
  [[nodiscard]] bool paused() const override { return paused_; }

 protected:
  virtual void connected() {}
  virtual void arrived(std::span<const std::uint8_t> bytes) = 0;
  // The other end sends no more.
  virtual void ended() = 0;
  // Nothing is left to send.
  virtual void sent_all() {}
  // May stay without progress for as long as it likes.
  [[nodiscard]] virtual bool may_rest() const = 0;

  Outgoing& out() noexcept { return out_; }
  [[nodiscard]] const Outgoing& out() const noexcept { return out_; }
  [[nodiscard]] bool connecting() const noexcept { return connecting_; }
  [[nodiscard]] bool read_ended() const noexcept { return read_ended_; }
  void read_on(bool wanted) noexcept { wants_read_ = wanted; }
  // Ends our direction once everything is sent.
  void shut_when_sent() noexcept { shut_when_sent_ = true; }

 private:
  void read();
  void write();

  Outgoing out_;
  bool connecting_;
  bool wants_read_ = true;
  bool read_ended_ = false;
  bool blocked_ = false;
  bool paused_ = false;
  bool shut_when_sent_ = false;
  bool shut_ = false;
  std::chrono::seconds patience_;
  Clock::time_point progress_;
};

class Loop {
 public:
  explicit Loop(Report& report);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void add(std::unique_ptr<Watched> watched);
  [[nodiscard]] std::size_t size() const noexcept { return watched_.size(); }

  // Calls `step` before each wait, until it returns false.
  void run(const std::function<bool()>& step);

 private:
  struct Entry {
    std::unique_ptr<Watched> watched;
    std::uint32_t interest = 0;
  };

  void guarded(Watched& watched, const std::function<void()>& action);
  void settle(int descriptor);

  Report& report_;
  int epoll_;
  std::unordered_map<int, Entry> watched_;
  std::vector<int> paused_;
};

[[nodiscard]] Endpoint endpoint_of(const sockaddr_storage& address);
[[nodiscard]] Endpoint local_endpoint(int descriptor);

}  // namespace hawser::adversary
