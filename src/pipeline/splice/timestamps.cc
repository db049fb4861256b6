// Adds the timestamps option to segments of backends that did not agree to it.
#include "timestamps.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "../nat_rewrite.h"
#include "../proxy_segment.h"

namespace hawser::pipeline {
namespace {

constexpr std::size_t kMostOptions = limits::kMaxTcpHeader - sizeof(net::TcpHeader);
constexpr std::size_t kBlockBytes = 8;
constexpr std::size_t kMostBlocks = 3;

struct Options {
  std::array<std::uint8_t, kMostOptions> bytes;
  std::size_t size = 0;

  Options() noexcept { bytes.fill(l4::kTcpOptionNop); }
};

// The SACK option of well-formed options, kind and length included; empty: there is none.
std::span<const std::uint8_t> find_sack(std::span<const std::uint8_t> options) noexcept {
  std::size_t at = 0;
  while (at + 1 < options.size() && options[at] != l4::kTcpOptionEnd) {
    if (options[at] == l4::kTcpOptionNop) {
      ++at;
      continue;
    }
    const std::size_t length = options[at + 1];
    if (length < 2 || at + length > options.size()) break;
    if (options[at] == l4::kTcpOptionSack) return options.subspan(at, length);
    at += length;
  }
  return {};
}

void put_timestamps(Options& out, std::uint32_t value, std::uint32_t echo) noexcept {
  std::uint8_t* const at = out.bytes.data() + 2;  // behind two NOPs
  at[0] = l4::kTcpOptionTimestamps;
  at[1] = 10;
  store(at + 2, net::Big32(value));
  store(at + 6, net::Big32(echo));
  out.size += kTimestampsBytes;
}

void put_sack(Options& out, std::span<const std::uint8_t> sack) noexcept {
  if (sack.empty()) return;
  const std::size_t blocks = std::min((sack.size() - 2) / kBlockBytes, kMostBlocks);
  const std::size_t length = 2 + blocks * kBlockBytes;
  std::uint8_t* const at = out.bytes.data() + out.size + 2;  // behind two NOPs
  at[0] = l4::kTcpOptionSack;
  at[1] = static_cast<std::uint8_t>(length);
  std::memcpy(at + 2, sack.data() + 2, length - 2);
  out.size += 2 + length;
}

}  // namespace

void add_timestamps(Packet& packet, Segment& segment, const Side& server,
                    const Context& context) noexcept {
  if (!lacks_timestamps(server.connection) || segment.has(net::kTcpSyn)) return;
  // A segment of the largest frames may have to be held, and must not be too long when it comes
  // again; without the option it is taken as well.
  if (std::size_t{packet.length} + kTimestampsBytes > limits::kMaxFrame) return;
  const std::size_t present = segment.header - sizeof(net::TcpHeader);
  const std::size_t begin = packet.l4_offset + sizeof(net::TcpHeader);
  Options made;
  put_timestamps(made, context.now_ms, server.exchange.client_timestamp);
  if (segment.options.sack_blocks != 0) put_sack(made, find_sack({packet.data + begin, present}));
  net::ChecksumDelta delta;
  if (made.size > present) {
    const Options padding;
    insert_option(packet, {padding.bytes.data(), made.size - present}, delta);
  } else {
    made.size = present;  // NOPs fill what is left
  }
  std::uint8_t* const at = packet.data + begin;
  const auto sum = [&] { return net::Big16::from_raw(net::fold(net::sum_bytes({at, made.size}))); };
  const net::Big16 before = sum();
  std::memcpy(at, made.bytes.data(), made.size);
  delta.change(before, sum());
  update_transport_checksum(packet, delta);
  segment = read_segment(packet);
}

}  // namespace hawser::pipeline
