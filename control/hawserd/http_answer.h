// HttpAnswer: reads the response to one request of a check, HTTP/1.0 or 1.1, byte by byte bounded.
//
// Of a head up to limits::kMaxCheckHead is read, of a body up to limits::kMaxCheckBody. RFC 9112.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::control {

class HttpAnswer {
 public:
  enum class State : std::uint8_t {
    kHead,    // the head is not yet whole
    kBody,    // the head is there
    kDone,    // all there is, or all that is looked at
    kBroken,  // fault() says why
  };

  // `bodyless`: the request was a HEAD.
  explicit HttpAnswer(bool bodyless) : bodyless_(bodyless) {}

  // What came next. Once done or broken, it changes nothing.
  State take(std::string_view bytes);
  // The connection was closed.
  State end();

  [[nodiscard]] State state() const { return state_; }
  // From kBody on.
  [[nodiscard]] std::uint32_t status() const { return status_; }
  // Every value under `name`, without regard to case and joined by ", "; none when there is none.
  [[nodiscard]] std::optional<std::string> header(std::string_view name) const;
  [[nodiscard]] const std::string& body() const { return body_; }
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  enum class Framing : std::uint8_t { kNone, kLength, kChunked, kUntilClosed };
  enum class Chunk : std::uint8_t { kSize, kData, kAfterData, kTrailer };
  struct Field {
    std::string name;
    std::string value;
  };

  State broken(std::string reason);
  bool take_head_line(std::string_view line);
  bool read_status_line(std::string_view line);
  bool read_field(std::string_view line);
  void choose_framing();
  void take_body(std::string_view bytes);
  void take_chunks(std::string_view bytes);
  bool take_chunk_line(std::string_view line);
  // As much of `bytes` as the body has room for.
  void add(std::string_view bytes);

  bool bodyless_;
  State state_ = State::kHead;
  Framing framing_ = Framing::kNone;
  Chunk chunk_ = Chunk::kSize;
  std::uint32_t status_ = 0;
  std::uint64_t left_ = 0;      // bytes of the body or of the chunk
  std::size_t head_bytes_ = 0;  // of heads and trailers so far
  bool begins_ = true;          // a status line comes next
  std::string pending_;         // the line so far, of the head or of the chunked coding
  std::vector<Field> fields_;
  std::string body_;
  std::string fault_;
};

}  // namespace hawser::control
