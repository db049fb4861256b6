// Flight: one check on its way: connects, says PROXY, shakes hands, talks. Never blocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "hawser/net/address.h"
#include "health_talk.h"
#include "health_tls.h"

namespace hawser::control {

// Where a flight goes and by which way; what it points to outlives it.
struct Route {
  net::IpAddress address;
  std::uint16_t port = 0;
  std::uint32_t timeout_ms = 0;
  bool proxy_header = false;
  TlsContext* tls = nullptr;         // null: in the clear
  std::string server_name;           // with tls
  std::uint32_t expires_within = 0;  // with tls: seconds; 0: never warn
};

struct Landing {
  bool passed = false;
  std::string text;     // of the talk; empty where nothing was said
  std::string warning;  // of a certificate: "certificate expires on 2026-11-20, in 3 d"
};

class Flight {
 public:
  // `talk` outlives it; null: the connection is enough.
  Flight(const Route& route, Talk* talk) : route_(route), talk_(talk) {}
  ~Flight();
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  // Opens the socket and begins to connect. A landing: it failed at once.
  [[nodiscard]] std::optional<Landing> start();
  // To be watched for reading and writing, by edges.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  // Goes on until it would block. A landing: it is over.
  [[nodiscard]] std::optional<Landing> advance();
  // What there is to say when time is over.
  [[nodiscard]] Landing overdue() const;

 private:
  enum class Phase : std::uint8_t { kConnecting, kProxy, kHandshake, kRequest, kAnswer };
  using Step = TlsSession::Step;

  [[nodiscard]] Step step();
  [[nodiscard]] Step finish_connect();
  [[nodiscard]] Step send(std::string_view& bytes);
  [[nodiscard]] Step send_plain(std::string_view& bytes);
  [[nodiscard]] Step receive(char* buffer, std::size_t room, std::size_t& size);
  [[nodiscard]] std::optional<Landing> read_answer();
  [[nodiscard]] Landing failed(std::string text) const;
  [[nodiscard]] Landing land(const Outcome& outcome) const;
  [[nodiscard]] std::string certificate_warning() const;
  Step fail_with(int number);
  // The phase after this one.
  void next();

  const Route& route_;
  Talk* talk_;
  int descriptor_ = -1;
  Phase phase_ = Phase::kConnecting;
  std::string_view unsent_;
  std::optional<TlsSession> session_;
  bool sent_ = false;
  std::string failure_;
};

// "connection refused", or what the C library calls it.
[[nodiscard]] std::string system_error(int number);

}  // namespace hawser::control
