// Unix sockets that carry frames: a 4-byte big-endian length and that many bytes.
//
// Threading: main core only; nothing blocks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "hawser/base/result.h"

namespace hawser::dataplane {

// A listening Unix socket at a path; the path goes with it.
class Listener {
 public:
  // Removes what a dead process left at `path`; refuses when a live one answers there. `group` may
  // be empty: that of the process.
  [[nodiscard]] static Result<Listener> open(const std::string& path, mode_t mode,
                                             const std::string& group);
  ~Listener();
  Listener(Listener&& other) noexcept
      : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  Listener& operator=(Listener&&) = delete;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // The next waiting connection, non-blocking; -1 when there is none.
  [[nodiscard]] int accept() noexcept;
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  Listener(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_;
};

// `/run/x.sock` -> `/run/x-ro.sock`.
[[nodiscard]] std::string read_only_twin(const std::string& path);

// One connection: takes frames apart and puts them together.
class FrameConnection {
 public:
  // Takes over `fd`. A frame of more than `frame_limit` bytes is an error.
  FrameConnection(int fd, std::size_t frame_limit) : fd_(fd), frame_limit_(frame_limit) {}
  ~FrameConnection();
  FrameConnection(FrameConnection&& other) = delete;
  FrameConnection& operator=(FrameConnection&&) = delete;
  FrameConnection(const FrameConnection&) = delete;
  FrameConnection& operator=(const FrameConnection&) = delete;

  // Reads what has arrived. False when the other side is gone.
  [[nodiscard]] bool receive();
  // The next whole frame, valid until the next receive(); an error when it is too long.
  [[nodiscard]] Result<std::optional<std::string_view>> next();
  // Is a whole frame, or one that is too long, waiting in the buffer?
  [[nodiscard]] bool has_frame() const noexcept;

  // Queues a frame. flush() writes what the other side takes; false when it is gone.
  void send(std::string_view frame);
  [[nodiscard]] bool flush();

  // Bytes queued and not yet taken.
  [[nodiscard]] std::size_t backlog() const noexcept { return output_.size() - written_; }
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  // Length of the frame at the front, once its four bytes are there.
  [[nodiscard]] std::optional<std::size_t> front_length() const noexcept;

  int fd_;
  std::size_t frame_limit_;
  std::string input_;
  std::size_t consumed_ = 0;
  std::string output_;
  std::size_t written_ = 0;
};

}  // namespace hawser::dataplane
