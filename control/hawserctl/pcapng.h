// Blocks of a pcapng file (draft-ietf-opsawg-pcapng), in the byte order of this machine.
//
// Pure: each function returns one whole block. Sections 4.1 to 4.6 of the draft name the fields.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hawser::ctl::pcapng {

// The first block of a file.
[[nodiscard]] std::string section_header(std::string_view application, std::string_view comment);

struct Interface {
  std::string name;
  std::string description;
  std::string mac;         // aa:bb:cc:dd:ee:ff; anything else is left out
  std::uint32_t snap = 0;  // bytes of a frame at most; 0: all
};
// Of Ethernet, with times in nanoseconds. Interfaces are numbered from 0 in their order.
[[nodiscard]] std::string interface_description(const Interface& interface);

struct Packet {
  std::uint32_t interface = 0;
  std::uint64_t unix_nanoseconds = 0;
  std::uint32_t length = 0;  // bytes of the frame
  std::string_view data;     // of those, from its begin
  bool sent = false;         // outbound, else inbound
  std::string_view comment;
};
[[nodiscard]] std::string enhanced_packet(const Packet& packet);

// Times are in nanoseconds since 1970.
struct Statistics {
  std::uint32_t interface = 0;
  std::uint64_t begun = 0;
  std::uint64_t ended = 0;
  std::uint64_t received = 0;   // packets that matched
  std::uint64_t accepted = 0;   // of those, not sampled out
  std::uint64_t dropped = 0;    // of those, lost
  std::uint64_t delivered = 0;  // frames in the file
  std::string_view comment;
};
[[nodiscard]] std::string interface_statistics(const Statistics& statistics);

}  // namespace hawser::ctl::pcapng
