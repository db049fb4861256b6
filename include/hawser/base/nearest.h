// The known word nearest to a misspelt one, for "did you mean".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hawser {

// Edits (insert, delete, substitute, swap of neighbours) that turn `a` into `b`.
// Optimal string alignment distance; O(|a|·|b|).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The word of `known` with the fewest edits from `word`, if that is at most a third of its length
// (at least one). The first of equals.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 std::span<const std::string> known);

// `(did you mean "x"?)` with a leading space, or nothing when no known word is near.
[[nodiscard]] std::string suggestion(std::string_view word, std::span<const std::string> known);

}  // namespace hawser
