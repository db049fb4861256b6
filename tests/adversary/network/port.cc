// AF_PACKET in bursts: recvmmsg and sendmmsg, past the queueing discipline.
#include "network/port.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace hawser::adversary {
namespace {

constexpr std::size_t kBurst = 64;
constexpr std::size_t kLongestFrame = 16384;      // bytes: above any MTU of the tests
constexpr int kReceiveBuffer = 64 * 1024 * 1024;  // bytes: a tenth of a second of a busy link
constexpr const char* kHint = " (is it in this network namespace, and is this root?)";

[[noreturn]] void refuse(const std::string& what, const std::string& interface) {
  throw std::runtime_error(what + " " + interface + ": " + std::strerror(errno) + kHint);
}

void set(int descriptor, int level, int option, int value, const std::string& interface) {
  if (setsockopt(descriptor, level, option, &value, sizeof(value)) != 0) {
    refuse("cannot set up", interface);
  }
}

}  // namespace

Port::Port(const std::string& interface) : name_(interface), buffers_(kBurst * kLongestFrame) {
  const unsigned index = if_nametoindex(interface.c_str());
  if (index == 0) refuse("no interface", interface);
  // No protocol yet, so that nothing comes in before it is bound.
  descriptor_ = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) refuse("no raw socket for", interface);
  set(descriptor_, SOL_SOCKET, SO_RCVBUFFORCE, kReceiveBuffer, interface);
  set(descriptor_, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, interface);
  set(descriptor_, SOL_PACKET, PACKET_QDISC_BYPASS, 1, interface);
  packet_mreq all{};
  all.mr_ifindex = static_cast<int>(index);
  all.mr_type = PACKET_MR_PROMISC;
  if (setsockopt(descriptor_, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) != 0) {
    refuse("cannot listen to all of", interface);
  }
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  if (ioctl(descriptor_, SIOCGIFMTU, &request) != 0) refuse("no MTU of", interface);
  mtu_ = static_cast<std::size_t>(request.ifr_mtu);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(index);
  if (bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    refuse("cannot bind to", interface);
  }
}

Port::~Port() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::size_t Port::receive(const std::function<void(std::span<const std::uint8_t>)>& take) {
  std::array<mmsghdr, kBurst> messages{};
  std::array<iovec, kBurst> pieces{};
  for (std::size_t i = 0; i < kBurst; ++i) {
    pieces[i] = {buffers_.data() + i * kLongestFrame, kLongestFrame};
    messages[i].msg_hdr.msg_iov = &pieces[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  const int count = recvmmsg(descriptor_, messages.data(), kBurst, MSG_DONTWAIT, nullptr);
  if (count <= 0) {
    if (count < 0 && errno != EAGAIN && errno != EINTR && errno != ENETDOWN) {
      refuse("cannot read from", name_);
    }
    return 0;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    take({buffers_.data() + i * kLongestFrame,
          std::min<std::size_t>(messages[i].msg_len, kLongestFrame)});
  }
  return static_cast<std::size_t>(count);
}

std::size_t Port::send(const std::vector<Frame>& frames) {
  std::size_t refused = 0;
  for (std::size_t sent = 0; sent < frames.size();) {
    std::array<mmsghdr, kBurst> messages{};
    std::array<iovec, kBurst> pieces{};
    const std::size_t count = std::min(kBurst, frames.size() - sent);
    for (std::size_t i = 0; i < count; ++i) {
      const Frame& frame = frames[sent + i];
      pieces[i] = {const_cast<std::uint8_t*>(frame.data()), frame.size()};
      messages[i].msg_hdr.msg_iov = &pieces[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int taken = sendmmsg(descriptor_, messages.data(), static_cast<unsigned>(count), 0);
    if (taken > 0) {
      sent += static_cast<std::size_t>(taken);
    } else if (errno != EINTR) {
      ++refused;  // this one: too long for the link, or no room; a link may lose
      ++sent;
    }
  }
  return refused;
}

std::uint64_t Port::missed() {
  tpacket_stats statistics{};
  socklen_t length = sizeof(statistics);
  if (getsockopt(descriptor_, SOL_PACKET, PACKET_STATISTICS, &statistics, &length) != 0) return 0;
  return statistics.tp_drops;
}

}  // namespace hawser::adversary
