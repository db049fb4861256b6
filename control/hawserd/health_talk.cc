// Talks: what a check says once it is connected, and what it makes of the answer.
#include "health_talk.h"

#include <algorithm>

#include <fmt/format.h>

#include "hawser/base/limits.h"

namespace hawser::control {

std::string shown(std::string_view bytes) {
  constexpr std::size_t kShown = 60;
  std::string text(bytes.substr(0, kShown));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '.';
  }
  return bytes.size() > kShown ? text + "..." : text;
}

// --- HTTP ----------------------------------------------------------------------------------------

std::string http_request(const model::HttpCheck& http, const std::string& where) {
  const auto has = [&](std::string_view name) {
    return std::any_of(http.headers.begin(), http.headers.end(),
                       [&](const model::HeaderField& field) { return field.name == name; });
  };
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", to_string(http.method),
                                 http.path, http.host.empty() ? where : http.host);
  if (!has("User-Agent")) text += "User-Agent: hawser-check/" HAWSER_VERSION "\r\n";
  if (!has("Accept")) text += "Accept: */*\r\n";
  for (const model::HeaderField& field : http.headers) {
    text += field.name + ": " + field.value + "\r\n";
  }
  if (http.method == model::HttpMethod::kPost) text += "Content-Length: 0\r\n";
  return text + "Connection: close\r\n\r\n";
}

std::optional<Outcome> HttpTalk::take(std::string_view bytes) {
  any_ = true;
  answer_.take(bytes);
  return judge();
}

Outcome HttpTalk::end() {
  answer_.end();
  const std::optional<Outcome> outcome = judge();
  return outcome ? *outcome : Outcome{.passed = false, .text = answer_.fault()};
}

std::string HttpTalk::overdue(std::uint32_t timeout_ms) const {
  return fmt::format("{} in {} ms", any_ ? "the answer was not complete" : "no answer", timeout_ms);
}

std::optional<Outcome> HttpTalk::judge() const {
  switch (answer_.state()) {
    case HttpAnswer::State::kHead:
      return std::nullopt;
    case HttpAnswer::State::kBroken:
      return Outcome{.passed = false, .text = answer_.fault()};
    case HttpAnswer::State::kBody:
    case HttpAnswer::State::kDone:
      break;
  }
  if (std::optional<Outcome> fault = head_fault()) return fault;
  if (http_.body.empty() && pattern_ == nullptr) {
    return Outcome{.passed = true, .text = fmt::format("{}", answer_.status())};
  }
  if (answer_.state() == HttpAnswer::State::kDone) return judge_body();
  return std::nullopt;
}

// What is wrong with status or headers.
std::optional<Outcome> HttpTalk::head_fault() const {
  const std::uint32_t status = answer_.status();
  if (status < http_.status_low || status > http_.status_high) {
    const std::string range = http_.status_low == http_.status_high
                                  ? fmt::format("{}", http_.status_low)
                                  : fmt::format("{} to {}", http_.status_low, http_.status_high);
    return Outcome{.passed = false, .text = fmt::format("{}, expected {}", status, range)};
  }
  if (http_.header.name.empty()) return std::nullopt;
  const std::optional<std::string> value = answer_.header(http_.header.name);
  if (!value) {
    return Outcome{.passed = false,
                   .text = fmt::format("{}, but without header {}", status, http_.header.name)};
  }
  if (!http_.header.value.empty() && *value != http_.header.value) {
    return Outcome{.passed = false,
                   .text = fmt::format("{}, but header {} is \"{}\", expected \"{}\"", status,
                                       http_.header.name, shown(*value), http_.header.value)};
  }
  return std::nullopt;
}

Outcome HttpTalk::judge_body() const {
  const std::uint32_t status = answer_.status();
  if (answer_.body().find(http_.body) == std::string::npos) {
    return {.passed = false,
            .text = fmt::format("{}, but the body lacks \"{}\"", status, http_.body)};
  }
  if (pattern_ != nullptr && !pattern_->matches(answer_.body())) {
    return {
        .passed = false,
        .text = fmt::format("{}, but the body does not match \"{}\"", status, http_.body_regex)};
  }
  return {.passed = true, .text = fmt::format("{}", status)};
}

// --- bytes ---------------------------------------------------------------------------------------

std::optional<Outcome> BytesTalk::take(std::string_view bytes) {
  const std::string& expected = check_.expect;
  got_.append(bytes.substr(0, expected.size() - std::min(got_.size(), expected.size())));
  if (expected.compare(0, got_.size(), got_) != 0) return unexpected();
  if (got_.size() < expected.size()) return std::nullopt;
  return Outcome{.passed = true, .text = fmt::format("\"{}\"", shown(got_))};
}

Outcome BytesTalk::unexpected() const {
  return {
      .passed = false,
      .text = fmt::format("answered \"{}\", expected \"{}\"", shown(got_), shown(check_.expect))};
}

Outcome BytesTalk::end() {
  if (!got_.empty()) return unexpected();
  return {.passed = false, .text = "closed without an answer"};
}

std::string BytesTalk::overdue(std::uint32_t timeout_ms) const {
  return fmt::format("{} in {} ms", got_.empty() ? "no answer" : "the answer was not complete",
                     timeout_ms);
}

// --- agents --------------------------------------------------------------------------------------

std::optional<Outcome> AgentTalk::take(std::string_view bytes) {
  const std::size_t end = bytes.find_first_of("\r\n");
  line_.append(bytes.substr(0, std::min(end, bytes.size())));
  if (line_.size() > limits::kMaxAgentLine) {
    return Outcome{.passed = false, .text = "the agent's line is longer than 4096 bytes"};
  }
  if (end == std::string_view::npos) return std::nullopt;
  return Outcome{.passed = true, .text = line_};
}

// A line without its end may be half a line: "up" or "drain" of "drain, up".
Outcome AgentTalk::end() {
  return {.passed = false,
          .text = line_.empty() ? "the agent closed without an answer"
                                : "the agent closed in the middle of its line"};
}

std::string AgentTalk::overdue(std::uint32_t timeout_ms) const {
  return fmt::format("the agent did not {} in {} ms", line_.empty() ? "answer" : "finish its line",
                     timeout_ms);
}

}  // namespace hawser::control
