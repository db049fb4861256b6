// Scenario: everything that a run is about, drawn from choices: services, ends, adversary.
#pragma once

#include <string>
#include <vector>

#include "balancer.h"
#include "http_client.h"
#include "http_server.h"
#include "network/faults.h"

namespace hawser::simulation {

enum class Fate : std::uint8_t { kServes, kRefuses, kSilent };

struct BackendDraw {
  Address at;
  TcpSettings tcp;
  ServerSettings server;
  Fate fate = Fate::kServes;
  Milliseconds fate_until = 0;  // then it serves; counted from the run's begin
};

struct ClientDraw {
  Address at;
  Address target;
  Milliseconds starts = 0;  // counted from the run's begin
  TcpSettings tcp;
  ClientSettings client;
};

struct Scenario {
  BalancerSize size;
  adversary::Faults at_clients;   // both ways of the link between clients and balancer
  adversary::Faults at_backends;  // and between balancer and backends
  std::uint64_t wire_seed = 0;
  bool chosen_wires = false;  // each segment's fate is chosen, not drawn from wire_seed
  Milliseconds begins = 100'000;
  Milliseconds heals = 20'000;  // counted from there
  std::vector<model::Service> services;
  std::vector<BackendDraw> backends;
  std::vector<ClientDraw> clients;
  std::size_t users = 1;

  [[nodiscard]] bool damages() const { return at_clients.corrupt > 0 || at_backends.corrupt > 0; }
  // For people: a line.
  [[nodiscard]] std::string text() const;
};

struct Extent {
  std::size_t clients = 10;
  std::uint64_t requests = 6;      // on a connection, at most
  std::uint64_t largest = 30'000;  // bytes of a body
};

// The fate of each segment is chosen as it comes, whatever the scenario's faults were.
void choose_wires(Scenario& scenario);

[[nodiscard]] Scenario draw_scenario(const Extent& extent, Choices& choices);

}  // namespace hawser::simulation
