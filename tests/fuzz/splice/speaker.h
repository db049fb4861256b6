// Speaker: how an application uses its TCP end: writes in pieces, reads at its own pace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "../../support/model_tcp.h"

namespace hawser::simulation {

struct Manner {
  bool dribbles = false;        // small pieces with pauses between
  bool reads_slowly = false;    // little at a time, with pauses
  std::uint32_t pause_ms = 20;  // at most
};

class Speaker {
 public:
  Speaker(TcpEnd& tcp, const Manner& manner, Choices& choices)
      : tcp_(tcp), manner_(manner), choices_(choices) {}

  void say(std::string_view bytes) { waiting_.append(bytes); }
  void say_content(std::uint64_t seed, std::uint64_t length);
  // In chunks of any size, some with an extension, and at times with a trailer.
  void say_chunked(std::uint64_t seed, std::uint64_t length);
  // Ends this direction behind what there is to say; `reads_on`: the other is still listened to.
  void end(bool reads_on) noexcept {
    ends_ = true;
    reads_on_ = reads_on_ && reads_on;
  }

  // Writes what is due.
  void write(Milliseconds now);
  // What may be read now.
  [[nodiscard]] std::string read(Milliseconds now);
  [[nodiscard]] std::optional<Milliseconds> deadline() const;
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
  [[nodiscard]] bool said_all() const noexcept { return waiting_.empty(); }

  [[nodiscard]] TcpEnd& tcp() noexcept { return tcp_; }
  [[nodiscard]] const TcpEnd& tcp() const noexcept { return tcp_; }
  [[nodiscard]] Choices& choices() noexcept { return choices_; }

 private:
  TcpEnd& tcp_;
  Manner manner_;
  Choices& choices_;
  std::string waiting_;
  bool ends_ = false;
  bool reads_on_ = true;
  bool ended_ = false;
  Milliseconds write_at_ = 0;
  Milliseconds read_at_ = 0;
};

}  // namespace hawser::simulation
