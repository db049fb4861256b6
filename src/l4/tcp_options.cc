// Reading of TCP options, and their changes with what these do to the checksum.
#include "hawser/l4/tcp_options.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "hawser/base/bytes.h"
#include "hawser/base/contract.h"
#include "hawser/net/tcp.h"

namespace hawser::l4 {
namespace {

constexpr std::size_t kSackBlock = 8;

constexpr std::array<std::uint8_t, limits::kMaxTcpHeader> nops() noexcept {
  std::array<std::uint8_t, limits::kMaxTcpHeader> bytes{};
  for (std::uint8_t& byte : bytes) byte = kTcpOptionNop;
  return bytes;
}
constexpr auto kNops = nops();

// Steps from option to option, passing over NOPs.
class OptionWalk {
 public:
  explicit OptionWalk(std::span<const std::uint8_t> options) noexcept
      : reader_(options), size_(options.size()) {}

  // False at the end, be it proper or malformed.
  [[nodiscard]] bool next() noexcept {
    do {
      start_ = size_ - reader_.remaining();
      if (!reader_.read(kind_) || kind_ == kTcpOptionEnd) return false;
    } while (kind_ == kTcpOptionNop);
    std::uint8_t length = 0;
    malformed_ = !reader_.read(length) || length < 2 || !reader_.take(length - 2U, value_);
    return !malformed_;
  }

  [[nodiscard]] bool malformed() const noexcept { return malformed_; }
  [[nodiscard]] std::uint8_t kind() const noexcept { return kind_; }
  [[nodiscard]] std::span<const std::uint8_t> value() const noexcept { return value_; }
  // Where the option begins, or what ended the walk: bytes from the start of the options.
  [[nodiscard]] std::size_t start() const noexcept { return start_; }

 private:
  Reader reader_;
  std::span<const std::uint8_t> value_;
  std::size_t size_;
  std::size_t start_ = 0;
  std::uint8_t kind_ = kTcpOptionEnd;
  bool malformed_ = false;
};

bool read_timestamps(Reader value, TcpOptions& out) noexcept {
  net::Big32 own;
  net::Big32 echo;
  if (!value.read(own) || !value.read(echo) || value.remaining() != 0) return false;
  out.timestamps = TcpTimestamps{.value = own.host(), .echo = echo.host()};
  return true;
}

// False when the value has not the length of its kind.
bool read_option(std::uint8_t kind, std::span<const std::uint8_t> value, TcpOptions& out) noexcept {
  switch (kind) {
    case kTcpOptionMss:
      if (value.size() != 2) return false;
      out.mss = load<net::Big16>(value.data()).host();
      return true;
    case kTcpOptionWindowScale:
      if (value.size() != 1) return false;
      out.window_scale = std::min(value[0], limits::kMaxWindowScale);
      return true;
    case kTcpOptionSackPermitted:
      out.sack_permitted = true;
      return value.empty();
    case kTcpOptionSack:
      out.sack_blocks = static_cast<std::uint8_t>(value.size() / kSackBlock);
      return !value.empty() && value.size() % kSackBlock == 0;
    case kTcpOptionTimestamps:
      return read_timestamps(Reader(value), out);
    default:
      return true;
  }
}

std::span<const std::uint8_t> options_of(std::span<const std::uint8_t> header) noexcept {
  HAWSER_ASSERT(header.size() >= sizeof(net::TcpHeader) && header.size() % 4 == 0);
  HAWSER_ASSERT(header.size() <= limits::kMaxTcpHeader);
  return header.subspan(sizeof(net::TcpHeader));
}

// Puts `bytes` at `offset` of the header. The sum runs over words from the header's start, so all
// words that the bytes touch leave the sum with their old value and enter it with the new one:
// m and m' of RFC 1624 taken one at a time.
void overwrite(std::span<std::uint8_t> header, std::size_t offset,
               std::span<const std::uint8_t> bytes, net::ChecksumDelta& delta) noexcept {
  const std::size_t first = offset / 2 * 2;
  const std::size_t end = offset + bytes.size();
  for (std::size_t at = first; at < end; at += 2) {
    delta.change(load<net::Big16>(header.data() + at), net::Big16());
  }
  std::memcpy(header.data() + offset, bytes.data(), bytes.size());
  for (std::size_t at = first; at < end; at += 2) {
    delta.change(net::Big16(), load<net::Big16>(header.data() + at));
  }
}

}  // namespace

bool read_tcp_options(std::span<const std::uint8_t> options, TcpOptions& out) noexcept {
  OptionWalk walk(options);
  while (walk.next()) {
    if (!read_option(walk.kind(), walk.value(), out)) return false;
  }
  return !walk.malformed();
}

std::optional<TcpOptions> read_tcp_options(std::span<const std::uint8_t> options) noexcept {
  TcpOptions result;
  if (!read_tcp_options(options, result)) return std::nullopt;
  return result;
}

bool clamp_mss(std::span<std::uint8_t> tcp_header_with_options, std::uint16_t most,
               net::ChecksumDelta& delta) noexcept {
  bool changed = false;
  OptionWalk walk(options_of(tcp_header_with_options));
  while (walk.next()) {
    if (walk.kind() != kTcpOptionMss || walk.value().size() != 2) continue;
    if (load<net::Big16>(walk.value().data()).host() <= most) continue;
    std::array<std::uint8_t, 2> lowered{};
    store(lowered.data(), net::Big16(most));
    overwrite(tcp_header_with_options, sizeof(net::TcpHeader) + walk.start() + 2, lowered, delta);
    changed = true;
  }
  return changed;
}

bool blank_sack(std::span<std::uint8_t> tcp_header_with_options,
                net::ChecksumDelta& delta) noexcept {
  bool changed = false;
  OptionWalk walk(options_of(tcp_header_with_options));
  while (walk.next()) {
    if (walk.kind() != kTcpOptionSack) continue;
    overwrite(tcp_header_with_options, sizeof(net::TcpHeader) + walk.start(),
              std::span(kNops).first(2 + walk.value().size()), delta);
    changed = true;
  }
  return changed;
}

bool open_option_end(std::span<std::uint8_t> tcp_header_with_options,
                     net::ChecksumDelta& delta) noexcept {
  OptionWalk walk(options_of(tcp_header_with_options));
  while (walk.next()) {
  }
  const std::size_t end = sizeof(net::TcpHeader) + walk.start();
  if (walk.malformed() || end == tcp_header_with_options.size()) return false;
  overwrite(tcp_header_with_options, end,
            std::span(kNops).first(tcp_header_with_options.size() - end), delta);
  return true;
}

}  // namespace hawser::l4
