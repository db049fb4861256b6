// Builds DPDK's arguments from the configuration and starts it.
#include "dataplane/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <sched.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include <spdlog/spdlog.h>

#include "hawser/base/limits.h"

namespace hawser::dataplane {
namespace {

// Ethernet header and two VLAN tags, without FCS.
constexpr std::size_t kFrameOverhead = 22;
// What DPDK puts around the data room: the mbuf itself and the mempool's header.
constexpr std::size_t kMbufOverhead = sizeof(rte_mbuf) + 64;

std::size_t read_number(const std::filesystem::path& path) {
  std::size_t value = 0;
  std::ifstream(path) >> value;
  return value;
}

std::size_t free_huge_megabytes() {
  std::size_t kilobytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", error)) {
    const std::string name = entry.path().filename().string();  // hugepages-2048kB
    const std::size_t dash = name.find('-');
    if (dash == std::string::npos) continue;
    kilobytes += std::strtoull(name.c_str() + dash + 1, nullptr, 10) *
                 read_number(entry.path() / "free_hugepages");
  }
  return kilobytes >> 10;
}

bool has_pci_port(const model::Configuration& configuration) {
  return std::any_of(configuration.ports.begin(), configuration.ports.end(),
                     [](const model::Port& port) { return is_pci_address(port.device); });
}

// Are all configured cores among those this process may run on?
Result<void> check_cores(const model::Dataplane& dataplane) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return {};
  std::string list;
  for (unsigned core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &allowed)) list += (list.empty() ? "" : ", ") + std::to_string(core);
  }
  const auto check = [&](std::uint32_t core, const char* key) -> Result<void> {
    if (core < CPU_SETSIZE && CPU_ISSET(core, &allowed)) return {};
    return fail("[dataplane] " + std::string(key) + ": this machine has no core " +
                std::to_string(core) + " for us; there are " + list);
  };
  if (Result<void> found = check(dataplane.main_core, "main_core"); !found) return found;
  for (const std::uint32_t core : dataplane.workers) {
    if (Result<void> found = check(core, "workers"); !found) return found;
  }
  return {};
}

void warn_about_pages(std::size_t wanted, std::size_t available, bool asked_for) {
  if (asked_for) {
    spdlog::info("huge pages are not used, as asked for");
    return;
  }
  // A third more than needed: flow tables come out of the same pages.
  spdlog::warn(
      "{} MiB of huge pages are free, {} MiB are needed: running on normal pages, slower; "
      "to change that: echo {} > /proc/sys/vm/nr_hugepages",
      available, wanted, std::max<std::size_t>(256, wanted * 4 / 3 / 2));
}

}  // namespace

bool is_pci_address(const std::string& device) {
  // [domain:]bus:device.function, all hexadecimal.
  std::string shape;
  for (const char c : device) {
    const bool digit = std::isxdigit(static_cast<unsigned char>(c)) != 0;
    shape += digit ? 'x' : c;
  }
  return shape == "xx:xx.x" || shape == "xxxx:xx:xx.x";
}

std::size_t mbuf_data_room(const model::Configuration& configuration) {
  std::size_t frame = limits::kMbufDataRoom;
  for (const model::Port& port : configuration.ports) {
    frame = std::max(frame, std::size_t{port.mtu} + kFrameOverhead);
  }
  return (frame + 63) / 64 * 64 + RTE_PKTMBUF_HEADROOM;
}

std::size_t mbufs_wanted(const model::Configuration& configuration) {
  const model::Dataplane& dataplane = configuration.dataplane;
  if (dataplane.mbufs != 0) return dataplane.mbufs;
  const std::size_t workers = dataplane.workers.size();
  const std::size_t queues = workers * configuration.ports.size();
  const std::size_t hand_off = workers > 1 ? workers * limits::kHandOffRing : 0;
  // A mempool cache may hold half as much again before it gives back.
  const std::size_t cached =
      (workers + 1) * (limits::kMbufCache * 3 / 2 + 4 * limits::kBurst + limits::kSpares +
                       limits::kHeldFragments + limits::kHeldPackets);
  return queues * (dataplane.rx_descriptors + dataplane.tx_descriptors) + hand_off +
         limits::kPuntRing + limits::kInjectRing + cached;
}

std::size_t eal_megabytes(const model::Configuration& configuration) {
  const std::size_t bytes =
      mbufs_wanted(configuration) * (mbuf_data_room(configuration) + kMbufOverhead);
  const std::size_t queues = configuration.dataplane.workers.size() * configuration.ports.size();
  return (bytes >> 20) * 9 / 8 + limits::kEalMegabytes + queues * limits::kQueueMegabytes;
}

std::vector<std::string> eal_arguments(const model::Configuration& configuration,
                                       const EalOptions& options, bool huge_pages) {
  const model::Dataplane& dataplane = configuration.dataplane;
  std::string cores = "0@" + std::to_string(dataplane.main_core);
  for (std::size_t w = 0; w < dataplane.workers.size(); ++w) {
    cores += "," + std::to_string(w + 1) + "@" + std::to_string(dataplane.workers[w]);
  }
  std::vector<std::string> arguments{"--no-telemetry", "--lcores=" + cores, "--main-lcore=0",
                                     "--log-level=" + options.log_level};
  if (huge_pages) {
    arguments.emplace_back("--in-memory");
  } else {
    // DPDK allows --in-memory with huge pages only; this, too, leaves no files behind.
    arguments.insert(arguments.end(), {"--no-shconf", "--no-huge", "-m",
                                       std::to_string(eal_megabytes(configuration))});
  }
  if (!has_pci_port(configuration)) {
    arguments.insert(arguments.end(), {"--no-pci", "--iova-mode=va"});
  }
  for (const model::Port& port : configuration.ports) {
    if (is_pci_address(port.device)) arguments.insert(arguments.end(), {"-a", port.device});
  }
  arguments.insert(arguments.end(), dataplane.eal.begin(), dataplane.eal.end());
  return arguments;
}

Result<Eal> Eal::start(const model::Configuration& configuration, const EalOptions& options) {
  if (Result<void> cores = check_cores(configuration.dataplane); !cores) return cores.error();
  const std::size_t wanted = eal_megabytes(configuration);
  const std::size_t available = free_huge_megabytes();
  const bool huge_pages = !options.no_huge && available >= wanted;
  if (!huge_pages) warn_about_pages(wanted, available, options.no_huge);

  std::vector<std::string> arguments = eal_arguments(configuration, options, huge_pages);
  std::string program = "hawser-dataplane";
  std::vector<char*> pointers{program.data()};
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  if (rte_eal_init(static_cast<int>(pointers.size()), pointers.data()) < 0) {
    std::string joined;
    for (const std::string& argument : arguments) joined += " " + argument;
    return fail("DPDK did not start: " + std::string(rte_strerror(rte_errno)) +
                "; its arguments were:" + joined + "; run with --log-level debug to see more");
  }
  return Eal(huge_pages);
}

Eal::~Eal() {
  if (started_) rte_eal_cleanup();
}

Eal::Eal(Eal&& other) noexcept : started_(other.started_), huge_pages_(other.huge_pages_) {
  other.started_ = false;
}

}  // namespace hawser::dataplane
