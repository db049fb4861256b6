// The UDP header (RFC 768).
#pragma once

#include <cstddef>

#include "hawser/net/endian.h"

namespace hawser::net {

struct UdpHeader {
  Big16 source_port;
  Big16 destination_port;
  Big16 length;
  Big16 checksum;  // 0: none was computed (IPv4 only)
};
static_assert(sizeof(UdpHeader) == 8 && alignof(UdpHeader) == 2);
static_assert(offsetof(UdpHeader, checksum) == 6);

}  // namespace hawser::net
