// World: clients, the balancer and backends, joined by hostile wires in virtual time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "scenario.h"
#include "wire.h"

namespace hawser::simulation {

class World {
 public:
  World(const Scenario& scenario, Choices& choices, spec::FramePool& pool);

  // Runs until everything is over and everything forgotten. What was wrong; empty when nothing.
  [[nodiscard]] std::vector<std::string> run();
  [[nodiscard]] const Ledger& ledger() const noexcept { return ledger_; }
  [[nodiscard]] const Balancer& balancer() const noexcept { return balancer_; }

  // Prints each segment that comes and goes.
  void trace(bool wanted) noexcept { traces_ = wanted; }

 private:
  struct Client {
    const ClientDraw* draw = nullptr;
    std::unique_ptr<TcpEnd> tcp;
    std::unique_ptr<HttpClient> http;
    bool failed = false;
  };
  struct Server {
    std::unique_ptr<TcpEnd> tcp;
    std::unique_ptr<HttpServer> http;
    bool failed = false;
  };
  using Pair = std::pair<Address, Address>;  // local, remote

  [[nodiscard]] Milliseconds next_moment() const;
  void step();
  void run_balancer();
  void deliver(Wire& wire, bool to_clients);
  void to_client(const TcpSegment& segment);
  void to_server(const TcpSegment& segment);
  void accept(const TcpSegment& syn, const BackendDraw& backend);
  void refuse(const TcpSegment& segment, Wire& wire);
  void step_ends();
  void send(const TcpSegment& segment, Wire& wire);
  template <typename End>
  void step_end(End& end, Wire& wire);
  void begin_clients();
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] const BackendDraw* backend_at(const Address& address) const;
  void note(const char* way, const Frame& frame) const;
  void report_unfinished();
  void settle();

  const Scenario& scenario_;
  Choices& choices_;
  Balancer balancer_;
  adversary::Announced client_link_;
  adversary::Announced backend_link_;
  std::unique_ptr<Wire> from_clients_;
  std::unique_ptr<Wire> to_clients_;
  std::unique_ptr<Wire> from_backends_;
  std::unique_ptr<Wire> to_backends_;
  Ledger ledger_;
  std::vector<Client> clients_;
  std::map<Pair, Server> servers_;
  Milliseconds now_;
  Milliseconds ticked_;
  bool loses_;                   // segments are lost
  std::uint64_t accepted_ = 0;   // connections, at the backends
  std::uint64_t delivered_ = 0;  // segments, to the ends
  bool traces_ = false;
  std::vector<std::string> violations_;
};

}  // namespace hawser::simulation
