// Creates TAP interfaces and sets them up through ioctl and netlink.
#include "dataplane/tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "dataplane/netlink.h"

namespace hawser::dataplane {
namespace {

ifreq request_for(const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return request;
}

Error failed(const std::string& name, const std::string& what) {
  return fail("exception TAP " + name + ": " + what + ": " + std::strerror(errno));
}

Result<int> open_tap(const std::string& name) {
  const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    return failed(name, "/dev/net/tun cannot be opened (modprobe tun; CAP_NET_ADMIN is needed)");
  }
  ifreq request = request_for(name);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (::ioctl(fd, TUNSETIFF, &request) == 0) return fd;
  const Error error =
      failed(name, errno == EBUSY ? "an interface of this name is in use; choose another `tap`"
                                  : "cannot be created (CAP_NET_ADMIN is needed)");
  ::close(fd);
  return error;
}

// MAC address before up, so that the kernel derives its link-local address from it.
Result<void> set_up_link(int control, const TapSetup& setup) {
  ifreq request = request_for(setup.name);
  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  std::memcpy(request.ifr_hwaddr.sa_data, setup.mac.bytes.data(), setup.mac.bytes.size());
  if (::ioctl(control, SIOCSIFHWADDR, &request) != 0) {
    return failed(setup.name, "MAC address " + net::to_string(setup.mac) + " is refused");
  }
  request = request_for(setup.name);
  request.ifr_mtu = setup.mtu;
  if (::ioctl(control, SIOCSIFMTU, &request) != 0) {
    return failed(setup.name, "mtu " + std::to_string(setup.mtu) + " is refused");
  }
  request = request_for(setup.name);
  request.ifr_flags = IFF_UP | IFF_BROADCAST | IFF_MULTICAST;
  if (::ioctl(control, SIOCSIFFLAGS, &request) != 0) {
    return failed(setup.name, "cannot be brought up");
  }
  return {};
}

}  // namespace

Result<Tap> Tap::create(const TapSetup& setup) {
  Result<int> fd = open_tap(setup.name);
  if (!fd) return fd.error();
  Tap tap(setup.name, *fd);
  const int control = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (control < 0) return failed(setup.name, "no socket to set it up");
  const Result<void> ready = set_up_link(control, setup);
  ::close(control);
  if (!ready) return ready.error();
  for (const net::Prefix& address : setup.addresses) {
    if (Result<void> added = add_address(setup.name, address); !added) return added.error();
  }
  return tap;
}

Tap::~Tap() {
  close();
}

void Tap::close() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::size_t Tap::read(std::span<std::uint8_t> room) noexcept {
  const ssize_t got = ::read(fd_, room.data(), room.size());
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

bool Tap::write(std::span<const std::uint8_t> frame) noexcept {
  return ::write(fd_, frame.data(), frame.size()) == static_cast<ssize_t>(frame.size());
}

}  // namespace hawser::dataplane
