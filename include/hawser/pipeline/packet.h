// Packet: one frame on its way, and Burst: those handled together.
//
// A Packet refers to the frame where it lies (an mbuf, a test's buffer) and carries what the stages
// found out about it. One cache line each. Written by one worker at a time. Before `data` there are
// limits::kHeadroom bytes that may be written: a stage that adds a header moves `data` back.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <type_traits>

#include "hawser/base/limits.h"
#include "hawser/base/strong.h"
#include "hawser/net/address.h"
#include "hawser/pipeline/verdict.h"

namespace hawser::pipeline {

// What the port already knows about checksums; without offload everything is unknown.
enum class ChecksumSeen : std::uint8_t { kUnknown, kGood, kBad };

// What lies behind the Ethernet header, found by parse.
enum class Layer3 : std::uint8_t { kOther, kArp, kIp };

// What part of a flow's packet this is, found by parse and icmp.
enum class Part : std::uint8_t {
  kWhole,
  kFirstFragment,  // with the transport header
  kLaterFragment,  // without: `ports` come from the fragment table
  kQuoted,  // an ICMP error; protocol and ports are those of the packet it quotes, turned round
};

// Where a packet belongs, found by classify.
enum class Direction : std::uint8_t {
  kToBackend,  // from a client to a service
  kToClient,   // from a backend to a NAT address
};

struct alignas(64) Packet {
  std::uint8_t* data = nullptr;  // the Ethernet header
  void* handle = nullptr;        // the adapter's own: an mbuf, or nothing in tests
  std::uint64_t hash = 0;        // of the flow; set by lookup
  BackendId backend;             // set by lookup or admit
  std::uint16_t length = 0;      // bytes of the frame; a stage may change it
  std::uint16_t contiguous = 0;  // bytes that lie at `data`; the rest may be elsewhere
  std::uint16_t capacity = 0;    // bytes that may be written at `data`; for answers that grow
  std::uint16_t l4_offset = 0;   // from `data`
  std::uint16_t l4_length = 0;   // transport header and payload, bytes
  net::Big16 source_port;        // of the transport; of the flow's client when quoted
  net::Big16 destination_port;
  ServiceId service;  // set by classify
  PortId port_in;
  PortId port_out;
  std::uint16_t nat_port = 0;    // local port of the NAT flow, host order
  WorkerId worker;               // with kHandOff: who owns the flow
  std::uint8_t nat_address = 0;  // slot of the NAT address
  std::uint8_t l3_offset = 0;    // from `data`: behind the Ethernet header and its VLAN tag
  std::uint8_t protocol = 0;     // of the transport
  std::uint8_t tcp_flags = 0;
  net::Family family = net::Family::kIpv4;
  Layer3 layer3 = Layer3::kOther;
  Direction direction = Direction::kToBackend;
  Part part = Part::kWhole;
  ChecksumSeen ip_checksum = ChecksumSeen::kUnknown;
  ChecksumSeen transport_checksum = ChecksumSeen::kUnknown;
  // What is wrong above IP. It becomes the verdict only if the packet is for a service: what is for
  // the kernel is the kernel's to judge.
  Verdict fault = Verdict::kUndecided;
  Verdict verdict = Verdict::kUndecided;

  [[nodiscard]] bool undecided() const noexcept { return verdict == Verdict::kUndecided; }
};
static_assert(sizeof(Packet) == 64);
static_assert(std::is_trivially_copyable_v<Packet>);

struct Burst {
  using Mask = std::uint32_t;  // a bit for each packet
  static_assert(limits::kBurst <= 32);

  // The packets whose bits are set, one after the other.
  class Chosen {
   public:
    Chosen(Packet* packets, Mask mask) noexcept : packets_(packets), mask_(mask) {}
    [[nodiscard]] Chosen begin() const noexcept { return *this; }
    [[nodiscard]] Chosen end() const noexcept { return {packets_, 0}; }
    [[nodiscard]] Packet& operator*() const noexcept { return packets_[std::countr_zero(mask_)]; }
    Chosen& operator++() noexcept {
      mask_ &= mask_ - 1;
      return *this;
    }
    [[nodiscard]] bool operator!=(const Chosen& other) const noexcept {
      return mask_ != other.mask_;
    }

   private:
    Packet* packets_;
    Mask mask_;
  };

  std::array<Packet, limits::kBurst> packets;
  std::uint32_t size = 0;
  Mask known = 0;      // those that recognise knew: nothing up to admit is left to do for them
  bool again = false;  // its packets were held: they have been here before

  [[nodiscard]] std::span<Packet> span() noexcept { return {packets.data(), size}; }
  [[nodiscard]] Mask all() const noexcept {
    return static_cast<Mask>((std::uint64_t{1} << size) - 1);
  }
  [[nodiscard]] Chosen recognised() noexcept { return {packets.data(), known}; }
  // Those that recognise did not know.
  [[nodiscard]] Chosen unknown() noexcept { return {packets.data(), all() & ~known}; }
};

}  // namespace hawser::pipeline
