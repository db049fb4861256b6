// Tap: a network interface of the kernel whose wire is a file descriptor here.
//
// It looks like the port it stands for: same MAC address, MTU and own addresses. The kernel
// computes all checksums itself, as no offload is announced. It is gone when the Tap is. Threading:
// main core only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "hawser/base/result.h"
#include "hawser/net/address.h"

namespace hawser::dataplane {

struct TapSetup {
  std::string name;  // of the interface
  net::MacAddress mac;
  std::uint16_t mtu = 1500;
  std::vector<net::Prefix> addresses;
};

class Tap {
 public:
  // Creates the interface and brings it up. Needs CAP_NET_ADMIN.
  [[nodiscard]] static Result<Tap> create(const TapSetup& setup);
  ~Tap();
  Tap(Tap&& other) noexcept : name_(std::move(other.name_)), fd_(std::exchange(other.fd_, -1)) {}
  Tap& operator=(Tap&&) = delete;
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  // Next frame the kernel sends, into `room`; its bytes, or 0 when there is none now.
  [[nodiscard]] std::size_t read(std::span<std::uint8_t> room) noexcept;
  // Gives the kernel a frame; false when it does not take it.
  [[nodiscard]] bool write(std::span<const std::uint8_t> frame) noexcept;

  // The interface is gone: nothing is read or written any more.
  void close() noexcept;

  // -1 once closed.
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  Tap(std::string name, int fd) : name_(std::move(name)), fd_(fd) {}
  std::string name_;
  int fd_;
};

}  // namespace hawser::dataplane
