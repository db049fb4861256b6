// Numbers, times and shares as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace hawser::ctl {

// 9999, 12.3 k, 1.2 M: exact below ten thousand, then three digits and a decimal prefix.
[[nodiscard]] std::string human_count(std::uint64_t value);
// The same for a rate: 0.5, 12, 1.2 M.
[[nodiscard]] std::string human_rate(double per_second);
// 512 B, 1.5 kB, 3.4 GB: decimal prefixes.
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);
// 0 bit/s, 640 bit/s, 3.4 Gbit/s.
[[nodiscard]] std::string human_bits(double bits_per_second);
// 0.4273 -> 42.7 %.
[[nodiscard]] std::string human_share(double share);
// 850 us, 1.2 ms, 3.4 s.
[[nodiscard]] std::string human_microseconds(std::uint64_t microseconds);
// 42 s, 3 min, 2 h 5 min, 3 d 4 h.
[[nodiscard]] std::string human_duration(std::uint64_t seconds);
// "3 min ago", "just now"; "-" for a time that is not known (0).
[[nodiscard]] std::string human_ago(std::uint64_t then_unix, std::uint64_t now_unix);
// "2026-03-02 08:15:40", in UTC; empty for a moment that is not known (0), or that no calendar has.
[[nodiscard]] std::string utc_text(std::uint64_t unix_seconds);
// "08:15:40 UTC", with the date when that is half a day or more from now.
[[nodiscard]] std::string utc_near(std::uint64_t unix_seconds, std::uint64_t now_unix);
// "1 flow", "12.3 k flows".
[[nodiscard]] std::string counted(std::uint64_t count, const std::string& noun);

}  // namespace hawser::ctl
