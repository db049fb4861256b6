// Checks values by kind: numbers, durations, names, words of a choice.
#include "value_checks.h"

#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "arguments.h"
#include "capture_syntax.h"
#include "hawser/base/duration.h"
#include "hawser/base/nearest.h"
#include "request_checks.h"

namespace hawser::ctl {
namespace {

std::optional<std::string> check_number(std::string_view text, std::uint64_t low,
                                        std::uint64_t high) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (whole && value >= low && value <= high) return std::nullopt;
  return fmt::format("must be a whole number from {} to {}", low, high);
}

std::optional<std::string> check_seconds(std::string_view text, std::uint64_t high) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (whole && value > 0 && value <= static_cast<double>(high)) return std::nullopt;
  return fmt::format("must be seconds above 0, up to {}", high);
}

std::optional<std::string> check_duration(std::string_view text, std::uint64_t low,
                                          std::uint64_t high) {
  const std::optional<std::uint64_t> seconds = read_duration(text);
  if (!seconds) {
    return "is no duration in whole seconds; write it like \"90s\", \"30m\", \"2h\" or 90";
  }
  if (*seconds >= low && *seconds <= high) return std::nullopt;
  return fmt::format("must be {} to {}", duration_text(low * 1000), duration_text(high * 1000));
}

std::optional<std::string> check_backend(std::string_view text) {
  const BackendName name = split_backend(text);
  const bool good = !name.backend.empty() && name.backend.find('/') == std::string::npos &&
                    !text.starts_with("/");
  if (good) return std::nullopt;
  return "must be SERVICE/BACKEND, or BACKEND when the name is unique";
}

// An optional argument that has one word only may as well be left out.
std::optional<std::string> check_choice(Value value, std::string_view text) {
  const std::span<const std::string_view> words = words_of(value);
  std::vector<std::string> known;
  std::string list;
  for (const std::string_view word : words) {
    if (word == text) return std::nullopt;
    known.emplace_back(word);
    list.append(list.empty() ? "" : ", ").append(word);
  }
  // A long list is for completion.
  constexpr std::size_t kMostWords = 12;
  if (words.size() > kMostWords) return fmt::format("is not known{}", suggestion(text, known));
  if (words.size() == 1) return fmt::format("must be {}, or left out", list);
  return fmt::format("must be one of {}{}", list, suggestion(text, known));
}

}  // namespace

std::optional<std::uint64_t> read_duration(std::string_view text) {
  std::uint64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) return seconds;
  const std::optional<std::uint64_t> milliseconds = parse_duration(text);
  if (!milliseconds || *milliseconds % 1000 != 0) return std::nullopt;
  return *milliseconds / 1000;
}

std::optional<std::string> check_value(Value value, std::string_view text, std::uint64_t low,
                                       std::uint64_t high) {
  switch (value) {
    case Value::kNumber:
      return check_number(text, low, high);
    case Value::kSeconds:
      return check_seconds(text, high);
    case Value::kDuration:
      return check_duration(text, low, high);
    case Value::kSort:
    case Value::kAction:
    case Value::kPlanned:
    case Value::kShell:
    case Value::kVerdict:
    case Value::kSide:
      return check_choice(value, text);
    case Value::kSample:
      if (parse_sample(text)) return std::nullopt;
      return fmt::format("must be 1/N, N from 1 to {}", limits::kMaxCaptureSample);
    case Value::kBackend:
      if (auto wrong = check_text(text)) return wrong;
      return check_backend(text);
    case Value::kWord:
      return check_word(text, high);
    case Value::kMethod:
      return check_method(text);
    case Value::kRequestTarget:
      return check_request_target(text);
    case Value::kHeader:
      return check_header(text);
    case Value::kCookie:
      return check_cookie(text);
    case Value::kEndpoint:
      return check_endpoint(text);
    case Value::kPath:
      if (text.empty()) return "must not be empty";
      return std::nullopt;
    case Value::kService:
    case Value::kTarget:
      if (text.empty()) return "must not be empty";
      return check_text(text);
    case Value::kText:
      return check_text(text);
    case Value::kFlag:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> parse_sample(std::string_view text) {
  constexpr std::string_view kOneOf = "1/";
  if (!text.starts_with(kOneOf)) return std::nullopt;
  text.remove_prefix(kOneOf.size());
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || value < 1 || value > limits::kMaxCaptureSample) return std::nullopt;
  return value;
}

}  // namespace hawser::ctl
