// A queue of free ports, some of which are known only as a pool.
#include "model_ports.h"

#include <utility>

#include "hawser/base/contract.h"
#include "hawser/base/limits.h"

namespace hawser::property {

ModelPorts::ModelPorts(std::uint16_t workers, std::uint16_t self, std::uint32_t start) {
  const std::uint32_t ports = limits::kNatPorts / workers;
  for (std::uint32_t i = 0; i < ports; ++i) {
    const std::uint32_t ordinal = (start + i) % ports;
    release(static_cast<std::uint16_t>(limits::kFirstNatPort + ordinal * workers + self));
  }
}

bool ModelPorts::available() const noexcept {
  return count_ > limits::kNatPortsResting;
}

ModelPorts::Pool ModelPorts::take_from_front() {
  Due& front = free_.front();
  Pool pool = front.pool;
  --front.count;
  --count_;
  if (front.count == 0) free_.pop_front();
  return pool;
}

void ModelPorts::append(Pool pool, std::size_t count) {
  free_.push_back({std::move(pool), count});
  count_ += count;
  ++releases_;
}

void ModelPorts::take(std::uint16_t port) {
  const Pool pool = take_from_front();
  HAWSER_REQUIRE(pool->erase(port) == 1);
}

void ModelPorts::release(std::uint16_t port) {
  append(std::make_shared<std::set<std::uint16_t>>(std::set<std::uint16_t>{port}), 1);
}

void ModelPorts::release(std::span<const std::uint16_t> ports) {
  if (ports.empty()) return;
  append(std::make_shared<std::set<std::uint16_t>>(ports.begin(), ports.end()), ports.size());
}

void ModelPorts::pass() {
  append(take_from_front(), 1);
}

// Pours the pools of the last releases together.
void ModelPorts::settle(bool mixed) {
  if (!mixed || releases_ < 2) return;
  std::vector<Pool> poured;
  auto last = free_.end();
  for (; releases_ > 0 && last != free_.begin(); --releases_) poured.push_back((--last)->pool);
  const Pool all = poured.front();
  for (const Pool& pool : poured) {
    if (pool != all) all->insert(pool->begin(), pool->end());
  }
  for (Due& due : free_) {
    for (const Pool& pool : poured) {
      if (due.pool == pool) due.pool = all;
    }
  }
}

}  // namespace hawser::property
