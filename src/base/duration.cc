// Reads and writes lengths of time by the table of their units.
#include "hawser/base/duration.h"

#include <array>
#include <charconv>

#include "hawser/base/limits.h"

namespace hawser {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t milliseconds;
};
constexpr std::array<Unit, 5> kUnits{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

}  // namespace

std::optional<std::uint64_t> parse_duration(std::string_view text) {
  std::uint64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || count > limits::kMaxDurationCount) return std::nullopt;
  const std::string_view name(rest, static_cast<std::size_t>(end - rest));
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return count * unit.milliseconds;
  }
  return std::nullopt;
}

std::string duration_text(std::uint64_t milliseconds) {
  const Unit* best = kUnits.data();
  for (const Unit& unit : kUnits) {
    if (milliseconds % unit.milliseconds == 0) best = &unit;
  }
  return std::to_string(milliseconds / best->milliseconds).append(best->name);
}

}  // namespace hawser
