// The bare loop of the floor, and the sub-command that runs it alone.
#include "floor.h"

#include <algorithm>
#include <cstring>

#include "command_options.h"
#include "commands.h"
#include "hawser/hash/flow_hash.h"
#include "statistics.h"

namespace hawser::bench {
namespace {

// Where things are in an IPv4 frame without options.
constexpr std::size_t kEtherType = 12;
constexpr std::size_t kIp = 14;
constexpr std::size_t kProtocol = kIp + 9;
constexpr std::size_t kSource = kIp + 12;
constexpr std::size_t kDestination = kIp + 16;
constexpr std::size_t kSourcePort = kIp + 20;
constexpr std::size_t kDestinationPort = kIp + 22;
constexpr std::uint16_t kInnerBytes = 50;
constexpr std::uint16_t kServiceId = 7;

const std::uint32_t kServiceAddress = net::Big32(0xc0000201).raw();
const std::uint16_t kServicePort = net::Big16(80).raw();

std::size_t service_slot(std::uint32_t address, std::uint16_t port) noexcept {
  return ((address ^ std::uint64_t{port} << 32) * 0x9e3779b97f4a7c15ULL) >> 56;
}

std::uint64_t flow_hash(std::uint32_t client, std::uint16_t port, std::uint16_t service) noexcept {
  return hash::mix(client | std::uint64_t{port} << 32 | std::uint64_t{service} << 48);
}

std::uint32_t outer_source(std::uint32_t client) noexcept {
  return client ^ net::Big32(0xac100000).raw();
}

}  // namespace

Floor::Floor(std::size_t buckets) : table_(buckets), mask_(buckets - 1), slots_(65537) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    slots_[i] = static_cast<std::uint16_t>(i * 2246822519U % kBackends + 1);
  }
  for (std::uint32_t i = 1; i <= kBackends; ++i) {
    addresses_[i] = net::Big32(0xac100100U + i).raw();
  }
  services_[service_slot(kServiceAddress, kServicePort)] = {kServiceAddress, kServicePort,
                                                            kServiceId};
  const FrameTemplate frame({.source = net::parse_address("10.0.0.0").value(),
                             .destination = net::parse_address("192.0.2.1").value(),
                             .tcp_flags = net::kTcpAck,
                             .payload = kInnerBytes - 40U});
  for (std::size_t i = 0; i < PacketRing::kPackets; ++i) {
    frame.write(ring_.next(), {}, {kServiceAddress, kServicePort});
  }
}

void Floor::make(Frames& frames, std::uint32_t& next, std::uint32_t flows) noexcept {
  for (std::uint8_t*& frame : frames) {
    frame = ring_.next();
    const End client = client_of(next++ & (flows - 1));
    store(frame + kSource, client.address);
    store(frame + kSourcePort, client.port);
    store(frame + kEtherType, net::kEtherTypeIpv4);
  }
}

Floor::Entry& Floor::match(Bucket& bucket, const std::uint8_t* frame, std::uint64_t hash,
                           std::uint16_t service, std::uint16_t now) noexcept {
  const auto client = load<std::uint32_t>(frame + kSource);
  const auto port = load<std::uint16_t>(frame + kSourcePort);
  for (Entry& entry : bucket.entries) {
    if (entry.client == client && entry.client_port == port && entry.service == service) {
      entry.seen = now;
      ++hits_;
      return entry;
    }
  }
  Entry* free = bucket.entries.data();
  for (Entry& entry : bucket.entries) {
    if (entry.service == 0) {
      free = &entry;
      break;
    }
  }
  ++misses_;
  *free = {client, port, service, slots_[hash % slots_.size()], now, 0};
  return *free;
}

// Twenty bytes more in front, with the Ethernet header before them. Written field by field: a
// struct put together first would be read back before its parts have left the store buffer.
void Floor::encapsulate(std::uint8_t* frame, std::uint16_t backend) noexcept {
  constexpr std::uint16_t kOuterBytes = kInnerBytes + 20;
  constexpr std::uint16_t kTtlProtocol = 64U << 8U | net::kProtocolIpv4;
  const std::uint32_t version_length = net::Big32(0x45000000U | kOuterBytes).raw();
  const std::uint16_t ttl_protocol = net::Big16(kTtlProtocol).raw();
  const std::uint32_t source = outer_source(load<std::uint32_t>(frame + kSource));
  const std::uint32_t destination = addresses_[backend];
  const std::uint64_t sum =
      std::uint64_t{version_length} + ttl_protocol + std::uint64_t{source} + destination;
  std::uint8_t* const outer = frame - sizeof(net::Ipv4Header);
  store(outer, std::uint64_t{0});
  store(outer + 5, static_cast<std::uint8_t>(backend));
  store(outer + 8, std::uint32_t{0});
  store(outer + kEtherType, net::kEtherTypeIpv4);
  store(outer + kIp, version_length);
  store(outer + kIp + 4, std::uint32_t{0});
  store(outer + kIp + 8, ttl_protocol);
  store(outer + kIp + 10, static_cast<std::uint16_t>(~net::fold(sum)));
  store(outer + kSource, source);
  store(outer + kDestination, destination);
}

void Floor::balance(const Frames& frames, std::uint16_t now) noexcept {
  std::array<std::uint64_t, limits::kBurst> hashes;
  std::array<std::uint16_t, limits::kBurst> services;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const std::uint8_t* frame = frames[i];
    services[i] = 0;
    const bool known = load<net::Big16>(frame + kEtherType) == net::kEtherTypeIpv4 &&
                       frame[kIp] == 0x45 && frame[kProtocol] == net::kProtocolTcp;
    if (!known) continue;
    const auto address = load<std::uint32_t>(frame + kDestination);
    const auto port = load<std::uint16_t>(frame + kDestinationPort);
    std::size_t at = service_slot(address, port);
    while (services_[at].id != 0 &&
           (services_[at].address != address || services_[at].port != port)) {
      ++at;
    }
    services[i] = services_[at].id;
    hashes[i] = flow_hash(load<std::uint32_t>(frame + kSource),
                          load<std::uint16_t>(frame + kSourcePort), services[i]);
    __builtin_prefetch(&table_[hashes[i] & mask_], 1, 3);
  }
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (services[i] == 0) continue;
    const Entry& entry = match(table_[hashes[i] & mask_], frames[i], hashes[i], services[i], now);
    encapsulate(frames[i], entry.backend);
    ++by_backend_[entry.backend].packets;
    by_backend_[entry.backend].bytes += kInnerBytes;
    ++by_service_[services[i]].packets;
    by_service_[services[i]].bytes += kInnerBytes;
  }
}

double Floor::spend(std::uint32_t flows, std::size_t bursts, bool balanced) noexcept {
  Frames frames{};
  std::uint32_t next = 0;
  const double start = thread_nanoseconds();
  for (std::size_t i = 0; i < bursts; ++i) {
    make(frames, next, flows);
    if (balanced) {
      balance(frames, static_cast<std::uint16_t>(i));
    } else {
      asm volatile("" : : "r"(&frames) : "memory");
    }
  }
  return thread_nanoseconds() - start;
}

void Floor::learn(std::uint32_t flows) {
  static_cast<void>(spend(flows, flows / limits::kBurst + 1, true));
}

FloorRun Floor::run(std::uint32_t flows, std::size_t packets) {
  const std::size_t bursts = packets / limits::kBurst;
  hits_ = misses_ = 0;
  const double whole = spend(flows, bursts, true);
  const double making = spend(flows, bursts, false);
  return {.nanoseconds = (whole - making) / static_cast<double>(bursts * limits::kBurst),
          .hit_ratio = static_cast<double>(hits_) / static_cast<double>(hits_ + misses_)};
}

// --- the sub-command -----------------------------------------------------------------------------

Command add_floor(CLI::App& app) {
  auto options = std::make_shared<PacketOptions>();
  add_packet_options(app, *options);
  return [options](const Common& common, Report& report) {
    Floor floor;
    for (const std::uint32_t flows : options->flows) {
      floor.learn(flows);
      std::vector<double> times;
      FloorRun last;
      for (unsigned i = 0; i < common.repeats; ++i) {
        last = floor.run(flows, options->packets_for(flows));
        times.push_back(last.nanoseconds);
      }
      const Summary summary = summarize(times);
      Row row;
      row.text("bench", "floor").count("flows", flows).number("ns_per_packet", summary.median, 2);
      row.number("min", summary.min, 2).number("max", summary.max, 2);
      row.number("packets_per_second", 1e9 / summary.median, 0);
      row.number("hit_ratio", last.hit_ratio, 4);
      report.add(row);
    }
  };
}

}  // namespace hawser::bench
