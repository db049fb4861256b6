// The chunked transfer coding, read just far enough to know where it ends (RFC 9112 section 7.1).
//
// A state of a few bytes, fed with bytes in order. Chunk data is not looked at: what must be fed
// next lies `skip` bytes further on.
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>

#include "hawser/l7/http_fault.h"

namespace hawser::l7 {

class ChunkedReader {
 public:
  enum class State : std::uint8_t { kReading, kSkipping, kComplete, kRefused };

  struct Step {
    State state = State::kReading;
    std::size_t used = 0;  // bytes of `bytes` that were read
    std::uint64_t skip =
        0;  // with kSkipping: bytes of chunk data that follow them, to be passed over
    HttpFault fault = HttpFault::kNone;  // with kRefused
  };

  // Reads on until all bytes are used (kReading), chunk data begins (kSkipping; call again behind
  // it), the body is complete (kComplete; `used` is behind its last byte) or something is wrong.
  // A reader that has completed or refused says so again to whatever else it is fed.
  [[nodiscard]] Step read(std::span<const std::uint8_t> bytes) noexcept;

 private:
  void take(std::uint8_t byte) noexcept;

  std::uint64_t size_ = 0;        // of the chunk whose size is being read
  std::uint16_t line_bytes_ = 0;  // of a size line with extension, or of all trailers
  std::uint8_t phase_ = 0;        // chunked.cc
  std::uint8_t digits_ = 0;       // of the size
};
static_assert(sizeof(ChunkedReader) <= 16 && std::is_trivially_copyable_v<ChunkedReader>);

}  // namespace hawser::l7
