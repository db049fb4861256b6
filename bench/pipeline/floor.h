// Floor: the least that balancing a packet can cost on this machine, to measure the pipeline by.
//
// It reads an IPv4 header, finds the service, hashes the flow, matches it in one cache line (or
// puts it there), writes an outer IPv4 header with its checksum and counts. It knows no state, no
// expiry, no fragment, no fault, no way to drop, and one way to forward.
//
// Layout: a table of 64-byte buckets, four 16-byte entries each, as the flow table's for IPv4.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "frames.h"
#include "huge_memory.h"

namespace hawser::bench {

struct FloorRun {
  double nanoseconds = 0;  // per packet, the making of packets taken off
  double hit_ratio = 0;
};

class Floor {
 public:
  // Sixteen million entries by default: eight million flows do not crowd each other out.
  explicit Floor(std::size_t buckets = std::size_t{1} << 22);

  // Packets of `flows` flows in turn, a power of two; every flow is known when it returns.
  void learn(std::uint32_t flows);
  [[nodiscard]] FloorRun run(std::uint32_t flows, std::size_t packets);

 private:
  struct Entry {
    std::uint32_t client;
    std::uint16_t client_port;
    std::uint16_t service;  // 0: the entry is free
    std::uint16_t backend;
    std::uint16_t seen;
    std::uint32_t unused;
  };
  struct alignas(64) Bucket {
    std::array<Entry, 4> entries;
  };
  static_assert(sizeof(Bucket) == 64);
  struct Service {
    std::uint32_t address;
    std::uint16_t port;
    std::uint16_t id;  // 0: nobody
  };
  struct Count {
    std::uint64_t packets;
    std::uint64_t bytes;
  };
  using Frames = std::array<std::uint8_t*, limits::kBurst>;

  void make(Frames& frames, std::uint32_t& next, std::uint32_t flows) noexcept;
  void balance(const Frames& frames, std::uint16_t now) noexcept;
  Entry& match(Bucket& bucket, const std::uint8_t* frame, std::uint64_t hash, std::uint16_t service,
               std::uint16_t now) noexcept;
  void encapsulate(std::uint8_t* frame, std::uint16_t backend) noexcept;
  [[nodiscard]] double spend(std::uint32_t flows, std::size_t bursts, bool balanced) noexcept;

  static constexpr std::uint32_t kBackends = 100;
  HugeArray<Bucket> table_;
  std::uint64_t mask_;
  PacketRing ring_;
  std::array<Service, 512> services_{};
  std::vector<std::uint16_t> slots_;
  std::array<std::uint32_t, kBackends + 1> addresses_{};
  std::array<Count, kBackends + 1> by_backend_{};
  std::array<Count, 64> by_service_{};
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
};

}  // namespace hawser::bench
