// Accepts clients, takes their requests and sends the answers.
#include "dataplane/server.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "hawser/base/limits.h"

namespace hawser::dataplane {
namespace {

constexpr mode_t kFullMode = 0660;
constexpr mode_t kReadOnlyMode = 0666;

void send(FrameConnection& connection, v1::Response& response, std::uint64_t id) {
  response.set_id(id);
  connection.send(response.SerializeAsString());
}

}  // namespace

Result<Server> Server::open(const std::string& path, const std::string& group) {
  Result<Listener> full = Listener::open(path, kFullMode, group);
  if (!full) return full.error();
  Result<Listener> read_only = Listener::open(read_only_twin(path), kReadOnlyMode, group);
  if (!read_only) return read_only.error();
  return Server(*std::move(full), *std::move(read_only));
}

bool Server::Client::may_ask() const noexcept {
  return stream == nullptr && connection.backlog() < limits::kReplyBacklog;
}

void Server::add_waits(std::vector<pollfd>& waits) const {
  waits.push_back({full_.fd(), POLLIN, 0});
  waits.push_back({read_only_.fd(), POLLIN, 0});
  for (const std::unique_ptr<Client>& client : clients_) {
    const bool wants = client->is_read_from();
    const bool owes = client->connection.backlog() > 0;
    const int events = (wants ? POLLIN : 0) | (owes ? POLLOUT : 0);
    waits.push_back({client->connection.fd(), static_cast<short>(events), 0});
  }
}

bool Server::serve(std::span<const pollfd> waits, RequestHandler& handler) {
  bool worked = false;
  // New clients come last in the list, so that the others still are where add_waits saw them.
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    receive(*clients_[i], waits[i + 2].revents);
    worked = serve(*clients_[i], handler) || worked;
  }
  std::erase_if(clients_, [](const std::unique_ptr<Client>& client) { return client->dead; });
  if (waits[0].revents != 0) accept(full_, false);
  if (waits[1].revents != 0) accept(read_only_, true);
  return worked;
}

void Server::accept(Listener& listener, bool read_only) {
  const int fd = listener.accept();
  if (fd < 0) return;
  const std::size_t limit = read_only ? limits::kReadOnlyFrame : limits::kMaxControlFrame;
  auto client = std::make_unique<Client>(fd, read_only, limit);
  if (clients_.size() < limits::kMaxControlConnections) {
    clients_.push_back(std::move(client));
    return;
  }
  v1::Response refusal = error_response("too many connections to the dataplane; at most " +
                                        std::to_string(limits::kMaxControlConnections));
  send(client->connection, refusal, 0);
  static_cast<void>(client->connection.flush());
}

void Server::receive(Client& client, short events) {
  if (client.is_read_from() && (events & (POLLIN | POLLHUP | POLLERR)) != 0) {
    client.ended = !client.connection.receive();
  } else if ((events & (POLLHUP | POLLERR)) != 0) {
    client.dead = true;  // gone, with answers still owed
  }
}

bool Server::serve(Client& client, RequestHandler& handler) {
  bool worked = false;
  while (client.may_ask() && answer_next(client, handler)) worked = true;
  if (client.stream != nullptr) worked = continue_stream(client) || worked;
  if (!client.connection.flush()) client.dead = true;
  const bool answered = client.stream == nullptr && client.connection.backlog() == 0;
  if (client.ended && answered && !client.connection.has_frame()) client.dead = true;
  return worked;
}

// Answers one request, if a whole one is there.
bool Server::answer_next(Client& client, RequestHandler& handler) {
  const Result<std::optional<std::string_view>> frame = client.connection.next();
  v1::Request request;
  if (frame && !*frame) return false;
  if (!frame || !request.ParseFromArray((*frame)->data(), static_cast<int>((*frame)->size()))) {
    v1::Response refusal =
        error_response(frame ? "a request that is not of this protocol" : frame.error().message);
    send(client.connection, refusal, 0);
    static_cast<void>(client.connection.flush());
    client.dead = true;
    return false;
  }
  Reply reply = handler.handle(request, client.read_only);
  if (auto* response = std::get_if<v1::Response>(&reply)) {
    send(client.connection, *response, request.id());
  } else {
    client.request_id = request.id();
    client.stream = std::move(std::get<std::unique_ptr<ReplyStream>>(reply));
  }
  return true;
}

bool Server::continue_stream(Client& client) {
  bool worked = false;
  while (client.stream != nullptr && client.connection.backlog() < limits::kReplyBacklog) {
    ReplyStream::Step step = client.stream->step();
    if (!step.message) return worked;
    worked = true;
    send(client.connection, *step.message, client.request_id);
    if (step.last) client.stream.reset();
  }
  return worked;
}

}  // namespace hawser::dataplane
