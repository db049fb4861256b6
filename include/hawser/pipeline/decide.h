// Deciding one request: which rule, which session, which home. What `hawserctl why` shows is this.
//
// Pure: nothing is counted, sent or taken from a bucket, so the main core can ask as well as a
// worker. Everything needed is in the request and the snapshot (and the loads, with bounded load):
// two balancers with the same snapshot decide the same.
#pragma once

#include <cstdint>
#include <string_view>

#include "hawser/affinity/session_cookie.h"
#include "hawser/l7/client_hello.h"
#include "hawser/l7/http_head.h"
#include "hawser/pipeline/worker_state.h"

namespace hawser::pipeline {

// What is asked. One of `head` and `hello` is there.
struct Request {
  const l7::RequestHead* head = nullptr;
  const l7::ClientHello* hello = nullptr;
  net::IpAddress client;
  net::Big16 client_port;
  BackendId current;  // where the connection's last request went; 0: its first
};

// Why a request goes where it goes.
enum class Reason : std::uint8_t {
  kRefused,       // not at all
  kHome,          // its cookie names its home
  kMoved,         // its cookie's home is gone, down or leaving: a new one
  kFirstContact,  // no usable cookie: by client address and user agent
  kByValue,       // by the header, parameter, cookie or server name the service is sticky by
  kBySource,      // by the client's address
  kConnection,    // not sticky: where its connection is
  kSpread,        // not sticky: by connection, or by request
};
[[nodiscard]] std::string_view to_string(Reason reason) noexcept;

struct Decision {
  Reason reason = Reason::kRefused;
  BackendId backend;
  std::size_t rule = l7::RuleSet::kNone;
  // With kRefused.
  Refusal refusal = Refusal::kNone;
  std::uint16_t status = 0;
  // Of the session cookie.
  affinity::CookieFault cookie_fault = affinity::CookieFault::kNone;
  bool had_cookie = false;
  bool gives_cookie = false;  // with the response
  affinity::Session session;
  bool spilled = false;  // went past an owner above its bound
};

// `worker` selects the scratch space of the rules: one's own, or the number of workers on the main
// core. Rates of rules are not asked here: they would be used up.
[[nodiscard]] Decision decide(const Request& request, ServiceId id, const ServiceEntry& service,
                              WorkerId worker, const Context& context) noexcept;

// Another backend for a request whose backend refused; 0: there is none.
[[nodiscard]] BackendId next_choice(const Request& request, std::uint8_t attempt, BackendId refused,
                                    std::uint16_t generation, const ServiceEntry& service,
                                    const Context& context) noexcept;

}  // namespace hawser::pipeline
