// The heads that the peers send each other, and what must be true of those that arrive.
//
// The last field of each is X-Check, a hash of the start line and of all other fields in their
// order, so that a head that arrives changed is seen, wherever it was changed. What a balancer may
// insert is taken out first, and only where the peer was told to expect it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "peer/message.h"
#include "peer/plan.h"
#include "random.h"

namespace hawser::adversary {

// An address and a port as numbers that can be compared.
struct Endpoint {
  std::string address;  // as inet_ntop writes it; IPv4 without ::ffff:
  std::uint16_t port = 0;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
  [[nodiscard]] std::string text() const;  // "address port"
};

// The request of an exchange. `cookies`: the value of the Cookie field, none when empty.
[[nodiscard]] Head request_head(const Exchange& exchange, const Endpoint& client,
                                const Endpoint& target, const std::string& user,
                                const std::string& cookies);

enum class ClientAddress : std::uint8_t { kNone, kForwardedFor, kProxy };

// What a request says of itself; throws Wrong when it has changed on its way or when its
// X-Forwarded-For is not what it must be.
struct Request {
  Exchange exchange;
  std::string client;  // as Endpoint::text
  std::string target;
};
[[nodiscard]] Request check_request(const Head& head, ClientAddress told);

// `received`: what the server has of the request's body, of a POST.
[[nodiscard]] Head response_head(const Exchange& exchange, const std::string& server,
                                 const std::string& received);
[[nodiscard]] Head interim_head(int status, const Exchange& exchange);

// `cookie`: the name of one that may be inserted, none when empty. Throws Wrong.
struct Response {
  int status = 0;
  std::string server;
  std::string inserted;  // the value of the inserted cookie, empty when there is none
};
[[nodiscard]] Response check_response(const Head& head, const Exchange& exchange,
                                      const std::string& cookie);

}  // namespace hawser::adversary
