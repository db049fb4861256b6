// Talks: what a check says once it is connected, and what it makes of the answer.
//
// Pure: bytes in, a verdict out; connections and clocks are health_flight.h's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent_reply.h"
#include "body_pattern.h"
#include "hawser/model/check.h"
#include "http_answer.h"

namespace hawser::control {

struct Outcome {
  bool passed = false;
  std::string text;
};

class Talk {
 public:
  Talk() = default;
  Talk(const Talk&) = delete;
  Talk& operator=(const Talk&) = delete;
  virtual ~Talk() = default;

  // What is sent first; may be empty.
  [[nodiscard]] virtual std::string_view request() const = 0;
  // Whether there is an answer to wait for.
  [[nodiscard]] virtual bool listens() const { return true; }
  // The verdict, as soon as what came decides.
  [[nodiscard]] virtual std::optional<Outcome> take(std::string_view bytes) = 0;
  // The verdict of a connection that the peer closed.
  [[nodiscard]] virtual Outcome end() = 0;
  // Why there is no verdict yet, when time is over after so many milliseconds.
  [[nodiscard]] virtual std::string overdue(std::uint32_t timeout_ms) const = 0;
};

// One HTTP request. `where` is the backend's address and port, for the Host header.
[[nodiscard]] std::string http_request(const model::HttpCheck& http, const std::string& where);

class HttpTalk : public Talk {
 public:
  // All outlive the talk; `pattern` may be null.
  HttpTalk(const model::HttpCheck& http, const std::string& request, const BodyPattern* pattern)
      : http_(http),
        request_(request),
        pattern_(pattern),
        answer_(http.method == model::HttpMethod::kHead) {}

  [[nodiscard]] std::string_view request() const override { return request_; }
  [[nodiscard]] std::optional<Outcome> take(std::string_view bytes) override;
  [[nodiscard]] Outcome end() override;
  [[nodiscard]] std::string overdue(std::uint32_t timeout_ms) const override;

 private:
  [[nodiscard]] std::optional<Outcome> judge() const;
  [[nodiscard]] std::optional<Outcome> head_fault() const;
  [[nodiscard]] Outcome judge_body() const;

  const model::HttpCheck& http_;
  const std::string& request_;
  const BodyPattern* pattern_;
  HttpAnswer answer_;
  bool any_ = false;
};

// Bytes out, and an answer that begins with the expected ones. Without `expect` nothing is read.
class BytesTalk : public Talk {
 public:
  explicit BytesTalk(const model::Check& check) : check_(check) {}

  [[nodiscard]] std::string_view request() const override { return check_.send; }
  [[nodiscard]] bool listens() const override { return !check_.expect.empty(); }
  [[nodiscard]] std::optional<Outcome> take(std::string_view bytes) override;
  [[nodiscard]] Outcome end() override;
  [[nodiscard]] std::string overdue(std::uint32_t timeout_ms) const override;

 private:
  [[nodiscard]] Outcome unexpected() const;

  const model::Check& check_;
  std::string got_;
};

// A line of an agent. Passed means that there is one.
class AgentTalk : public Talk {
 public:
  explicit AgentTalk(const std::string& send) : send_(send) {}

  [[nodiscard]] std::string_view request() const override { return send_; }
  [[nodiscard]] std::optional<Outcome> take(std::string_view bytes) override;
  [[nodiscard]] Outcome end() override;
  [[nodiscard]] std::string overdue(std::uint32_t timeout_ms) const override;

 private:
  const std::string& send_;
  std::string line_;
};

// What of `bytes` can be shown on a line: at most 60 of them, others than printable ones as dots.
[[nodiscard]] std::string shown(std::string_view bytes);

}  // namespace hawser::control
