// Puts DPDK, buffers, ports and workers together and takes them apart.
#include "dataplane/machine.h"

#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_memory.h>

#include <algorithm>
#include <map>
#include <utility>

#include <spdlog/spdlog.h>

namespace hawser::dataplane {
namespace {

// DPDK's number of a worker's core (eal.h).
unsigned lcore_of(WorkerId id) {
  return id.value + 1U;
}

int run_worker(void* worker) {
  static_cast<Worker*>(worker)->run();
  return 0;
}

// `port` with the largest MTU of all that share its device.
model::Port widest(model::Port port, const model::Configuration& configuration) {
  for (const model::Port& other : configuration.ports) {
    if (other.device == port.device) port.mtu = std::max(port.mtu, other.mtu);
  }
  return port;
}

}  // namespace

Result<std::unique_ptr<Machine>> Machine::create(const model::Configuration& configuration,
                                                 const EalOptions& options) {
  Result<Eal> eal = Eal::start(configuration, options);
  if (!eal) return eal.error();
  std::vector<int> sockets;
  for (unsigned w = 0; w < configuration.dataplane.workers.size(); ++w) {
    // Without huge pages DPDK has all its memory in one place.
    const bool anywhere = !eal->huge_pages();
    sockets.push_back(anywhere ? SOCKET_ID_ANY
                               : static_cast<int>(rte_lcore_to_socket_id(
                                     lcore_of(WorkerId(static_cast<std::uint16_t>(w))))));
  }
  Result<Pools> pools =
      Pools::create(sockets, mbufs_wanted(configuration), mbuf_data_room(configuration));
  if (!pools) return pools.error();
  std::unique_ptr<Machine> machine(
      new Machine(*std::move(eal), *std::move(pools), std::move(sockets)));
  if (Result<void> done = machine->open_ports(configuration); !done) return done.error();
  if (Result<void> done = machine->make_workers(configuration); !done) return done.error();
  return machine;
}

Result<void> Machine::open_ports(const model::Configuration& configuration) {
  QueueSetup queues{.rx_descriptors = configuration.dataplane.rx_descriptors,
                    .tx_descriptors = configuration.dataplane.tx_descriptors,
                    .pools = {}};
  for (const int socket : sockets_) queues.pools.push_back(pools_.on(socket));
  std::map<std::string, std::size_t> known;  // devices by their text
  for (const model::Port& port : configuration.ports) {
    const auto [device, is_new] = known.emplace(port.device, devices_.size());
    if (is_new) {
      Result<EthernetPort> opened = EthernetPort::open(widest(port, configuration), queues);
      if (!opened) return opened.error();
      devices_.push_back(*std::move(opened));
    }
    device_of_.push_back(device->second);
    setups_.push_back({.name = port.name,
                       .device = port.device,
                       .vlan = port.vlan,
                       .mtu = port.mtu,
                       .mac = devices_[device->second].mac(),
                       .addresses = port.addresses,
                       .gateways = port.gateways,
                       .nat_addresses = port.nat_addresses});
  }
  return {};
}

Result<void> Machine::make_workers(const model::Configuration& configuration) {
  const model::Dataplane& dataplane = configuration.dataplane;
  Result<Readers> readers = Readers::create(dataplane.workers.size());
  if (!readers) return readers.error();
  Result<Rings> rings = Rings::create(sockets_);
  if (!rings) return rings.error();
  Result<LoadBoard> load = LoadBoard::create(dataplane.workers.size());
  if (!load) return load.error();
  shared_ = std::make_unique<Shared>(*std::move(readers), *std::move(rings), *std::move(load),
                                     dataplane.idle);

  std::size_t nat_addresses = 0;
  for (const model::Port& port : configuration.ports) nat_addresses += port.nat_addresses.size();
  bool huge = true;
  for (std::size_t w = 0; w < dataplane.workers.size(); ++w) {
    WorkerSetup setup{.id = WorkerId(static_cast<std::uint16_t>(w)),
                      .core = dataplane.workers[w],
                      .ports = {},
                      .pool = pools_.on(sockets_[w])};
    std::size_t seen = 0;  // devices; the first port of each receives for all
    for (const std::size_t index : device_of_) {
      const EthernetPort& device = devices_[index];
      setup.ports.push_back(
          {.dpdk_id = device.id(), .receives = index == seen && w < device.rx_queues()});
      seen += index == seen ? 1 : 0;
    }
    Result<WorkerMemory> memory = WorkerMemory::create(dataplane, nat_addresses);
    if (!memory) return memory.error();
    huge = huge && memory->in_huge_pages();
    workers_.push_back(std::make_unique<Worker>(std::move(setup), *std::move(memory), *shared_));
  }
  if (huge_pages() && !huge) {
    spdlog::warn("too few huge pages are free for the flow tables: they are in normal pages");
  }
  return {};
}

Result<void> Machine::start() {
  running_ = true;
  for (EthernetPort& port : devices_) {
    if (Result<void> started = port.start(); !started) return started.error();
  }
  for (const std::unique_ptr<Worker>& worker : workers_) {
    if (rte_eal_remote_launch(run_worker, worker.get(), lcore_of(worker->id())) != 0) {
      return fail("worker " + std::to_string(worker->id().value) + " does not start on core " +
                  std::to_string(worker->core()));
    }
  }
  return {};
}

void Machine::stop() noexcept {
  if (!std::exchange(running_, false)) return;
  for (const std::unique_ptr<Worker>& worker : workers_) worker->stop();
  for (const std::unique_ptr<Worker>& worker : workers_) {
    rte_eal_wait_lcore(lcore_of(worker->id()));
  }
  for (EthernetPort& port : devices_) port.stop();
}

Machine::~Machine() {
  stop();
}

}  // namespace hawser::dataplane
