// Allocation and release of local NAT ports.
#include "hawser/table/nat_table.h"

#include "hawser/base/contract.h"

namespace hawser::table {

NatTable::NatTable(std::span<NatRecord> memory, std::size_t addresses, std::uint16_t workers,
                   WorkerId self, std::uint32_t start)
    : records_(memory),
      free_(addresses),
      per_worker_(static_cast<std::uint32_t>(ports_per_worker(workers))),
      workers_(workers),
      self_(self.value) {
  HAWSER_REQUIRE(memory.size() == records_needed(addresses, workers));
  HAWSER_REQUIRE(addresses <= limits::kMaxNatAddresses);
  HAWSER_REQUIRE(workers > 0 && workers <= limits::kMaxWorkers && self.value < workers);
  for (FreePorts& free : free_) {
    free.ring = std::make_unique<std::uint16_t[]>(per_worker_);
    free.head = start % per_worker_;
    free.count = per_worker_;
    for (std::uint32_t i = 0; i < per_worker_; ++i) free.ring[i] = static_cast<std::uint16_t>(i);
  }
}

std::optional<std::uint16_t> NatTable::allocate(std::uint8_t address) noexcept {
  FreePorts& free = free_[address];
  if (free.count <= limits::kNatPortsResting) return std::nullopt;
  const std::uint32_t ordinal = free.ring[free.head];
  free.head = free.head + 1 == per_worker_ ? 0 : free.head + 1;
  --free.count;
  used_.add(1);
  return static_cast<std::uint16_t>(limits::kFirstNatPort + ordinal * workers_ + self_);
}

void NatTable::release(NatIndex index) noexcept {
  record(index) = NatRecord{};
  FreePorts& free = free_[index.address];
  HAWSER_ASSERT(free.count < per_worker_);
  std::uint32_t tail = free.head + free.count;
  if (tail >= per_worker_) tail -= per_worker_;
  free.ring[tail] = static_cast<std::uint16_t>((index.port - limits::kFirstNatPort) / workers_);
  ++free.count;
  used_.subtract(1);
}

}  // namespace hawser::table
