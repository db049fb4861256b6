// What the benchmarks of the pipeline run: frames of many connections, and a harness with backends.
#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include "support/frame.h"
#include "support/harness.h"

namespace hawser::tests {

inline constexpr std::size_t kRoom = limits::kHeadroom + 128;

// Frames of `flows` connections in one block; each burst gets a fresh copy of 32 of them.
class Traffic {
 public:
  Traffic(std::uint32_t flows, bool six, std::uint8_t flags) : buffer_(limits::kBurst * kRoom) {
    for (std::uint32_t n = 0; n < flows; ++n) {
      FrameSpec spec{.source = net::Ipv4Address{net::Big32(0x0a005000U + n / 50'000)},
                     .destination = address("10.0.0.100"),
                     .source_port = static_cast<std::uint16_t>(1024 + n % 50'000),
                     .tcp_flags = flags};
      if (six) {
        net::IpAddress from = address("fd00::c0:0");
        from.bytes[15] = static_cast<std::uint8_t>(n / 50'000 + 1);
        spec.source = from;
        spec.destination = address("fd00::100");
      }
      frames_.push_back(frame(spec));
    }
  }

  void next(pipeline::Burst& burst) {
    burst.size = limits::kBurst;
    for (std::size_t i = 0; i < limits::kBurst; ++i) {
      const std::vector<std::uint8_t>& from = frames_[next_++ % frames_.size()];
      std::uint8_t* to = buffer_.data() + i * kRoom + limits::kHeadroom;
      std::memcpy(to, from.data(), from.size());
      pipeline::Packet& packet = burst.packets[i];
      packet = pipeline::Packet{};
      packet.data = to;
      packet.length = static_cast<std::uint16_t>(from.size());
      packet.contiguous = static_cast<std::uint16_t>(from.size());
      packet.capacity = kRoom - limits::kHeadroom;
    }
  }

 private:
  std::vector<std::vector<std::uint8_t>> frames_;
  std::vector<std::uint8_t> buffer_;
  std::size_t next_ = 0;
};

inline Harness& harness_with(model::Forward forward) {
  static std::vector<std::unique_ptr<Harness>> kept;
  kept.push_back(std::make_unique<Harness>(
      std::vector{default_port()},
      HarnessSize{.ipv4_buckets = 1U << 16, .ipv6_buckets = 1U << 16, .backends = 4096}));
  std::vector<model::Backend> four;
  std::vector<model::Backend> six;
  for (int i = 1; i <= 100; ++i) {
    four.push_back(backend("b" + std::to_string(i), "10.0.1." + std::to_string(i), 80));
    six.push_back(backend("b" + std::to_string(i), "fd00::1:" + std::to_string(i), 80));
  }
  std::vector<model::Service> services{service("web", "10.0.0.100", 80, four),
                                       service("web6", "fd00::100", 80, six)};
  for (model::Service& each : services) each.forward = forward;
  kept.back()->apply(std::move(services));
  return *kept.back();
}

}  // namespace hawser::tests
