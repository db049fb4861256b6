// Saying how two frames or two sets of counters differ.
#include "difference.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <string_view>

namespace hawser::spec {
namespace {

struct Field {
  std::size_t offset;
  std::string_view name;
};

constexpr std::size_t kMaxLines = 12;  // of differing bytes; the hex shows the rest

constexpr std::array kEthernet{Field{0, "ethernet destination"}, Field{6, "ethernet source"},
                               Field{12, "ether type"}};
constexpr std::array kArp{
    Field{0, "hardware type"}, Field{2, "protocol type"},   Field{4, "lengths"},
    Field{6, "operation"},     Field{8, "sender mac"},      Field{14, "sender address"},
    Field{18, "target mac"},   Field{24, "target address"}, Field{28, "padding"}};
constexpr std::array kIpv4{Field{0, "version, header length"},
                           Field{1, "dscp, ecn"},
                           Field{2, "total length"},
                           Field{4, "identification"},
                           Field{6, "flags, fragment offset"},
                           Field{8, "ttl"},
                           Field{9, "protocol"},
                           Field{10, "header checksum"},
                           Field{12, "ipv4 source"},
                           Field{16, "ipv4 destination"},
                           Field{20, "ipv4 options"}};
constexpr std::array kIpv6{Field{0, "version, class, flow label"},
                           Field{4, "payload length"},
                           Field{6, "next header"},
                           Field{7, "hop limit"},
                           Field{8, "ipv6 source"},
                           Field{24, "ipv6 destination"}};
constexpr std::array kTcp{Field{0, "tcp source port"}, Field{2, "tcp destination port"},
                          Field{4, "sequence"},        Field{8, "acknowledgement"},
                          Field{12, "data offset"},    Field{13, "tcp flags"},
                          Field{14, "window"},         Field{16, "tcp checksum"},
                          Field{18, "urgent pointer"}, Field{20, "tcp options, payload"}};
constexpr std::array kUdp{Field{0, "udp source port"}, Field{2, "udp destination port"},
                          Field{4, "udp length"}, Field{6, "udp checksum"},
                          Field{8, "udp payload"}};
constexpr std::array kIcmp{Field{0, "icmp type"},     Field{1, "icmp code"},
                           Field{2, "icmp checksum"}, Field{4, "icmp flags"},
                           Field{8, "icmp target"},   Field{24, "icmp option"}};
constexpr std::array kPayload{Field{0, "payload"}};

// The field of `fields` that `offset` lies in.
std::string_view name_in(std::span<const Field> fields, std::size_t offset) {
  std::string_view name = fields.front().name;
  for (const Field& field : fields) {
    if (field.offset <= offset) name = field.name;
  }
  return name;
}

std::span<const Field> transport_fields(std::uint8_t protocol) {
  if (protocol == 6) return kTcp;
  if (protocol == 17) return kUdp;
  if (protocol == 58) return kIcmp;
  return kPayload;
}

std::string_view field_name(std::span<const std::uint8_t> frame, std::size_t offset) {
  if (offset < 14 || frame.size() < 14) return name_in(kEthernet, offset);
  const unsigned type = frame[12] * 256U + frame[13];
  const std::size_t in_l3 = offset - 14;
  if (type == 0x0806) return name_in(kArp, in_l3);
  if (type == 0x0800 && frame.size() >= 34) {
    const std::size_t header = std::size_t{frame[14] & 0x0fU} * 4;
    if (in_l3 < header) return name_in(kIpv4, in_l3);
    return name_in(transport_fields(frame[23]), in_l3 - header);
  }
  if (type == 0x86dd && frame.size() >= 54) {
    if (in_l3 < 40) return name_in(kIpv6, in_l3);
    return name_in(transport_fields(frame[20]), in_l3 - 40);
  }
  return "payload";
}

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    std::array<char, 3> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", unsigned{byte});
    text += digits.data();
  }
  return text.empty() ? "(nothing)" : text;
}

std::string count_text(const Json& counters, const std::string& key) {
  return counters.contains(key) ? counters.at(key).dump() : "0";
}

}  // namespace

std::vector<std::string> differences(std::span<const std::uint8_t> expected,
                                     std::span<const std::uint8_t> actual) {
  std::vector<std::string> lines;
  if (std::equal(expected.begin(), expected.end(), actual.begin(), actual.end())) return lines;
  if (expected.size() != actual.size()) {
    lines.push_back("length: expected " + std::to_string(expected.size()) + ", got " +
                    std::to_string(actual.size()));
  }
  const std::size_t common = std::min(expected.size(), actual.size());
  for (std::size_t i = 0; i < common && lines.size() < kMaxLines; ++i) {
    if (expected[i] == actual[i]) continue;
    lines.push_back("byte " + std::to_string(i) + " (" + std::string(field_name(expected, i)) +
                    "): expected " + hex(expected.subspan(i, 1)) + ", got " +
                    hex(actual.subspan(i, 1)));
  }
  lines.push_back("expected " + hex(expected));
  lines.push_back("got      " + hex(actual));
  return lines;
}

std::vector<std::string> differences(const Json& expected, const Json& actual,
                                     const std::string& path) {
  std::set<std::string> keys;
  for (const auto& item : expected.items()) keys.insert(item.key());
  for (const auto& item : actual.items()) keys.insert(item.key());
  std::vector<std::string> lines;
  for (const std::string& key : keys) {
    std::string name = path;
    name.append(" ").append(key);
    const bool nested = (expected.contains(key) && expected.at(key).is_object()) ||
                        (actual.contains(key) && actual.at(key).is_object());
    if (nested) {
      const auto inner =
          differences(expected.value(key, Json::object()), actual.value(key, Json::object()), name);
      lines.insert(lines.end(), inner.begin(), inner.end());
    } else if (count_text(expected, key) != count_text(actual, key)) {
      lines.push_back(name + ": expected " + count_text(expected, key) + ", got " +
                      count_text(actual, key));
    }
  }
  return lines;
}

}  // namespace hawser::spec
