// Eal: DPDK's environment: which cores, how much memory, which devices.
//
// DPDK keeps it once per process. Core 0 of DPDK is always the main core, core w+1 is worker w;
// they are mapped onto the machine's cores of the configuration.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "hawser/base/result.h"
#include "hawser/model/configuration.h"

namespace hawser::dataplane {

struct EalOptions {
  bool no_huge = false;             // do not use huge pages even if some are free
  std::string log_level = "error";  // DPDK's own messages: debug, info, warning, error
};

// Is this the PCI address of a device, such as 0000:3b:00.0 or 3b:00.0?
[[nodiscard]] bool is_pci_address(const std::string& device);

// Packet buffers the configured queues, rings and bursts can hold at once.
[[nodiscard]] std::size_t mbufs_wanted(const model::Configuration& configuration);

// Bytes of a packet buffer's data room: a whole frame of the largest MTU, with headroom.
[[nodiscard]] std::size_t mbuf_data_room(const model::Configuration& configuration);

// Memory DPDK needs for that, MiB.
[[nodiscard]] std::size_t eal_megabytes(const model::Configuration& configuration);

// The arguments for rte_eal_init, without the program's name.
[[nodiscard]] std::vector<std::string> eal_arguments(const model::Configuration& configuration,
                                                     const EalOptions& options, bool huge_pages);

class Eal {
 public:
  // Starts DPDK, or says what is missing. Falls back to normal pages with one warning when too few
  // huge pages are free. The calling thread becomes the main core's.
  [[nodiscard]] static Result<Eal> start(const model::Configuration& configuration,
                                         const EalOptions& options);
  ~Eal();
  Eal(Eal&& other) noexcept;
  Eal& operator=(Eal&&) = delete;
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  [[nodiscard]] bool huge_pages() const noexcept { return huge_pages_; }

 private:
  explicit Eal(bool huge_pages) noexcept : huge_pages_(huge_pages) {}
  bool started_ = true;
  bool huge_pages_;
};

}  // namespace hawser::dataplane
