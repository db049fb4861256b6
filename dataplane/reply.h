// Reply: what a request is answered with: one message, or several over time.
#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "dataplane.pb.h"

namespace hawser::dataplane {

// An answer that takes time, a message after the other. Destroyed early when the client goes.
class ReplyStream {
 public:
  struct Step {
    std::optional<v1::Response> message;  // none: nothing yet, ask again
    bool last = false;
  };
  ReplyStream() = default;
  virtual ~ReplyStream() = default;
  ReplyStream(const ReplyStream&) = delete;
  ReplyStream& operator=(const ReplyStream&) = delete;

  [[nodiscard]] virtual Step step() = 0;
};

using Reply = std::variant<v1::Response, std::unique_ptr<ReplyStream>>;

// Answers requests; `id` is filled in by the caller.
class RequestHandler {
 public:
  RequestHandler() = default;
  virtual ~RequestHandler() = default;
  RequestHandler(const RequestHandler&) = delete;
  RequestHandler& operator=(const RequestHandler&) = delete;

  [[nodiscard]] virtual Reply handle(const v1::Request& request, bool read_only) = 0;
};

[[nodiscard]] inline v1::Response error_response(const std::string& message) {
  v1::Response response;
  response.mutable_error()->set_message(message);
  return response;
}

}  // namespace hawser::dataplane
