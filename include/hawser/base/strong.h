// Strong<Tag, T>: a number with a meaning, which does not convert to one with another meaning.
#pragma once

#include <compare>
#include <cstdint>

namespace hawser {

template <typename Tag, typename T>
struct Strong {
  using underlying = T;
  T value{};

  constexpr Strong() = default;
  constexpr explicit Strong(T v) : value(v) {}

  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
};

// A service of the running snapshot. Stable over snapshots while any flow refers to it; 0 is none.
using ServiceId = Strong<struct ServiceIdTag, std::uint16_t>;
// A backend of one service in the running snapshot; stable like ServiceId; 0 is none (20 bits).
using BackendId = Strong<struct BackendIdTag, std::uint32_t>;
using WorkerId = Strong<struct WorkerIdTag, std::uint16_t>;
using PortId = Strong<struct PortIdTag, std::uint16_t>;
// Rises by at least one with every snapshot; 0 is "no snapshot yet".
using Epoch = Strong<struct EpochTag, std::uint64_t>;

}  // namespace hawser
