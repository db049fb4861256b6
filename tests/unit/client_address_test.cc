// What tells a backend the client's address: PROXY protocol header and TOA option, byte by byte.
#include <arpa/inet.h>

#include <array>
#include <cstring>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "hawser/l4/proxy_header.h"
#include "hawser/l4/tcp_options.h"
#include "hawser/l4/toa.h"

namespace hawser::l4 {
namespace {

constexpr std::size_t kRoom = 64;
constexpr std::uint8_t kUntouched = 0xa5;

net::IpAddress address(const char* text) {
  return net::parse_address(text).value();
}

std::string hex(std::span<const std::uint8_t> bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xfU];
  }
  return text;
}

// What was written, as hexadecimal digits; nothing behind it may have changed.
template <typename Write>
std::string written(Write write) {
  std::array<std::uint8_t, kRoom> out{};
  out.fill(kUntouched);
  const std::size_t length = write(std::span<std::uint8_t>(out));
  for (std::size_t i = length; i < out.size(); ++i) EXPECT_EQ(out[i], kUntouched) << i;
  return hex(std::span(out).first(length));
}

std::string proxy(const net::IpAddress& source, std::uint16_t source_port,
                  const net::IpAddress& destination, std::uint16_t destination_port) {
  return written([&](std::span<std::uint8_t> out) {
    return write_proxy_header(out, source, net::Big16(source_port), destination,
                              net::Big16(destination_port));
  });
}

// The bytes were sent to nginx 1.22.1 (listen ... proxy_protocol), which understood them as
// "192.0.2.1 54321 198.51.100.20 443" and "2001:db8::1 54321 2001:db8:1::14 443": what it has in
// $proxy_protocol_addr, _port, _server_addr and _server_port.
TEST(ProxyHeader, IsWhatNginxUnderstands) {
  EXPECT_EQ(proxy(address("192.0.2.1"), 54321, address("198.51.100.20"), 443),
            "0d0a0d0a000d0a515549540a"
            "2111000c"
            "c0000201c6336414d43101bb");
  EXPECT_EQ(proxy(address("2001:db8::1"), 54321, address("2001:db8:1::14"), 443),
            "0d0a0d0a000d0a515549540a"
            "21210024"
            "20010db8000000000000000000000001"
            "20010db8000100000000000000000014"
            "d43101bb");
}

// A reader of its own after the document's section 2.2, with the C library's address texts.
struct Understood {
  std::string source;
  std::string destination;
  unsigned source_port = 0;
  unsigned destination_port = 0;
};

Understood understand(const std::uint8_t* at, std::size_t size) {
  const std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);
  EXPECT_EQ(std::memcmp(at, signature.data(), signature.size()), 0);
  EXPECT_EQ(at[12] >> 4, 2) << "version";
  EXPECT_EQ(at[12] & 0xf, 1) << "command PROXY";
  EXPECT_EQ(at[13] & 0xf, 1) << "STREAM";
  EXPECT_EQ(at[14] * 256U + at[15] + 16, size);
  const bool six = at[13] >> 4 == 2;
  EXPECT_TRUE(six || at[13] >> 4 == 1) << "AF_INET or AF_INET6";
  const std::size_t width = six ? 16 : 4;
  const std::uint8_t* ports = at + 16 + 2 * width;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const auto print = [&](const std::uint8_t* raw) -> std::string {
    return inet_ntop(six ? AF_INET6 : AF_INET, raw, text.data(), text.size());
  };
  return {.source = print(at + 16),
          .destination = print(at + 16 + width),
          .source_port = ports[0] * 256U + ports[1],
          .destination_port = ports[2] * 256U + ports[3]};
}

net::IpAddress random_address(std::mt19937& random, bool six) {
  net::Ipv6Address raw;
  for (std::uint8_t& byte : raw.bytes) byte = static_cast<std::uint8_t>(random());
  if (six) return raw;
  return net::Ipv4Address{net::Big32(static_cast<std::uint32_t>(random()))};
}

TEST(ProxyHeader, IsReadBackByTheDocument) {
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    const bool six = round % 2 == 0;
    const net::IpAddress source = random_address(random, six);
    const net::IpAddress destination = random_address(random, six);
    const auto source_port = static_cast<std::uint16_t>(random());
    const auto destination_port = static_cast<std::uint16_t>(random());
    std::array<std::uint8_t, kRoom> out{};
    const std::size_t size = write_proxy_header(out, source, net::Big16(source_port), destination,
                                                net::Big16(destination_port));
    ASSERT_EQ(size, six ? kProxyHeaderIpv6 : kProxyHeaderIpv4);
    const Understood read = understand(out.data(), size);
    ASSERT_EQ(net::parse_address(read.source).value(), source);
    ASSERT_EQ(net::parse_address(read.destination).value(), destination);
    ASSERT_EQ(read.source_port, source_port);
    ASSERT_EQ(read.destination_port, destination_port);
  }
}

TEST(ProxyHeader, WritesNothingWithoutRoomOrAcrossFamilies) {
  std::array<std::uint8_t, kRoom> out{};
  const net::IpAddress four = address("10.0.0.1");
  const net::IpAddress six = address("fd00::1");
  const net::Big16 port(80);
  const auto span = std::span<std::uint8_t>(out);
  EXPECT_EQ(write_proxy_header(span.first(kProxyHeaderIpv4 - 1), four, port, four, port), 0U);
  EXPECT_EQ(write_proxy_header(span.first(kProxyHeaderIpv6 - 1), six, port, six, port), 0U);
  EXPECT_EQ(write_proxy_header(span, four, port, six, port), 0U);
  EXPECT_EQ(write_proxy_header(span, six, port, four, port), 0U);
  for (const std::uint8_t byte : out) EXPECT_EQ(byte, 0);
  EXPECT_EQ(write_proxy_header(span.first(kProxyHeaderIpv4), four, port, four, port), 28U);
  EXPECT_EQ(write_proxy_header(span.first(kProxyHeaderIpv6), six, port, six, port), 52U);
}

// By the layout that kernel module and DPVS share: kind 254, length, port, address.
TEST(Toa, HasTheKernelModulesLayout) {
  const auto toa = [](const char* client, std::uint16_t port) {
    return written([&](std::span<std::uint8_t> out) {
      return write_toa(out, address(client), net::Big16(port));
    });
  };
  EXPECT_EQ(toa("192.0.2.1", 54321), "fe08d431c0000201");
  EXPECT_EQ(toa("2001:db8::1", 443), "fe1401bb20010db8000000000000000000000001");
}

TEST(Toa, WritesNothingWithoutRoom) {
  std::array<std::uint8_t, kToaIpv6> out{};
  const auto span = std::span<std::uint8_t>(out);
  EXPECT_EQ(write_toa(span.first(kToaIpv4 - 1), address("10.0.0.1"), net::Big16(80)), 0U);
  EXPECT_EQ(write_toa(span.first(kToaIpv6 - 1), address("fd00::1"), net::Big16(80)), 0U);
  for (const std::uint8_t byte : out) EXPECT_EQ(byte, 0);
}

TEST(Toa, IsAnOptionThatOthersPassOver) {
  std::array<std::uint8_t, kToaIpv6 + 4> options{};
  const std::size_t length = write_toa(options, address("fd00::1"), net::Big16(80));
  const std::array<std::uint8_t, 4> mss{2, 4, 0x05, 0xb4};
  std::memcpy(options.data() + length, mss.data(), mss.size());
  const auto read = read_tcp_options(options);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->mss, 1460);
}

}  // namespace
}  // namespace hawser::l4
