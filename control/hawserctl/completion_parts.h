// What the completion scripts of all shells are made of.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "commands.h"

namespace hawser::ctl {

// What completes a value: "path", "service", "backend", "target" (either); "words" where
// words_of() has them; "flag" where there is no value; "none" where nobody can know.
[[nodiscard]] std::string_view kind_of(Value value);

// In the order of the table.
[[nodiscard]] std::vector<Verb> shown_verbs();

// The words of `rows`, each made by `word`, with `gap` between.
template <typename Rows, typename Word>
std::string joined(const Rows& rows, const Word& word, std::string_view gap = " ") {
  std::string out;
  for (const auto& row : rows) {
    if (!out.empty()) out += gap;
    out += word(row);
  }
  return out;
}

[[nodiscard]] std::string words_text(Value value, std::string_view gap = " ");

// Replaces each @WORD@ of `script` once, in the order of `fills`.
[[nodiscard]] std::string fill_in(std::string_view script,
                                  std::span<const std::pair<std::string_view, std::string>> fills);

}  // namespace hawser::ctl
