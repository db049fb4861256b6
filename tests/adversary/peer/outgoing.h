// What a peer has still to send, made as it goes out, written in pieces of random size.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "random.h"

namespace hawser::adversary {

class Outgoing {
 public:
  // `dribble`: writes small pieces at first, some of them a single byte, with pauses between.
  Outgoing(std::uint64_t seed, bool dribble);

  void add(std::string text);
  void add_content(std::uint64_t seed, std::uint64_t length);
  // In chunks of random size, some with an extension, and at times with a trailer.
  void add_chunked(std::uint64_t seed, std::uint64_t length);

  [[nodiscard]] bool empty() const noexcept { return buffer_.empty() && parts_.empty(); }
  // Bytes that wait, those of unmade chunks' frames left out.
  [[nodiscard]] std::uint64_t waiting() const noexcept;
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }

  enum class Outcome : std::uint8_t { kAll, kBlocked, kPause, kFailed };
  // Writes to the socket until all is sent, it takes no more, or a pause is due.
  Outcome flush(int descriptor);

 private:
  struct Part {
    std::string text;
    std::uint64_t seed = 0;
    std::uint64_t length = 0;  // of content, behind the text
    std::uint64_t offset = 0;
    bool chunked = false;
  };

  void refill();
  void refill_chunk(Part& part);
  std::size_t piece();

  Random random_;
  bool dribble_;
  std::uint64_t budget_;  // bytes to write in small pieces yet
  std::deque<Part> parts_;
  std::string buffer_;
  std::size_t written_ = 0;  // of buffer_
  std::uint64_t sent_ = 0;
};

}  // namespace hawser::adversary
