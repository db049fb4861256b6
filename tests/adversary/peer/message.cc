// Reads heads, lengths, chunks and trailers; RFC 9112.
#include "peer/message.h"

#include <algorithm>
#include <cctype>

#include "peer/content.h"

namespace hawser::adversary {
namespace {

constexpr std::size_t kLongestHead = 40 * 1024;  // bytes: the longest we send, and insertions
constexpr std::size_t kLongestLine = 256;        // bytes: of a chunk's size or a trailer
constexpr std::string_view kNameCharacters = "!#$%&'*+-.^_`|~";

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char character : text.substr(0, 200)) {
    if (character >= ' ' && character < 127) {
      result += character;
    } else {
      result += "\\x" + hex(static_cast<std::uint8_t>(character));
    }
  }
  return result + "\"";
}

Field parse_field(std::string_view line) {
  const std::size_t colon = line.find(": ");
  if (colon == std::string_view::npos || colon == 0) {
    throw Wrong("a field that is no \"Name: value\": " + quoted(line));
  }
  for (const char character : line.substr(0, colon)) {
    if (std::isalnum(static_cast<unsigned char>(character)) == 0 &&
        kNameCharacters.find(character) == std::string_view::npos) {
      throw Wrong("a field's name with a character it may not have: " + quoted(line));
    }
  }
  const std::string_view value = line.substr(colon + 2);
  if (!value.empty() && (value.front() == ' ' || value.back() == ' ')) {
    throw Wrong("a field's value with a space at its end: " + quoted(line));
  }
  return {std::string(line.substr(0, colon)), std::string(value)};
}

// `text` ends in an empty line.
Head parse_head(std::string_view text) {
  Head head;
  bool first = true;
  while (text != "\r\n") {
    const std::size_t end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    for (const char character : line) {
      if (static_cast<unsigned char>(character) < ' ' || character == 127) {
        throw Wrong("a control character in a head: " + quoted(line));
      }
    }
    if (first) {
      head.start = line;
    } else {
      head.fields.push_back(parse_field(line));
    }
    first = false;
    text.remove_prefix(end + 2);
  }
  return head;
}

std::uint64_t parse_length(const std::string& text) {
  if (text.empty() || text.size() > 15 ||
      !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    throw Wrong("Content-Length is " + quoted(text));
  }
  return std::stoull(text);
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

void Head::add(std::string name, std::string value) {
  fields.push_back({std::move(name), std::move(value)});
}

std::vector<std::string> Head::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const Field& field : fields) {
    if (same_name(field.name, name)) values.push_back(field.value);
  }
  return values;
}

std::string Head::one(std::string_view name) const {
  const auto values = all(name);
  if (values.size() != 1) {
    throw Wrong(std::to_string(values.size()) + " fields " + std::string(name) + " under " +
                quoted(start));
  }
  return values.front();
}

std::string Head::text() const {
  std::string result = start + "\r\n";
  for (const Field& field : fields) result += field.name + ": " + field.value + "\r\n";
  return result + "\r\n";
}

Body body_of(const Head& head, Framing otherwise) {
  const bool counted = head.has("Content-Length");
  const bool encoded = head.has("Transfer-Encoding");
  if (counted && encoded) throw Wrong("both Content-Length and Transfer-Encoding");
  if (counted) return {Framing::kLength, parse_length(head.one("Content-Length"))};
  if (!encoded) return {otherwise, 0};
  if (head.one("Transfer-Encoding") != "chunked") throw Wrong("Transfer-Encoding is not chunked");
  return {Framing::kChunked, 0};
}

MessageReader::MessageReader(OnHead on_head, OnBody on_body)
    : on_head_(std::move(on_head)), on_body_(std::move(on_body)) {}

void MessageReader::next() {
  state_ = State::kHead;
  line_.clear();
  left_ = 0;
  taken_ = 0;
}

std::size_t MessageReader::take(std::span<const std::uint8_t> bytes) {
  std::size_t done = 0;
  while (done < bytes.size() && state_ != State::kDone) {
    const auto rest = bytes.subspan(done);
    std::size_t count = 0;
    switch (state_) {
      case State::kHead:
        count = take_head(rest);
        break;
      case State::kCounted:
      case State::kToClose:
      case State::kChunkData:
        count = take_data(rest);
        break;
      case State::kChunkSize:
      case State::kChunkEnd:
      case State::kTrailers:
        count = take_line(rest);
        break;
      case State::kDone:
        break;
    }
    done += count;
    taken_ += count;
  }
  return done;
}

std::size_t MessageReader::take_head(std::span<const std::uint8_t> bytes) {
  std::size_t count = 0;
  for (const std::uint8_t byte : bytes) {
    line_ += static_cast<char>(byte);
    ++count;
    const bool line_end = byte == '\n';
    if (line_end && (line_.size() < 2 || line_[line_.size() - 2] != '\r')) {
      throw Wrong("a bare line feed in a head: " + quoted(line_));
    }
    if (line_end && line_.size() >= 4 && line_.ends_with("\r\n\r\n")) {
      begin_body();
      break;
    }
    if (line_.size() > kLongestHead) throw Wrong("a head without an end: " + quoted(line_));
  }
  return count;
}

void MessageReader::begin_body() {
  const Head head = parse_head(line_);
  line_.clear();
  const Body body = on_head_(head);
  left_ = body.length;
  switch (body.framing) {
    case Framing::kNone:
      state_ = State::kDone;
      break;
    case Framing::kLength:
      state_ = left_ == 0 ? State::kDone : State::kCounted;
      break;
    case Framing::kChunked:
      state_ = State::kChunkSize;
      break;
    case Framing::kClose:
      state_ = State::kToClose;
      break;
  }
}

std::size_t MessageReader::take_data(std::span<const std::uint8_t> bytes) {
  if (state_ == State::kToClose) {
    on_body_(bytes);
    return bytes.size();
  }
  const std::size_t count = std::min<std::uint64_t>(left_, bytes.size());
  on_body_(bytes.first(count));
  left_ -= count;
  if (left_ == 0) state_ = state_ == State::kCounted ? State::kDone : State::kChunkEnd;
  return count;
}

std::size_t MessageReader::take_line(std::span<const std::uint8_t> bytes) {
  std::size_t count = 0;
  for (const std::uint8_t byte : bytes) {
    line_ += static_cast<char>(byte);
    ++count;
    if (byte == '\n') {
      if (!line_.ends_with("\r\n")) throw Wrong("a bare line feed between chunks");
      line_.resize(line_.size() - 2);
      line_ended();
      line_.clear();
      break;
    }
    if (line_.size() > kLongestLine) throw Wrong("a chunk's line without an end: " + quoted(line_));
  }
  return count;
}

void MessageReader::line_ended() {
  if (state_ == State::kChunkEnd) {
    if (!line_.empty()) throw Wrong("a chunk does not end in a line's end: " + quoted(line_));
    state_ = State::kChunkSize;
  } else if (state_ == State::kTrailers) {
    if (line_.empty()) {
      state_ = State::kDone;
    } else if (line_ != kTrailer) {
      throw Wrong("a trailer nobody sent: " + quoted(line_));
    }
  } else {
    const std::size_t semicolon = line_.find(';');
    if (semicolon != std::string::npos && line_.substr(semicolon) != kChunkExtension) {
      throw Wrong("a chunk extension nobody sent: " + quoted(line_));
    }
    left_ = from_hex(line_.substr(0, semicolon));
    state_ = left_ == 0 ? State::kTrailers : State::kChunkData;
  }
}

void MessageReader::end_of_stream() {
  if (state_ == State::kToClose) {
    state_ = State::kDone;
  } else if (!fresh()) {
    throw Wrong("the stream ended " + where());
  }
}

std::string MessageReader::where() const {
  static constexpr const char* kNames[] = {"in a head",
                                           "in a body of known length",
                                           "in a body that the end ends",
                                           "before a chunk's size",
                                           "in a chunk",
                                           "behind a chunk",
                                           "in trailers",
                                           "behind a message"};
  return std::string(kNames[static_cast<std::size_t>(state_)]) + " after " +
         std::to_string(taken_) + " bytes of the message, " + std::to_string(left_) +
         " bytes left of this part" + (line_.empty() ? "" : ", having " + quoted(line_));
}

}  // namespace hawser::adversary
