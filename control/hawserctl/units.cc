// Renders numbers with units.
#include "units.h"

#include <array>
#include <ctime>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace hawser::ctl {
namespace {

constexpr std::array<std::string_view, 7> kPrefixes{"", "k", "M", "G", "T", "P", "E"};

struct Scaled {
  double value = 0;
  std::string_view prefix;
};

// The bounds leave room for rounding: 999.95 and above would print as 1000.0.
Scaled scale(double value) {
  std::size_t power = 0;
  while (value >= 999.95 && power + 1 < kPrefixes.size()) {
    value /= 1000;
    ++power;
  }
  return {value, kPrefixes.at(power)};
}

// Three digits: 1.23 would promise more than a glance needs, so one decimal.
std::string with_unit(double value, std::string_view unit) {
  const Scaled scaled = scale(value);
  if (scaled.prefix.empty()) return fmt::format("{:.0f} {}", scaled.value, unit);
  return fmt::format("{:.1f} {}{}", scaled.value, scaled.prefix, unit);
}

}  // namespace

std::string human_count(std::uint64_t value) {
  if (value < 10'000) return fmt::format("{}", value);
  const Scaled scaled = scale(static_cast<double>(value));
  return fmt::format("{:.1f} {}", scaled.value, scaled.prefix);
}

std::string human_rate(double per_second) {
  if (per_second <= 0) return "0";
  if (per_second < 9.95) return fmt::format("{:.1f}", per_second);
  if (per_second < 9'999.5) return fmt::format("{:.0f}", per_second);
  const Scaled scaled = scale(per_second);
  return fmt::format("{:.1f} {}", scaled.value, scaled.prefix);
}

std::string human_bytes(std::uint64_t bytes) {
  return with_unit(static_cast<double>(bytes), "B");
}

std::string human_bits(double bits_per_second) {
  return with_unit(bits_per_second > 0 ? bits_per_second : 0, "bit/s");
}

std::string human_share(double share) {
  return fmt::format("{:.1f} %", share * 100);
}

std::string human_microseconds(std::uint64_t microseconds) {
  constexpr double kThousand = 1000;
  const auto value = static_cast<double>(microseconds);
  // The bounds leave room for rounding, as in scale().
  if (microseconds < 1000) return fmt::format("{} us", microseconds);
  if (value / kThousand < 999.95) return fmt::format("{:.1f} ms", value / kThousand);
  return fmt::format("{:.1f} s", value / kThousand / kThousand);
}

std::string human_duration(std::uint64_t seconds) {
  constexpr std::uint64_t kMinute = 60;
  constexpr std::uint64_t kHour = 60 * kMinute;
  constexpr std::uint64_t kDay = 24 * kHour;
  const auto two = [](std::uint64_t large, std::string_view large_unit, std::uint64_t small,
                      std::string_view small_unit) {
    if (small == 0) return fmt::format("{} {}", large, large_unit);
    return fmt::format("{} {} {} {}", large, large_unit, small, small_unit);
  };
  if (seconds < kMinute) return fmt::format("{} s", seconds);
  if (seconds < kHour) return fmt::format("{} min", seconds / kMinute);
  if (seconds < kDay) return two(seconds / kHour, "h", seconds % kHour / kMinute, "min");
  return two(seconds / kDay, "d", seconds % kDay / kHour, "h");
}

std::string human_ago(std::uint64_t then_unix, std::uint64_t now_unix) {
  if (then_unix == 0) return "-";
  if (now_unix <= then_unix) return "just now";
  return human_duration(now_unix - then_unix) + " ago";
}

std::string utc_text(std::uint64_t unix_seconds) {
  constexpr std::uint64_t kYear10000 = 253'402'300'800;
  if (unix_seconds == 0 || unix_seconds >= kYear10000) return "";
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(unix_seconds)));
}

std::string utc_near(std::uint64_t unix_seconds, std::uint64_t now_unix) {
  constexpr std::uint64_t kHalfDay = 12ULL * 3600;
  constexpr std::size_t kDate = 11;  // "2026-03-02 "
  const std::string text = utc_text(unix_seconds);
  if (text.empty()) return text;
  const std::uint64_t away =
      unix_seconds > now_unix ? unix_seconds - now_unix : now_unix - unix_seconds;
  return (away < kHalfDay ? text.substr(kDate) : text) + " UTC";
}

std::string counted(std::uint64_t count, const std::string& noun) {
  return human_count(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace hawser::ctl
