// An interface's raw frames, by an AF_PACKET socket that sees what comes in and not what goes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "network/segment.h"

namespace hawser::adversary {

class Port {
 public:
  // Opens the interface of this network namespace. Throws std::runtime_error with a text for
  // people.
  explicit Port(const std::string& interface);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  // Bytes of the largest IP packet.
  [[nodiscard]] std::size_t mtu() const noexcept { return mtu_; }

  // Hands over each frame that has come, one burst at most. Returns how many.
  std::size_t receive(const std::function<void(std::span<const std::uint8_t>)>& take);

  // Sends all; returns how many the kernel refused.
  std::size_t send(const std::vector<Frame>& frames);

  // Frames since the last call that came faster than they were read.
  [[nodiscard]] std::uint64_t missed();

 private:
  std::string name_;
  int descriptor_ = -1;
  std::size_t mtu_ = 0;
  std::vector<std::uint8_t> buffers_;
};

}  // namespace hawser::adversary
