// A small strict reader of HTTP/1.1 messages: the oracle, which shares nothing with the balancer's.
//
// Strict: lines end in CRLF, a field is "Name: value" with one space, nothing is folded, a chunk's
// size is plain hexadecimal. Whatever is not so is thrown as Wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::adversary {

struct Field {
  std::string name;
  std::string value;
};

[[nodiscard]] bool same_name(std::string_view a, std::string_view b);

struct Head {
  std::string start;  // request line or status line
  std::vector<Field> fields;

  void add(std::string name, std::string value);
  // Values of all fields of that name, in order.
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
  // The value of the one field of that name; throws Wrong when there is none or another.
  [[nodiscard]] std::string one(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return !all(name).empty(); }
  [[nodiscard]] std::string text() const;
};

enum class Framing : std::uint8_t { kNone, kLength, kChunked, kClose };

struct Body {
  Framing framing = Framing::kNone;
  std::uint64_t length = 0;  // when framing is kLength
};

// What Content-Length and Transfer-Encoding say; both or neither as RFC 9112 section 6.3 has it.
// `otherwise`: when there is neither.
[[nodiscard]] Body body_of(const Head& head, Framing otherwise);

// Trailers and chunk extensions that the peers send; nothing else is accepted.
inline constexpr const char* kChunkExtension = ";hull=oak";
inline constexpr const char* kTrailer = "X-Trailer: moored";

class MessageReader {
 public:
  using OnHead = std::function<Body(const Head&)>;
  using OnBody = std::function<void(std::span<const std::uint8_t>)>;

  MessageReader(OnHead on_head, OnBody on_body);

  // Takes bytes up to the end of this message at most; returns how many.
  std::size_t take(std::span<const std::uint8_t> bytes);
  // The stream has ended: ends a body that is delimited so; throws Wrong inside of anything else.
  void end_of_stream();

  [[nodiscard]] bool done() const noexcept { return state_ == State::kDone; }
  // Nothing of the message has come yet.
  [[nodiscard]] bool fresh() const noexcept { return state_ == State::kHead && line_.empty(); }
  // Expects the next message.
  void next();
  // Where it stands, for people.
  [[nodiscard]] std::string where() const;

 private:
  enum class State : std::uint8_t {
    kHead,
    kCounted,
    kToClose,
    kChunkSize,
    kChunkData,
    kChunkEnd,
    kTrailers,
    kDone
  };

  std::size_t take_head(std::span<const std::uint8_t> bytes);
  std::size_t take_data(std::span<const std::uint8_t> bytes);
  std::size_t take_line(std::span<const std::uint8_t> bytes);
  void line_ended();
  void begin_body();

  OnHead on_head_;
  OnBody on_body_;
  State state_ = State::kHead;
  std::string line_;         // head or line as far as it has come
  std::uint64_t left_ = 0;   // of the body or the chunk
  std::uint64_t taken_ = 0;  // bytes of this message
};

}  // namespace hawser::adversary
