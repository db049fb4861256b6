// The chunked transfer coding as a machine of one byte a step; chunk data is passed over whole.
#include "hawser/l7/chunked.h"

#include "hawser/base/limits.h"
#include "hawser/l7/byte_scan.h"

namespace hawser::l7 {
namespace {

enum class Phase : std::uint8_t {
  kSize,          // hexadecimal digits
  kBlank,         // between a size and its extension
  kExtension,     // from ";" on
  kSizeLf,        // behind the CR of a size
  kData,          // chunk data comes next
  kDataCr,        // behind the data
  kDataLf,        // behind the CR there
  kTrailer,       // at the start of a trailer, or of the empty line that ends the body
  kTrailerName,   // before the colon
  kTrailerValue,  // behind it
  kTrailerLf,     // behind the CR of a trailer
  kLastLf,        // behind the CR of the empty line
  kEnd,           // the body is complete
  kWrongSize,     // refused, from here on
  kWrongEnd,
  kWrongTrailer,
};
using enum Phase;

// 16 for what is no digit.
constexpr unsigned hex_value(std::uint8_t byte) noexcept {
  if (byte >= '0' && byte <= '9') return static_cast<unsigned>(byte - '0');
  const unsigned lower = byte | 0x20U;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 16;
}

// Behind the last digit. Blanks may only stand before an extension (RFC 9112 section 7.1.1).
constexpr Phase behind_size(Phase phase, std::uint8_t byte) noexcept {
  if (byte == ';') return kExtension;
  if (byte == ' ' || byte == '\t') return kBlank;
  if (phase == kBlank) return kWrongSize;
  if (byte == '\r') return kSizeLf;
  return byte == '\n' ? kWrongEnd : kWrongSize;
}

// Extensions mean nothing here (RFC 9112 section 7.1.1); only where their line ends does.
constexpr Phase in_extension(std::uint8_t byte) noexcept {
  if (byte == '\r') return kSizeLf;
  if (byte == '\n') return kWrongEnd;
  return kByteTable<ByteSet::kValue>[byte] ? kExtension : kWrongSize;
}

constexpr Phase in_trailer(Phase phase, std::uint8_t byte) noexcept {
  if (phase == kTrailerValue) {
    if (byte == '\r') return kTrailerLf;
    return kByteTable<ByteSet::kValue>[byte] ? kTrailerValue : kWrongTrailer;
  }
  if (phase == kTrailer && byte == '\r') return kLastLf;
  if (phase == kTrailerName && byte == ':') return kTrailerValue;
  return kByteTable<ByteSet::kToken>[byte] ? kTrailerName : kWrongTrailer;
}

// The phase after the next byte; digits of a size are not for this.
constexpr Phase next_phase(Phase phase, std::uint8_t byte, bool is_last_chunk) noexcept {
  switch (phase) {
    case kSize:
    case kBlank:
      return behind_size(phase, byte);
    case kExtension:
      return in_extension(byte);
    case kSizeLf:
      if (byte != '\n') return kWrongEnd;
      return is_last_chunk ? kTrailer : kData;
    case kDataCr:
      return byte == '\r' ? kDataLf : kWrongEnd;
    case kDataLf:
      return byte == '\n' ? kSize : kWrongEnd;
    case kTrailer:
    case kTrailerName:
    case kTrailerValue:
      return in_trailer(phase, byte);
    case kTrailerLf:
      return byte == '\n' ? kTrailer : kWrongTrailer;
    case kLastLf:
      return byte == '\n' ? kEnd : kWrongTrailer;
    case kData:
    case kEnd:
    case kWrongSize:
    case kWrongEnd:
    case kWrongTrailer:
      break;
  }
  return phase;
}

constexpr HttpFault fault_of(Phase phase) noexcept {
  if (phase == kWrongSize) return HttpFault::kBadChunkSize;
  if (phase == kWrongEnd) return HttpFault::kBadChunkEnd;
  return phase == kWrongTrailer ? HttpFault::kBadTrailer : HttpFault::kNone;
}

constexpr bool is_trailers(Phase phase) noexcept {
  return phase >= kTrailer && phase <= kLastLf;
}

}  // namespace

// One byte on; the phase is kept in `phase_`. The byte that is refused is not counted as used.
void ChunkedReader::take(std::uint8_t byte) noexcept {
  const auto phase = static_cast<Phase>(phase_);
  const unsigned digit = hex_value(byte);
  Phase next = phase;
  if (phase == kSize && digit < 16) {
    // Leading zeros count as well: nobody needs more digits than the largest size has.
    const bool fits =
        digits_ < limits::kMaxChunkDigits && size_ <= (limits::kMaxContentLength >> 4U);
    size_ = size_ << 4U | digit;
    ++digits_;
    if (!fits) next = kWrongSize;
  } else {
    next = phase == kSize && digits_ == 0 ? kWrongSize : next_phase(phase, byte, size_ == 0);
  }
  ++line_bytes_;
  if (line_bytes_ > (is_trailers(phase) ? limits::kMaxTrailers : limits::kMaxChunkLine)) {
    next = is_trailers(phase) ? kWrongTrailer : kWrongSize;
  }
  const bool line_is_over = next == kData || (phase == kDataLf && next == kSize) ||
                            (phase == kSizeLf && next == kTrailer);
  if (line_is_over) line_bytes_ = 0;
  phase_ = static_cast<std::uint8_t>(next);
}

ChunkedReader::Step ChunkedReader::read(std::span<const std::uint8_t> bytes) noexcept {
  // The data was passed over since the last call.
  if (phase_ == static_cast<std::uint8_t>(kData)) {
    phase_ = static_cast<std::uint8_t>(kDataCr);
    size_ = 0;
    digits_ = 0;
  }
  Step step;
  for (;;) {
    const auto phase = static_cast<Phase>(phase_);
    step.fault = fault_of(phase);
    if (step.fault != HttpFault::kNone) {
      step.state = State::kRefused;
    } else if (phase == kEnd) {
      step.state = State::kComplete;
    } else if (phase == kData) {
      step.state = State::kSkipping;
      step.skip = size_;
    } else if (step.used < bytes.size()) {
      take(bytes[step.used]);
      if (fault_of(static_cast<Phase>(phase_)) == HttpFault::kNone) ++step.used;
      continue;
    }
    return step;
  }
}

}  // namespace hawser::l7
