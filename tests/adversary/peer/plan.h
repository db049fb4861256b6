// What a connection does, from a seed; and how a request tells the server what to answer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "peer/message.h"

namespace hawser::adversary {

enum class Kind : std::uint8_t { kGet, kPost, kHead, kNoContent, kNotModified, kUpgrade, kCount };

[[nodiscard]] const char* name_of(Kind kind);

// One request and its answer.
struct Exchange {
  std::uint64_t connection = 0;
  std::uint64_t number = 0;  // on its connection, from 0
  Kind kind = Kind::kGet;
  std::uint64_t seed = 0;
  Framing request_framing = Framing::kNone;
  std::uint64_t request_length = 0;  // bytes; of an upgrade: those that are echoed
  Framing response_framing = Framing::kLength;
  std::uint64_t response_length = 0;
  std::uint64_t request_padding = 0;  // bytes of fields that say nothing
  std::uint64_t response_padding = 0;
  bool expects_continue = false;
  bool early_hints = false;  // 103 before the answer
  bool forwarded = false;    // with an X-Forwarded-For of the client's own
  bool closes = false;       // Connection: close
  bool pipelined = false;    // the next one is sent without waiting for this answer
  bool half_closes = false;  // the client ends its direction behind this request

  [[nodiscard]] std::uint64_t request_seed() const;
  [[nodiscard]] std::uint64_t response_seed() const;
  [[nodiscard]] int status() const;
  [[nodiscard]] std::string where() const;
};

// The request's target, which carries everything the server has to know.
[[nodiscard]] std::string target_of(const Exchange& exchange);
// Throws Wrong.
[[nodiscard]] Exchange from_target(const std::string& target);

struct Plan {
  std::vector<Exchange> exchanges;
  bool dribbles = false;      // writes in small pieces
  bool leaves_first = false;  // closes at once after the last answer
};

struct PlanLimits {
  std::uint64_t largest = 4'000'000;  // bytes of a body
  std::uint64_t requests = 8;         // on a connection, at most
};

[[nodiscard]] Plan plan_of(std::uint64_t seed, std::uint64_t connection, const PlanLimits& limits);

}  // namespace hawser::adversary
