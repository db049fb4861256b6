// The NAT table: local ports of the balancer's NAT addresses, and the flow behind each.
//
// Layout: per NAT address, one 32-byte record for each local port that this worker owns. The local
// port is the index, so a reply is found without hashing: record = base[address][port]. Ports are
// dealt to workers by remainder: a reply that reaches another worker tells from its port whose it
// is. Free ports queue per address, oldest release first, so that a port rests as long as possible
// before it is used again.
//
// A record holds what a reply needs; the flow's state stays in the flow table. `seen` is kept here
// too, because replies with plain data touch only the record; the sweep takes the younger of both.
//
// Threading: one worker owns a table; another thread may read `used`. Cost: one cache line a reply.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "hawser/base/bytes.h"
#include "hawser/base/limits.h"
#include "hawser/base/prefetch.h"
#include "hawser/base/strong.h"
#include "hawser/base/time.h"
#include "hawser/net/address.h"
#include "hawser/stats/counter.h"

namespace hawser::table {

struct alignas(32) NatRecord {
  std::array<std::uint8_t, 16> client{};  // an IPv4 address in the first four
  net::Big16 client_port;
  ServiceId service;  // 0: the port is free
  // 20 bits of backend id, 4 of the port the client is on, 1: reply by the gateway, 1: spliced, 1:
  // counted as silent.
  std::uint32_t backend_port_route = 0;
  CoarseTime seen;
  net::MacAddress client_mac;  // where the client's packets come from

  [[nodiscard]] bool is_free() const noexcept { return service.value == 0; }
  [[nodiscard]] BackendId backend() const noexcept {
    return BackendId(backend_port_route & 0xfffffU);
  }
  [[nodiscard]] PortId client_port_id() const noexcept {
    return PortId(static_cast<std::uint16_t>((backend_port_route >> 20) & 0xfU));
  }
  [[nodiscard]] bool by_gateway() const noexcept { return ((backend_port_route >> 24) & 1U) != 0; }
  // The backend has been counted for not answering this connection.
  [[nodiscard]] bool is_silent() const noexcept { return ((backend_port_route >> 26) & 1U) != 0; }
  void set_silent() noexcept { backend_port_route |= 1U << 26; }
  // Of a spliced connection: `client` holds its number instead, 0 once the client has left.
  [[nodiscard]] bool is_spliced() const noexcept { return ((backend_port_route >> 25) & 1U) != 0; }
  [[nodiscard]] std::uint32_t spliced() const noexcept {
    return load<std::uint32_t>(client.data());
  }
  void set_spliced(BackendId backend, std::uint32_t number) noexcept {
    backend_port_route = (backend.value & 0xfffffU) | 1U << 25;
    store(client.data(), number);
  }
  // The client has left; `awaited`: the acknowledgement of our FIN.
  void set_left(std::uint32_t awaited) noexcept {
    client = {};
    store(client.data() + 4, awaited);
  }
  void hear_left(std::uint32_t acknowledgement) noexcept {
    if (load<std::uint32_t>(client.data() + 4) == acknowledgement) client[8] = 1;
  }
  [[nodiscard]] bool is_acknowledged() const noexcept { return client[8] != 0; }
  void set_route(BackendId backend, PortId port, bool by_gateway) noexcept {
    backend_port_route = (backend.value & 0xfffffU) | (std::uint32_t{port.value} & 0xfU) << 20 |
                         std::uint32_t{by_gateway ? 1U : 0U} << 24;
  }
};
static_assert(sizeof(NatRecord) == 32 && std::is_trivially_copyable_v<NatRecord>);
static_assert(limits::kMaxPorts <= 16, "a port id must fit the record");

// A local endpoint as it is kept in a flow entry: address slot and port in 24 bits, never 0.
struct NatIndex {
  std::uint8_t address = 0;
  std::uint16_t port = 0;  // host order

  [[nodiscard]] constexpr std::uint32_t packed() const noexcept {
    return std::uint32_t{address} << 16 | port;
  }
  [[nodiscard]] static constexpr NatIndex unpack(std::uint32_t packed) noexcept {
    return {static_cast<std::uint8_t>(packed >> 16), static_cast<std::uint16_t>(packed)};
  }
};

class NatTable {
 public:
  // Takes zeroed memory of records_needed(addresses, workers) records that outlives the table.
  // Ports are first given out from the `start`th on, modulo their number: a random one keeps a
  // process that was restarted away from ports that backends still hold in TIME-WAIT.
  NatTable(std::span<NatRecord> memory, std::size_t addresses, std::uint16_t workers, WorkerId self,
           std::uint32_t start = 0);

  [[nodiscard]] static constexpr std::size_t ports_per_worker(std::uint16_t workers) noexcept {
    return limits::kNatPorts / workers;
  }
  [[nodiscard]] static constexpr std::size_t records_needed(std::size_t addresses,
                                                            std::uint16_t workers) noexcept {
    return addresses * ports_per_worker(workers);
  }

  // The worker that owns a local port; none for a port outside the NAT range.
  [[nodiscard]] std::optional<WorkerId> owner(std::uint16_t port) const noexcept {
    const std::uint32_t offset = port - limits::kFirstNatPort;
    if (port < limits::kFirstNatPort || offset >= per_worker_ * workers_) return std::nullopt;
    return WorkerId(static_cast<std::uint16_t>(offset % workers_));
  }

  // The port that was released longest ago; none when all are in use or resting (limits.h).
  [[nodiscard]] std::optional<std::uint16_t> allocate(std::uint8_t address) noexcept;
  void release(NatIndex index) noexcept;

  // Only for a port this worker owns: its number among all of them.
  [[nodiscard]] std::size_t ordinal(NatIndex index) const noexcept {
    return std::size_t{index.address} * per_worker_ +
           (index.port - limits::kFirstNatPort) / workers_;
  }
  [[nodiscard]] NatRecord& record(NatIndex index) noexcept { return records_[ordinal(index)]; }
  // The records of one address, one after the other, round and round.
  [[nodiscard]] const NatRecord& next_in_turn(std::uint8_t address) noexcept {
    FreePorts& free = free_[address];
    free.turn = free.turn + 1 == per_worker_ ? 0 : free.turn + 1;
    return records_[std::size_t{address} * per_worker_ + free.turn];
  }
  void prefetch(NatIndex index) noexcept { prefetch_line(&record(index)); }

  [[nodiscard]] std::uint64_t used() const noexcept { return used_.read(); }
  [[nodiscard]] std::uint64_t total() const noexcept { return records_.size(); }

 private:
  // Free ports of one address, as a ring of their ordinals on this worker.
  struct FreePorts {
    std::unique_ptr<std::uint16_t[]> ring;
    std::uint32_t head = 0;
    std::uint32_t count = 0;
    std::uint32_t turn = 0;  // where next_in_turn is
  };

  std::span<NatRecord> records_;
  std::vector<FreePorts> free_;
  std::uint32_t per_worker_;
  std::uint16_t workers_;
  std::uint16_t self_;
  stats::Counter used_;
};

}  // namespace hawser::table
