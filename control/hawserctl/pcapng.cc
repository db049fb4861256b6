// Puts pcapng blocks together: type, length, body, options, length again.
#include "pcapng.h"

#include <array>
#include <cstring>
#include <limits>

#include "hawser/net/address.h"

namespace hawser::ctl::pcapng {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kInterfaceStatistics = 5;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrder = 0x1a2b3c4d;
constexpr std::uint16_t kEthernet = 1;  // LINKTYPE_ETHERNET

constexpr std::uint16_t kEndOfOptions = 0;
constexpr std::uint16_t kComment = 1;
constexpr std::uint16_t kSectionApplication = 4;
constexpr std::uint16_t kInterfaceName = 2;
constexpr std::uint16_t kInterfaceText = 3;
constexpr std::uint16_t kInterfaceMac = 6;
constexpr std::uint16_t kInterfaceResolution = 9;
constexpr std::uint16_t kPacketFlags = 2;
constexpr std::uint16_t kStatisticsBegin = 2;
constexpr std::uint16_t kStatisticsEnd = 3;
constexpr std::uint16_t kStatisticsReceived = 4;
constexpr std::uint16_t kStatisticsDropped = 5;
constexpr std::uint16_t kStatisticsAccepted = 6;
constexpr std::uint16_t kStatisticsDelivered = 8;

constexpr std::uint32_t kInbound = 1;
constexpr std::uint32_t kOutbound = 2;

class Block {
 public:
  explicit Block(std::uint32_t type) {
    add(type);
    add(std::uint32_t{0});  // the length, once it is known
  }

  template <typename T>
  void add(T value) {
    std::array<char, sizeof(T)> raw{};
    std::memcpy(raw.data(), &value, sizeof(T));
    bytes_.append(raw.data(), raw.size());
  }
  // High half first, whatever the byte order.
  void add_time(std::uint64_t nanoseconds) {
    add(static_cast<std::uint32_t>(nanoseconds >> 32));
    add(static_cast<std::uint32_t>(nanoseconds));
  }
  // With zeros up to a multiple of four.
  void add_padded(std::string_view data) {
    bytes_.append(data);
    bytes_.append((4 - data.size() % 4) % 4, '\0');
  }

  // An empty text is left out.
  void option(std::uint16_t code, std::string_view value) {
    if (value.empty()) return;
    const std::string_view fits = value.substr(0, std::numeric_limits<std::uint16_t>::max());
    add(code);
    add(static_cast<std::uint16_t>(fits.size()));
    add_padded(fits);
    has_options_ = true;
  }
  template <typename T>
  void number(std::uint16_t code, T value) {
    std::array<char, sizeof(T)> raw{};
    std::memcpy(raw.data(), &value, sizeof(T));
    option(code, {raw.data(), raw.size()});
  }
  void time(std::uint16_t code, std::uint64_t nanoseconds) {
    number(code, nanoseconds >> 32 | nanoseconds << 32);
  }

  [[nodiscard]] std::string finish() {
    if (has_options_) {
      add(kEndOfOptions);
      add(std::uint16_t{0});
    }
    const auto length = static_cast<std::uint32_t>(bytes_.size() + sizeof(std::uint32_t));
    std::memcpy(bytes_.data() + sizeof(std::uint32_t), &length, sizeof(length));
    add(length);
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
  bool has_options_ = false;
};

}  // namespace

std::string section_header(std::string_view application, std::string_view comment) {
  constexpr std::uint16_t kMajor = 1;
  constexpr std::uint16_t kMinor = 0;
  Block block(kSectionHeader);
  block.add(kByteOrder);
  block.add(kMajor);
  block.add(kMinor);
  block.add(std::int64_t{-1});  // bytes of the section: not known
  block.option(kSectionApplication, application);
  block.option(kComment, comment);
  return block.finish();
}

std::string interface_description(const Interface& interface) {
  constexpr std::uint8_t kNanoseconds = 9;  // a negative power of ten
  Block block(kInterfaceDescription);
  block.add(kEthernet);
  block.add(std::uint16_t{0});
  block.add(interface.snap);
  block.option(kInterfaceName, interface.name);
  block.option(kInterfaceText, interface.description);
  if (const Result<net::MacAddress> mac = net::parse_mac(interface.mac))
    block.number(kInterfaceMac, mac->bytes);
  block.number(kInterfaceResolution, kNanoseconds);
  return block.finish();
}

std::string enhanced_packet(const Packet& packet) {
  Block block(kEnhancedPacket);
  block.add(packet.interface);
  block.add_time(packet.unix_nanoseconds);
  block.add(static_cast<std::uint32_t>(packet.data.size()));
  block.add(packet.length);
  block.add_padded(packet.data);
  block.number(kPacketFlags, packet.sent ? kOutbound : kInbound);
  block.option(kComment, packet.comment);
  return block.finish();
}

std::string interface_statistics(const Statistics& statistics) {
  Block block(kInterfaceStatistics);
  block.add(statistics.interface);
  block.add_time(statistics.ended);
  block.time(kStatisticsBegin, statistics.begun);
  block.time(kStatisticsEnd, statistics.ended);
  block.number(kStatisticsReceived, statistics.received);
  block.number(kStatisticsDropped, statistics.dropped);
  block.number(kStatisticsAccepted, statistics.accepted);
  block.number(kStatisticsDelivered, statistics.delivered);
  block.option(kComment, statistics.comment);
  return block.finish();
}

}  // namespace hawser::ctl::pcapng
