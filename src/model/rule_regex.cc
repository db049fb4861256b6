// Regular expressions of rules, prepared so that they can stand behind a line's mark.
#include "rule_regex.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "hawser/base/limits.h"

namespace hawser::model {
namespace {

constexpr std::string_view kSwitches = "imsxUJ-";

// Behind the character class that begins at `at`; the end of the text if it does not end.
std::size_t skip_class(std::string_view text, std::size_t at) {
  ++at;
  if (at < text.size() && text[at] == '^') ++at;
  if (at < text.size() && text[at] == ']') ++at;
  while (at < text.size() && text[at] != ']') {
    if (text[at] == '\\') {
      at += 2;
    } else if (text.substr(at, 2) == "[:") {
      const std::size_t end = text.find(":]", at + 2);
      at = end == std::string_view::npos ? at + 1 : end + 2;
    } else {
      ++at;
    }
  }
  return std::min(at + 1, text.size());
}

// Behind the escape, class or single character that begins at `at`.
std::size_t skip_atom(std::string_view text, std::size_t at) {
  if (text[at] == '[') return skip_class(text, at);
  if (text[at] != '\\') return at + 1;
  // \c takes one character more.
  return std::min(at + (text.substr(at, 2) == "\\c" ? 3 : 2), text.size());
}

// Where the parenthesis that opens at `at` closes; nothing if it does not.
std::optional<std::size_t> closing(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    if (text[at] == '(') ++depth;
    if (text[at] == ')' && --depth == 0) return at;
    at = skip_atom(text, at);
  }
  return std::nullopt;
}

bool has_caret(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); at = skip_atom(text, at)) {
    if (text[at] == '^') return true;
  }
  return false;
}

// What stands between the | that are in no parentheses.
std::vector<std::string_view> alternatives(std::string_view text) {
  std::vector<std::string_view> found;
  std::size_t begin = 0;
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size(); at = skip_atom(text, at)) {
    if (text[at] == '(') ++depth;
    if (text[at] == ')' && depth > 0) --depth;
    if (text[at] != '|' || depth > 0) continue;
    found.push_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  found.push_back(text.substr(begin));
  return found;
}

// The letters of a group such as (?i) at the beginning, which holds for what follows it.
std::string_view leading_switches(std::string_view text) {
  if (!text.starts_with("(?")) return {};
  const std::size_t end = text.find_first_not_of(kSwitches, 2);
  if (end == std::string_view::npos || end == 2 || text[end] != ')') return {};
  return text.substr(0, end + 1);
}

bool is_quantifier(std::string_view rest) {
  return !rest.empty() && std::string_view("*+?{").find(rest.front()) != std::string_view::npos;
}

// Takes an expression apart until every ^ stands at the beginning of an alternative.
class Taker {
 public:
  // False when that is not possible.
  bool take(std::string_view text) {  // NOLINT(misc-no-recursion): as deep as parentheses nest
    for (const std::string_view alternative : alternatives(text)) {
      if (!take_one(alternative)) return false;
    }
    return true;
  }

  [[nodiscard]] std::string joined() const {
    std::string all = "(?:";
    std::string separator;
    for (const std::string& text : first_) {
      all += separator + text;
      separator = "|";
    }
    if (anywhere_.empty()) return all + ")";
    all += separator + "[^\\n]*(?:";
    separator.clear();
    for (const std::string& text : anywhere_) {
      all += separator + text;
      separator = "|";
    }
    return all + "))";
  }

 private:
  bool take_one(std::string_view text) {  // NOLINT(misc-no-recursion)
    if (first_.size() + anywhere_.size() >= limits::kMaxRuleAlternatives) return false;
    if (text.starts_with('^')) {
      do text.remove_prefix(1);
      while (text.starts_with('^'));
      if (is_quantifier(text) || has_caret(text)) return false;
      first_.emplace_back(text);
      return true;
    }
    if (!has_caret(text)) {
      anywhere_.emplace_back(text);
      return true;
    }
    return take_group(text);
  }

  // `(a|b)c` with a ^ in the parentheses is `ac` or `bc`.
  bool take_group(std::string_view text) {  // NOLINT(misc-no-recursion)
    const std::optional<std::size_t> end = closing(text, 0);
    if (text.front() != '(' || !end) return false;
    const std::string_view rest = text.substr(*end + 1);
    std::string_view inside = text.substr(1, *end - 1);
    if (inside.starts_with("?:")) inside.remove_prefix(2);
    if (inside.starts_with('?') || is_quantifier(rest) || has_caret(rest)) return false;
    for (const std::string_view alternative : alternatives(inside)) {
      std::string whole(alternative);
      // In parentheses, so that no escape at the end runs on.
      if (!rest.empty()) whole += fmt::format("(?:{})", rest);
      if (!take_one(whole)) return false;
    }
    return true;
  }

  std::vector<std::string> first_;  // without their ^
  std::vector<std::string> anywhere_;
};

Error whole_text(std::string_view what, std::string_view instead) {
  return fail(fmt::format("contains {}, which is about a whole text; write {}", what, instead));
}

// Of a group that begins with (?, at `rest`.
Result<void> check_group(std::string_view rest, bool first) {
  if (rest.starts_with('#')) return fail("contains a comment; remove it");
  const std::size_t end = std::min(rest.find_first_not_of(kSwitches), rest.size());
  const std::string_view letters = rest.substr(0, end);
  const std::size_t minus = std::min(letters.find('-'), letters.size());
  if (letters.substr(minus).find('m') != std::string_view::npos) {
    return fail("contains (?-m), without which ^ and $ never hold; remove it");
  }
  if (letters.substr(0, minus).find('x') != std::string_view::npos) {
    return fail("contains (?x); write it without blanks instead");
  }
  if (first || letters.empty() || end == rest.size() || rest[end] != ')') return {};
  return fail(
      fmt::format("contains (?{0}) behind something; write it at the beginning, or "
                  "(?{0}:...) around what it is for",
                  letters));
}

Result<void> check_parts(std::string_view text) {
  if (text.empty()) return fail("is empty; for any value write prefix = \"\"");
  for (std::size_t at = 0; at < text.size(); at = skip_atom(text, at)) {
    const std::string_view two = text.substr(at, 2);
    if (two == "\\A") return whole_text(two, "^");
    if (two == "\\Z" || two == "\\z") return whole_text(two, "$");
    if (two == "\\Q") return fail("contains \\Q; write \\ before each special character instead");
    if (two != "(?") continue;
    const Result<void> group = check_group(text.substr(at + 2), at == 0);
    if (!group) return group;
  }
  return {};
}

}  // namespace

Result<std::string> search_expression(std::string_view text) {
  const Result<void> sound = check_parts(text);
  if (!sound) return sound.error();
  const std::string_view switches = leading_switches(text);
  Taker taker;
  if (!taker.take(text.substr(switches.size()))) {
    return fail(
        "has a ^ with something before it, or too many of them; write it at the beginning of the "
        "expression or of an alternative");
  }
  return std::string(switches) + taker.joined();
}

}  // namespace hawser::model
