// Whether a word of the command line is what the table of commands asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "commands.h"

namespace hawser::ctl {

// What is wrong with a value; nothing when it is good. `low` and `high` as in the table.
[[nodiscard]] std::optional<std::string> check_value(Value value, std::string_view text,
                                                     std::uint64_t low, std::uint64_t high);

// Seconds; nothing when it is no duration, or no whole number of them.
[[nodiscard]] std::optional<std::uint64_t> read_duration(std::string_view text);

}  // namespace hawser::ctl
