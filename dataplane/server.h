// Server: the clients of the control socket and of its read-only twin.
//
// Each client's requests are answered in their order. A client that does not take its answers is
// not read from until it does, so it costs a bounded amount of memory. Threading: main core only.
#pragma once

#include <poll.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/reply.h"
#include "dataplane/socket.h"
#include "hawser/base/result.h"

namespace hawser::dataplane {

class Server {
 public:
  // Listens at `path` for `group` and at its read-only twin for everybody.
  [[nodiscard]] static Result<Server> open(const std::string& path, const std::string& group);

  // Appends what to wait for.
  void add_waits(std::vector<pollfd>& waits) const;
  // Handles what came of the `waits` that add_waits appended last; true when there was anything.
  [[nodiscard]] bool serve(std::span<const pollfd> waits, RequestHandler& handler);
  // Forgets all clients and their unfinished answers.
  void close_clients() { clients_.clear(); }

 private:
  struct Client {
    Client(int fd, bool only_reads, std::size_t frame_limit)
        : connection(fd, frame_limit), read_only(only_reads) {}

    // More requests are looked at only when there is room for their answers.
    [[nodiscard]] bool may_ask() const noexcept;
    [[nodiscard]] bool is_read_from() const noexcept { return !ended && may_ask(); }

    FrameConnection connection;
    bool read_only;
    bool ended = false;  // no further request will come
    bool dead = false;
    std::uint64_t request_id = 0;  // of `stream`
    std::unique_ptr<ReplyStream> stream;
  };

  Server(Listener full, Listener read_only)
      : full_(std::move(full)), read_only_(std::move(read_only)) {}

  void accept(Listener& listener, bool read_only);
  static void receive(Client& client, short events);
  [[nodiscard]] static bool serve(Client& client, RequestHandler& handler);
  [[nodiscard]] static bool answer_next(Client& client, RequestHandler& handler);
  [[nodiscard]] static bool continue_stream(Client& client);

  Listener full_;
  Listener read_only_;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace hawser::dataplane
