// FrameTemplate, PacketRing, client_of: where the packets of a benchmark come from.
//
// A template is a whole frame; writing it copies its cache lines, puts other addresses and ports in
// and keeps both checksums sound. The ring is as a port's receive buffers are: many more than fit
// the first-level cache, each with headroom.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "hawser/base/bytes.h"
#include "hawser/base/limits.h"
#include "hawser/net/checksum.h"
#include "hawser/pipeline/packet.h"
#include "huge_memory.h"
#include "support/frame.h"

namespace hawser::bench {

// One end of a flow as its bytes lie in a packet: the last four of the address, and the port.
struct End {
  std::uint32_t address = 0;
  std::uint16_t port = 0;
};

// The client of flow `n`. No two of the 2^32 are the same; addresses are all over 10.0.0.0/8.
[[nodiscard]] inline End client_of(std::uint32_t n) noexcept {
  std::uint32_t x = n * 0x9e3779b1U;
  x ^= x >> 15;
  // Lowest byte first in the packet: 10 for the network, and a port from 16384 on.
  return {.address = x << 8 | 10U,
          .port = static_cast<std::uint16_t>((x >> 24) << 8 | 0x40U | ((x >> 18) & 0x3fU))};
}

class FrameTemplate {
 public:
  // `options`: of the TCP header, a multiple of four bytes. Short frames are padded to 60 bytes.
  explicit FrameTemplate(const tests::FrameSpec& spec, std::span<const std::uint8_t> options = {});

  // The frame between these two; `to` has room for whole cache lines.
  void write(std::uint8_t* to, const End& source, const End& destination) const noexcept {
    std::memcpy(to, bytes_.data(), 64);
    if (length_ > 64) std::memcpy(to + 64, bytes_.data() + 64, 64);
    store(to + source_at_, source.address);
    store(to + destination_at_, destination.address);
    store(to + ports_at_, source.port);
    store(to + ports_at_ + 2, destination.port);
    const std::uint64_t addresses = std::uint64_t{source.address} + destination.address;
    if (ip_checksum_at_ != 0) store(to + ip_checksum_at_, complement(ip_sum_ + addresses));
    store(to + transport_checksum_at_,
          complement(transport_sum_ + addresses + source.port + destination.port));
  }

  // The ends of a frame of this shape, as they stand in it now.
  [[nodiscard]] End source(const std::uint8_t* frame) const noexcept {
    return {load<std::uint32_t>(frame + source_at_), load<std::uint16_t>(frame + ports_at_)};
  }
  [[nodiscard]] End destination(const std::uint8_t* frame) const noexcept {
    return {load<std::uint32_t>(frame + destination_at_),
            load<std::uint16_t>(frame + ports_at_ + 2)};
  }
  [[nodiscard]] std::uint16_t length() const noexcept { return length_; }

 private:
  [[nodiscard]] static std::uint16_t complement(std::uint64_t sum) noexcept {
    return static_cast<std::uint16_t>(~net::fold(sum));
  }

  alignas(64) std::array<std::uint8_t, 128> bytes_{};
  std::uint16_t length_ = 0;
  std::size_t source_at_ = 0;
  std::size_t destination_at_ = 0;
  std::size_t ports_at_ = 0;
  std::size_t ip_checksum_at_ = 0;  // 0: there is none
  std::size_t transport_checksum_at_ = 0;
  std::uint64_t ip_sum_ = 0;         // of all that a frame does not replace
  std::uint64_t transport_sum_ = 0;  // likewise
};

// The low bytes of an address and a port, as a packet has them.
[[nodiscard]] inline End end_of(const net::IpAddress& address, std::uint16_t port) noexcept {
  return {load<std::uint32_t>(address.bytes.data() + address.size() - 4), net::Big16(port).raw()};
}

class PacketRing {
 public:
  static constexpr std::size_t kPackets = 4096;
  static constexpr std::size_t kStride = 2048;

  PacketRing() : memory_(kPackets * kStride) {}

  // The next buffer, behind its headroom.
  [[nodiscard]] std::uint8_t* next() noexcept {
    return memory_.span().data() + (next_++ % kPackets) * kStride + limits::kHeadroom;
  }

 private:
  HugeArray<std::uint8_t> memory_;
  std::size_t next_ = 0;
};

// What an adapter says of a frame in its buffer. Nothing is known of its checksums.
inline void describe(pipeline::Packet& packet, std::uint8_t* frame, std::uint16_t length) noexcept {
  packet = pipeline::Packet{};
  packet.data = frame;
  packet.length = length;
  packet.contiguous = length;
  packet.capacity = PacketRing::kStride - limits::kHeadroom;
}

}  // namespace hawser::bench
