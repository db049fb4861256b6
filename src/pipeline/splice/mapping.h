// Mapping of sequence numbers from the sender of some bytes to their receiver and back.
//
// An insertion of n bytes lies before the byte `edit_at`: a segment that begins there carries it,
// one that ends there does not. An acknowledgement of a part of it acknowledges what lies before
// it.
#pragma once

#include <algorithm>

#include "hawser/pipeline/splice_table.h"

namespace hawser::pipeline {

using l4::Sequence;

[[nodiscard]] inline Sequence to_receiver(const Half& half, Sequence number) noexcept {
  const Sequence shifted = number + half.shift;
  return half.edit_length != 0 && number > half.edit_at ? shifted + half.edit_length : shifted;
}

[[nodiscard]] inline Sequence to_sender(const Half& half, Sequence number) noexcept {
  if (half.edit_length == 0) [[likely]]
    return number - half.shift;
  const Sequence at = half.edit_at + half.shift;
  if (number <= at) return number - half.shift;
  if (number >= at + half.edit_length) return number - half.shift - half.edit_length;
  return half.edit_at;
}

// Behind the last byte that we own; where nothing is owned, `own_at`.
[[nodiscard]] inline Sequence own_end(const Half& half) noexcept {
  return half.own_at + half.buffered + (half.own_fin ? 1U : 0U);
}
[[nodiscard]] inline bool owns_any(const Half& half) noexcept {
  return half.buffer != 0 || half.prelude != 0;
}

// A head lies in the buffer that has not found its place yet: incomplete, or its turn is to come.
[[nodiscard]] inline bool is_unplaced(const Half& half) noexcept {
  return half.buffer != 0 && half.next == half.own_at;
}

// What the sender may be told is acknowledged: by the receiver, or by us in its stead. What lies
// before our bytes only the receiver can acknowledge.
[[nodiscard]] inline Sequence told(const Half& half) noexcept {
  if (half.buffer == 0 || half.acked < half.own_at - half.prelude) [[likely]]
    return half.acked;
  const Sequence owned = half.own_at + half.buffered;
  return owned > half.acked ? owned : half.acked;
}

}  // namespace hawser::pipeline
