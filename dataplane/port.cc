// Finds, configures and starts Ethernet ports through DPDK.
#include "dataplane/port.h"

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <limits>
#include <utility>

#include <spdlog/spdlog.h>

#include "dataplane/eal.h"

namespace hawser::dataplane {
namespace {

// What RSS spreads by: both addresses, and both ports where there are some.
constexpr std::uint64_t kRssFields = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP;
constexpr std::uint64_t kRxOffloads = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM |
                                      RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_RSS_HASH;
constexpr std::uint64_t kTxOffloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;

std::string error_text(int code) {
  return rte_strerror(code < 0 ? -code : code);
}

// A vdev string is a name and, after a comma, the arguments of its driver.
std::pair<std::string, std::string> split_vdev(const std::string& device) {
  const std::size_t comma = device.find(',');
  if (comma == std::string::npos) return {device, ""};
  return {device.substr(0, comma), device.substr(comma + 1)};
}

// The kernel's interface a vdev wants to sit on, if it names one.
std::string wanted_interface(const std::string& arguments) {
  constexpr std::string_view kKey = "iface=";
  const std::size_t at = arguments.find(kKey);
  if (at == std::string::npos || (at > 0 && arguments[at - 1] != ',')) return "";
  const std::size_t begin = at + kKey.size();
  return arguments.substr(begin, arguments.find(',', begin) - begin);
}

// Drivers tell the longest packet, the largest MTU, or both.
std::uint32_t largest_mtu(const rte_eth_dev_info& info) {
  constexpr std::uint32_t kOverhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
  std::uint32_t most = std::numeric_limits<std::uint16_t>::max();
  if (info.max_mtu != 0) most = std::min<std::uint32_t>(most, info.max_mtu);
  if (info.max_rx_pktlen > kOverhead) most = std::min(most, info.max_rx_pktlen - kOverhead);
  return most;
}

// net_tap creates the interface that it names; the others need it.
bool interface_is_missing(const std::string& device, const std::string& interface) {
  return !interface.empty() && device.rfind("net_tap", 0) != 0 &&
         !std::filesystem::exists("/sys/class/net/" + interface);
}

}  // namespace

Error EthernetPort::failed(const std::string& what, int code) const {
  return fail("port \"" + name_ + "\" (" + device_ + "): " + what + ": " + error_text(code));
}

Result<EthernetPort> EthernetPort::open(const model::Port& port, const QueueSetup& queues) {
  EthernetPort result(port);
  if (Result<void> found = result.find(); !found) return found.error();
  if (Result<void> ready = result.configure(port.mtu, queues); !ready) return ready.error();
  return result;
}

Result<void> EthernetPort::find() {
  if (is_pci_address(device_)) {
    // EAL has probed it already, because it was told to with -a. Its name has the domain always.
    const std::string full = device_.size() < 12 ? "0000:" + device_ : device_;
    if (rte_eth_dev_get_port_by_name(full.c_str(), &id_) != 0) {
      return fail("port \"" + name_ + "\": DPDK has no device " + full +
                  "; is the address right (lspci -D), and is the device bound to vfio-pci "
                  "(dpdk-devbind.py --bind=vfio-pci " +
                  full + ")?");
    }
    open_ = true;
    return {};
  }
  const auto [name, arguments] = split_vdev(device_);
  if (const std::string interface = wanted_interface(arguments);
      interface_is_missing(name, interface)) {
    return fail("port \"" + name_ + "\" (" + device_ + "): there is no interface " + interface +
                "; ip link lists those there are");
  }
  if (const int code = rte_eal_hotplug_add("vdev", name.c_str(), arguments.c_str()); code != 0) {
    return failed("no DPDK driver made a device of this; is it spelt right?", code);
  }
  if (const int code = rte_eth_dev_get_port_by_name(name.c_str(), &id_); code != 0) {
    return failed("the driver made no Ethernet port", code);
  }
  open_ = true;
  return {};
}

Result<void> EthernetPort::configure(std::uint16_t mtu, const QueueSetup& queues) {
  rte_eth_dev_info info{};
  if (const int code = rte_eth_dev_info_get(id_, &info); code != 0) {
    return failed("the driver does not describe its device", code);
  }
  const auto workers = static_cast<std::uint16_t>(queues.pools.size());
  if (info.max_tx_queues < workers) {
    return fail("port \"" + name_ + "\" (" + device_ + ") has " +
                std::to_string(info.max_tx_queues) + " transmit queues, but there are " +
                std::to_string(workers) +
                " workers and each needs one: lower [dataplane] workers, or give the device more "
                "queues (net_af_packet: qpairs=N)");
  }
  rx_queues_ = std::min(workers, info.max_rx_queues);
  if (rx_queues_ < workers) {
    spdlog::warn("port {}: {} receive queues for {} workers; the others only get flows handed over",
                 name_, rx_queues_, workers);
  }
  if (const std::uint32_t most = largest_mtu(info); mtu > most) {
    return fail("port \"" + name_ + "\" (" + device_ + "): mtu " + std::to_string(mtu) +
                " is more than the device's " + std::to_string(most));
  }
  rte_eth_conf configuration{};
  configuration.rxmode.mtu = mtu;
  configuration.rxmode.offloads = kRxOffloads & info.rx_offload_capa;
  configuration.txmode.offloads = kTxOffloads & info.tx_offload_capa;
  if (rx_queues_ > 1 && (info.flow_type_rss_offloads & kRssFields) != 0) {
    configuration.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    configuration.rx_adv_conf.rss_conf.rss_hf = kRssFields & info.flow_type_rss_offloads;
  }
  if (const int code = rte_eth_dev_configure(id_, rx_queues_, workers, &configuration); code != 0) {
    return failed("cannot be configured", code);
  }
  if (const int code = rte_eth_dev_set_mtu(id_, mtu); code != 0 && code != -ENOTSUP) {
    return failed("mtu " + std::to_string(mtu) + " is refused", code);
  }
  if (Result<void> known = find_mac(); !known) return known.error();
  return set_up_queues(queues);
}

// A device without hardware behind it (net_ring) may have no address; it gets a local one.
Result<void> EthernetPort::find_mac() {
  rte_ether_addr address{};
  if (const int code = rte_eth_macaddr_get(id_, &address); code != 0) {
    return failed("has no MAC address", code);
  }
  if (rte_is_zero_ether_addr(&address) != 0) rte_eth_random_addr(address.addr_bytes);
  std::memcpy(mac_.bytes.data(), address.addr_bytes, mac_.bytes.size());
  return {};
}

Result<void> EthernetPort::set_up_queues(const QueueSetup& queues) {
  auto rx_descriptors = static_cast<std::uint16_t>(queues.rx_descriptors);
  auto tx_descriptors = static_cast<std::uint16_t>(queues.tx_descriptors);
  if (const int code = rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx_descriptors, &tx_descriptors);
      code != 0) {
    return failed("queues cannot have that many descriptors", code);
  }
  const int socket = rte_eth_dev_socket_id(id_);
  const auto node =
      socket < 0 ? static_cast<unsigned>(SOCKET_ID_ANY) : static_cast<unsigned>(socket);
  for (std::uint16_t queue = 0; queue < rx_queues_; ++queue) {
    const int code =
        rte_eth_rx_queue_setup(id_, queue, rx_descriptors, node, nullptr, queues.pools[queue]);
    if (code != 0) return failed("receive queue " + std::to_string(queue), code);
  }
  const auto tx_queues = static_cast<std::uint16_t>(queues.pools.size());
  for (std::uint16_t queue = 0; queue < tx_queues; ++queue) {
    const int code = rte_eth_tx_queue_setup(id_, queue, tx_descriptors, node, nullptr);
    if (code != 0) return failed("transmit queue " + std::to_string(queue), code);
  }
  return {};
}

// Neighbour solicitations come to groups. A device that cannot be asked for all groups is asked for
// everything instead; parse drops what is not for us.
void EthernetPort::accept_multicast() const {
  if (rte_eth_allmulticast_enable(id_) == 0) {
    static_cast<void>(rte_eth_promiscuous_disable(id_));
    return;
  }
  if (rte_eth_promiscuous_enable(id_) != 0) {
    spdlog::warn(
        "port {}: takes neither all multicast nor everything; IPv6 neighbours may not "
        "find us",
        name_);
  }
}

Result<void> EthernetPort::start() {
  if (const int code = rte_eth_dev_start(id_); code != 0) return failed("cannot be started", code);
  started_ = true;
  accept_multicast();
  return {};
}

void EthernetPort::stop() noexcept {
  if (!started_) return;
  started_ = false;
  static_cast<void>(rte_eth_dev_stop(id_));
}

EthernetPort::~EthernetPort() {
  stop();
  if (open_) static_cast<void>(rte_eth_dev_close(id_));
}

EthernetPort::EthernetPort(EthernetPort&& other) noexcept
    : name_(std::move(other.name_)),
      device_(std::move(other.device_)),
      mac_(other.mac_),
      id_(other.id_),
      rx_queues_(other.rx_queues_),
      open_(std::exchange(other.open_, false)),
      started_(std::exchange(other.started_, false)) {}

bool EthernetPort::link_up() const {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(id_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

PortStatistics EthernetPort::statistics() const {
  rte_eth_stats stats{};
  if (rte_eth_stats_get(id_, &stats) != 0) return {};
  return {.received_packets = stats.ipackets,
          .sent_packets = stats.opackets,
          .received_bytes = stats.ibytes,
          .sent_bytes = stats.obytes,
          .missed_packets = stats.imissed + stats.rx_nombuf,
          .receive_errors = stats.ierrors};
}

}  // namespace hawser::dataplane
