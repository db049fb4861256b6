// Speaks rtnetlink: one RTM_NEWADDR and its acknowledgement.
#include "dataplane/netlink.h"

#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "hawser/base/bytes.h"

namespace hawser::dataplane {
namespace {

// One attribute that holds an address.
struct AddressAttribute {
  rtattr header{};
  std::array<std::uint8_t, 16> bytes{};
};

struct NewAddress {
  nlmsghdr header{};
  ifaddrmsg address{};
};
static_assert(sizeof(NewAddress) == NLMSG_LENGTH(sizeof(ifaddrmsg)));

std::string request_for(unsigned interface, const net::Prefix& prefix) {
  AddressAttribute attribute;
  attribute.header.rta_len = static_cast<unsigned short>(sizeof(rtattr) + prefix.address.size());
  std::memcpy(attribute.bytes.data(), prefix.address.bytes.data(), prefix.address.size());

  NewAddress request;
  request.address.ifa_family = prefix.address.is_ipv4() ? AF_INET : AF_INET6;
  request.address.ifa_prefixlen = prefix.length;
  request.address.ifa_flags = prefix.address.is_ipv4() ? 0 : IFA_F_NODAD;
  request.address.ifa_index = interface;
  request.header.nlmsg_type = RTM_NEWADDR;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
  request.header.nlmsg_len =
      static_cast<std::uint32_t>(sizeof(request) + 2 * std::size_t{attribute.header.rta_len});

  std::string bytes(request.header.nlmsg_len, '\0');
  std::memcpy(bytes.data(), &request, sizeof(request));
  std::size_t at = sizeof(request);
  for (const unsigned short type : {IFA_LOCAL, IFA_ADDRESS}) {
    attribute.header.rta_type = type;
    std::memcpy(bytes.data() + at, &attribute, attribute.header.rta_len);
    at += attribute.header.rta_len;
  }
  return bytes;
}

// 0, or the errno of what the kernel did not like.
int exchange(const std::string& request) {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return errno;
  std::array<std::uint8_t, 4096> answer{};
  ssize_t got = -1;
  if (::send(fd, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size())) {
    got = ::recv(fd, answer.data(), answer.size(), 0);
  }
  const int saved = errno;
  ::close(fd);
  if (got < 0) return saved;
  Reader reader(std::span<const std::uint8_t>(answer).first(static_cast<std::size_t>(got)));
  nlmsghdr header{};
  nlmsgerr error{};
  if (!reader.read(header) || header.nlmsg_type != NLMSG_ERROR || !reader.peek(error))
    return EPROTO;
  return -error.error;
}

}  // namespace

Result<void> add_address(const std::string& interface, const net::Prefix& address) {
  const std::string where = "interface " + interface + ": address " + net::to_string(address);
  const unsigned index = ::if_nametoindex(interface.c_str());
  if (index == 0) return fail(where + ": there is no such interface");
  if (const int code = exchange(request_for(index, address)); code != 0) {
    return fail(where + " is refused: " + std::strerror(code));
  }
  return {};
}

}  // namespace hawser::dataplane
