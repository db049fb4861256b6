// What a tunnel's outer header carries of the flow hash, which no row can know.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "script.h"

namespace hawser::spec {

// Takes the bits that are free to be anything from `actual` into `expected`: 20 of an outer IPv6
// header's flow label, 14 of an outer UDP header's source port, whose upper two bits must be set,
// and over IPv6 the UDP checksum, which must be right. Everything else stays to be compared. The
// same flow must carry the same bits each time: `known` remembers them by the flow's name. Returns
// what is wrong.
[[nodiscard]] std::vector<std::string> take_entropy(const std::string& flow, Bytes& expected,
                                                    std::span<const std::uint8_t> actual,
                                                    std::map<std::string, Bytes>& known);

}  // namespace hawser::spec
