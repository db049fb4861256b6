// Machine: all that moves packets, made from the configuration: DPDK, buffers, ports, workers.
//
// Threading: main core only.
#pragma once

#include <memory>
#include <vector>

#include "dataplane/eal.h"
#include "dataplane/pools.h"
#include "dataplane/port.h"
#include "dataplane/shared.h"
#include "dataplane/worker.h"
#include "hawser/base/result.h"
#include "hawser/model/configuration.h"
#include "hawser/pipeline/snapshot_builder.h"

namespace hawser::dataplane {

class Machine {
 public:
  // Everything ready, nothing running. Errors say what to do.
  [[nodiscard]] static Result<std::unique_ptr<Machine>> create(
      const model::Configuration& configuration, const EalOptions& options);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Starts the ports, then the workers. There must be a snapshot already.
  [[nodiscard]] Result<void> start();
  // Stops the workers and waits for them, then the ports.
  void stop() noexcept;

  [[nodiscard]] Shared& shared() const noexcept { return *shared_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Worker>>& workers() const noexcept {
    return workers_;
  }
  // The device of a port; several ports may share one.
  [[nodiscard]] const EthernetPort& port(PortId id) const noexcept {
    return devices_[device_of_[id.value]];
  }
  // What the pipeline must know of the ports, by PortId.
  [[nodiscard]] const std::vector<pipeline::PortSetup>& setups() const noexcept { return setups_; }
  // For frames the main core sends.
  [[nodiscard]] rte_mempool* pool() const noexcept { return pools_.on(sockets_.front()); }
  [[nodiscard]] bool huge_pages() const noexcept { return eal_.huge_pages(); }

 private:
  Machine(Eal eal, Pools pools, std::vector<int> sockets)
      : eal_(std::move(eal)), pools_(std::move(pools)), sockets_(std::move(sockets)) {}

  [[nodiscard]] Result<void> open_ports(const model::Configuration& configuration);
  [[nodiscard]] Result<void> make_workers(const model::Configuration& configuration);

  // Destroyed from the last to the first: each needs those above it.
  Eal eal_;
  Pools pools_;
  std::vector<int> sockets_;  // NUMA node of each worker's core, -1: any
  std::vector<EthernetPort> devices_;
  std::vector<std::size_t> device_of_;  // by PortId, into devices_
  std::vector<pipeline::PortSetup> setups_;
  std::unique_ptr<Shared> shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
  bool running_ = false;
};

}  // namespace hawser::dataplane
