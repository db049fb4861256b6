// EthernetPort: one NIC port or vdev under DPDK: found, configured, started, observed.
//
// Threading: main core only, except for the queues themselves: worker w alone receives from rx
// queue w and sends to tx queue w.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hawser/base/result.h"
#include "hawser/base/strong.h"
#include "hawser/model/configuration.h"
#include "hawser/net/address.h"

struct rte_mempool;

namespace hawser::dataplane {

// What the port itself counted.
struct PortStatistics {
  std::uint64_t received_packets = 0;
  std::uint64_t sent_packets = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t missed_packets = 0;  // no descriptor or no buffer
  std::uint64_t receive_errors = 0;
};

// Queues, and the pool of packet buffers of each worker.
struct QueueSetup {
  std::uint32_t rx_descriptors = 0;
  std::uint32_t tx_descriptors = 0;
  std::vector<rte_mempool*> pools;  // by worker
};

class EthernetPort {
 public:
  // Finds the device of `port` and makes it ready, one queue pair for each worker. Errors name the
  // port, what is wrong, and what to do.
  [[nodiscard]] static Result<EthernetPort> open(const model::Port& port, const QueueSetup& queues);
  ~EthernetPort();
  EthernetPort(EthernetPort&& other) noexcept;
  EthernetPort& operator=(EthernetPort&&) = delete;
  EthernetPort(const EthernetPort&) = delete;
  EthernetPort& operator=(const EthernetPort&) = delete;

  // Packets flow from here on.
  [[nodiscard]] Result<void> start();
  void stop() noexcept;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  // DPDK's number of the port.
  [[nodiscard]] std::uint16_t id() const noexcept { return id_; }
  [[nodiscard]] std::uint16_t rx_queues() const noexcept { return rx_queues_; }
  [[nodiscard]] const net::MacAddress& mac() const noexcept { return mac_; }
  [[nodiscard]] bool link_up() const;
  [[nodiscard]] PortStatistics statistics() const;

 private:
  explicit EthernetPort(const model::Port& port) : name_(port.name), device_(port.device) {}

  [[nodiscard]] Error failed(const std::string& what, int code) const;
  [[nodiscard]] Result<void> find();
  [[nodiscard]] Result<void> configure(std::uint16_t mtu, const QueueSetup& queues);
  [[nodiscard]] Result<void> find_mac();
  [[nodiscard]] Result<void> set_up_queues(const QueueSetup& queues);
  void accept_multicast() const;

  std::string name_;
  std::string device_;
  net::MacAddress mac_;
  std::uint16_t id_ = 0;
  std::uint16_t rx_queues_ = 0;
  bool open_ = false;
  bool started_ = false;
};

}  // namespace hawser::dataplane
