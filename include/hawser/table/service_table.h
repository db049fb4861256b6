// Which service, or which role, a destination has, and other small look-ups of a snapshot.
//
// Open addressing with linear probing over a power of two of slots, at most half full, built once
// when what it holds changes and immutable after; copies share it. Cost: one cache line a look-up,
// nearly always.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "hawser/base/strong.h"
#include "hawser/hash/flow_hash.h"
#include "hawser/net/address.h"
#include "hawser/net/endian.h"

namespace hawser::table {

// A map from small trivially comparable keys with a `hash()` member to values.
template <typename Key, typename Value>
class OpenTable {
 public:
  OpenTable() : OpenTable(std::span<const std::pair<Key, Value>>()) {}
  explicit OpenTable(std::span<const std::pair<Key, Value>> entries) : empty_(entries.empty()) {
    std::size_t size = 2;
    while (size < entries.size() * 2) size *= 2;
    slots_ = std::make_shared<Slot[]>(size);
    mask_ = size - 1;
    for (const auto& [key, value] : entries) slots_[place(key)] = Slot{key, value, true};
  }

  [[nodiscard]] bool is_empty() const noexcept { return empty_; }
  [[nodiscard]] const Value* find(const Key& key) const noexcept {
    const Slot& slot = slots_[place(key)];
    return slot.used ? &slot.value : nullptr;
  }

 private:
  struct Slot {
    Key key{};
    Value value{};
    bool used = false;
  };

  // Where the key is, or where it would go.
  [[nodiscard]] std::size_t place(const Key& key) const noexcept {
    std::size_t at = key.hash() & mask_;
    while (slots_[at].used && !(slots_[at].key == key)) at = (at + 1) & mask_;
    return at;
  }

  std::shared_ptr<Slot[]> slots_;
  std::size_t mask_ = 0;
  bool empty_ = true;
};

struct Ipv4Endpoint {
  net::Ipv4Address address;
  net::Big16 port;
  std::uint16_t protocol = 0;

  [[nodiscard]] std::uint64_t hash() const noexcept {
    return hash::mix(std::uint64_t{address.value.raw()} << 32 | std::uint64_t{port.raw()} << 16 |
                     protocol);
  }
  friend bool operator==(const Ipv4Endpoint&, const Ipv4Endpoint&) = default;
};

struct Ipv6Endpoint {
  net::Ipv6Address address;
  net::Big16 port;
  std::uint16_t protocol = 0;

  [[nodiscard]] std::uint64_t hash() const noexcept;
  friend bool operator==(const Ipv6Endpoint&, const Ipv6Endpoint&) = default;
};

// What an address is to us when no service matched.
enum class AddressRole : std::uint8_t {
  kOwn,      // the kernel's: packets go to the exception TAP
  kNat,      // a NAT address; `slot` says which
  kService,  // only services live here
};

struct AddressEntry {
  AddressRole role = AddressRole::kOwn;
  std::uint8_t slot = 0;
};

struct AddressKey {
  net::IpAddress address;

  [[nodiscard]] std::uint64_t hash() const noexcept;
  friend bool operator==(const AddressKey&, const AddressKey&) = default;
};

// A slot of a service's table.
struct SlotKey {
  std::uint32_t slot = 0;

  [[nodiscard]] std::uint64_t hash() const noexcept { return hash::mix(slot + 1ULL); }
  friend bool operator==(SlotKey, SlotKey) = default;
};

using Ipv4Services = OpenTable<Ipv4Endpoint, ServiceId>;
using Ipv6Services = OpenTable<Ipv6Endpoint, ServiceId>;
using Addresses = OpenTable<AddressKey, AddressEntry>;

}  // namespace hawser::table
