// HttpAnswer: reads the response to one request of a check, HTTP/1.0 or 1.1, byte by byte bounded.
#include "http_answer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "hawser/base/limits.h"

namespace hawser::control {
namespace {

constexpr std::string_view kNoHttp = "the answer is no HTTP/1";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// A whole number in `base` and nothing else.
std::optional<std::uint64_t> number_of(std::string_view text, int base) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || error != std::errc() || rest != end) return std::nullopt;
  return value;
}

}  // namespace

HttpAnswer::State HttpAnswer::broken(std::string reason) {
  fault_ = std::move(reason);
  state_ = State::kBroken;
  return state_;
}

HttpAnswer::State HttpAnswer::take(std::string_view bytes) {
  while (state_ == State::kHead && !bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::size_t part = end == std::string_view::npos ? bytes.size() : end + 1;
    head_bytes_ += part;
    if (head_bytes_ > limits::kMaxCheckHead) {
      return broken("the answer's head is longer than 32 KiB");
    }
    pending_.append(bytes.substr(0, part));
    bytes.remove_prefix(part);
    // What is no HTTP need not be waited for.
    constexpr std::string_view kBegin = "HTTP/1.";
    if (begins_ && kBegin.compare(0, pending_.size(), pending_, 0, kBegin.size()) != 0) {
      return broken(std::string(kNoHttp));
    }
    if (end == std::string_view::npos) return state_;
    std::string line = std::exchange(pending_, {});
    line.pop_back();
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!take_head_line(line)) return broken(std::string(kNoHttp));
  }
  if (state_ == State::kBody && !bytes.empty()) take_body(bytes);
  return state_;
}

// False: it is no HTTP.
bool HttpAnswer::take_head_line(std::string_view line) {
  if (begins_) {
    begins_ = false;
    fields_.clear();
    return read_status_line(line);
  }
  if (!line.empty()) return read_field(line);
  // 100 Continue, 103 Early Hints; 101 would change the protocol, which nobody asked for.
  constexpr std::uint32_t kSwitching = 101;
  begins_ = status_ < 200 && status_ != kSwitching;
  if (!begins_) choose_framing();
  return true;
}

// "HTTP/1.1 200 OK"
bool HttpAnswer::read_status_line(std::string_view line) {
  constexpr std::size_t kStatusAt = 9;
  constexpr std::size_t kStatusDigits = 3;
  if (line.size() < kStatusAt + kStatusDigits || line[kStatusAt - 1] != ' ') return false;
  if (line[kStatusAt - 2] < '0' || line[kStatusAt - 2] > '9') return false;
  if (line.size() > kStatusAt + kStatusDigits && line[kStatusAt + kStatusDigits] != ' ') {
    return false;
  }
  const std::optional<std::uint64_t> status = number_of(line.substr(kStatusAt, kStatusDigits), 10);
  if (!status || *status < limits::kMinHttpStatus) return false;
  status_ = static_cast<std::uint32_t>(*status);
  return true;
}

bool HttpAnswer::read_field(std::string_view line) {
  // A line folded by the old rules belongs to the field before it (RFC 9112 section 5.2).
  if (line.front() == ' ' || line.front() == '\t') {
    if (fields_.empty()) return false;
    fields_.back().value += " " + std::string(trimmed(line));
    return true;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  fields_.push_back(
      {std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1)))});
  return true;
}

std::optional<std::string> HttpAnswer::header(std::string_view name) const {
  std::optional<std::string> values;
  for (const Field& field : fields_) {
    if (!same(field.name, name)) continue;
    values = values ? *values + ", " + field.value : field.value;
  }
  return values;
}

// RFC 9112 section 6.3.
void HttpAnswer::choose_framing() {
  constexpr std::uint32_t kNoContent = 204;
  constexpr std::uint32_t kNotModified = 304;
  state_ = State::kBody;
  framing_ = Framing::kUntilClosed;
  const std::optional<std::string> coding = header("Transfer-Encoding");
  const std::optional<std::string> length = header("Content-Length");
  if (bodyless_ || status_ == kNoContent || status_ == kNotModified) {
    framing_ = Framing::kNone;
  } else if (coding && coding->size() >= 7 &&
             same(std::string_view(*coding).substr(coding->size() - 7), "chunked")) {
    framing_ = Framing::kChunked;
  } else if (!coding && length) {
    const std::optional<std::uint64_t> bytes = number_of(*length, 10);
    if (!bytes) {
      broken("the answer's Content-Length is no number");
      return;
    }
    framing_ = Framing::kLength;
    left_ = *bytes;
  }
  if (framing_ == Framing::kNone || (framing_ == Framing::kLength && left_ == 0)) {
    state_ = State::kDone;
  }
}

void HttpAnswer::add(std::string_view bytes) {
  body_.append(bytes.substr(0, limits::kMaxCheckBody - body_.size()));
  if (body_.size() == limits::kMaxCheckBody) state_ = State::kDone;
}

void HttpAnswer::take_body(std::string_view bytes) {
  switch (framing_) {
    case Framing::kNone:
      return;
    case Framing::kUntilClosed:
      add(bytes);
      return;
    case Framing::kChunked:
      take_chunks(bytes);
      return;
    case Framing::kLength:
      break;
  }
  const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  add(bytes.substr(0, part));
  left_ -= part;
  if (left_ == 0) state_ = State::kDone;
}

void HttpAnswer::take_chunks(std::string_view bytes) {
  while (!bytes.empty() && state_ == State::kBody) {
    if (chunk_ == Chunk::kData) {
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      add(bytes.substr(0, part));
      bytes.remove_prefix(part);
      left_ -= part;
      if (left_ == 0) chunk_ = Chunk::kAfterData;
      continue;
    }
    const std::size_t end = bytes.find('\n');
    const std::size_t part = end == std::string_view::npos ? bytes.size() : end + 1;
    head_bytes_ += chunk_ == Chunk::kTrailer ? part : 0;
    pending_.append(bytes.substr(0, part));
    bytes.remove_prefix(part);
    if (pending_.size() > limits::kMaxCheckText || head_bytes_ > limits::kMaxCheckHead) {
      broken("the answer's chunks are no HTTP/1");
    } else if (end != std::string_view::npos) {
      std::string line = std::exchange(pending_, {});
      line.pop_back();
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (!take_chunk_line(line)) broken("the answer's chunks are no HTTP/1");
    }
  }
}

// RFC 9112 section 7.1.
bool HttpAnswer::take_chunk_line(std::string_view line) {
  switch (chunk_) {
    case Chunk::kData:
      break;
    case Chunk::kAfterData:
      chunk_ = Chunk::kSize;
      return line.empty();
    case Chunk::kTrailer:
      if (line.empty()) state_ = State::kDone;
      return true;
    case Chunk::kSize: {
      const std::optional<std::uint64_t> size =
          number_of(trimmed(line.substr(0, std::min(line.find(';'), line.size()))), 16);
      if (!size) return false;
      left_ = *size;
      chunk_ = left_ == 0 ? Chunk::kTrailer : Chunk::kData;
      return true;
    }
  }
  return false;
}

HttpAnswer::State HttpAnswer::end() {
  if (state_ == State::kHead) {
    const bool nothing = head_bytes_ == 0;
    return broken(nothing ? "closed without an answer" : "closed in the middle of the answer");
  }
  if (state_ != State::kBody) return state_;
  if (framing_ != Framing::kUntilClosed) return broken("closed in the middle of the answer");
  state_ = State::kDone;
  return state_;
}

}  // namespace hawser::control
