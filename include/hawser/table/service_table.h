// Which service, or which role, a destination has, and other small look-ups of a snapshot.
//
// Open addressing with linear probing over a power of two of slots, at most half full, built once
// when what it holds changes and immutable after; copies share it. Cost: one cache line a look-up,
// nearly always.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "hawser/base/bytes.h"
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

// The keys of a snapshot are chosen by its operator: a fast hash will do, and comparing takes as
// few words as a key has.
struct Ipv4Endpoint {
  net::Ipv4Address address;
  net::Big16 port;
  std::uint16_t protocol = 0;

  [[nodiscard]] std::uint64_t hash() const noexcept { return hash::spread(word()); }
  friend bool operator==(const Ipv4Endpoint& a, const Ipv4Endpoint& b) noexcept {
    return a.word() == b.word();
  }

 private:
  [[nodiscard]] std::uint64_t word() const noexcept { return std::bit_cast<std::uint64_t>(*this); }
};

struct Ipv6Endpoint {
  net::Ipv6Address address;
  net::Big16 port;
  std::uint16_t protocol = 0;

  [[nodiscard]] std::uint64_t hash() const noexcept {
    return hash::spread(high(address), hash::spread(low(address), rest()));
  }
  friend bool operator==(const Ipv6Endpoint& a, const Ipv6Endpoint& b) noexcept {
    return ((high(a.address) ^ high(b.address)) | (low(a.address) ^ low(b.address)) |
            (a.rest() ^ b.rest())) == 0;
  }

 private:
  [[nodiscard]] static std::uint64_t high(const net::Ipv6Address& address) noexcept {
    return load<std::uint64_t>(address.bytes.data());
  }
  [[nodiscard]] static std::uint64_t low(const net::Ipv6Address& address) noexcept {
    return load<std::uint64_t>(address.bytes.data() + 8);
  }
  [[nodiscard]] std::uint64_t rest() const noexcept {
    return std::uint64_t{port.raw()} << 16 | protocol;
  }
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

  [[nodiscard]] std::uint64_t hash() const noexcept {
    return hash::spread(word(0), hash::spread(word(8), family()));
  }
  friend bool operator==(const AddressKey& a, const AddressKey& b) noexcept {
    return ((a.word(0) ^ b.word(0)) | (a.word(8) ^ b.word(8)) | (a.family() ^ b.family())) == 0;
  }

 private:
  [[nodiscard]] std::uint64_t word(std::size_t at) const noexcept {
    return load<std::uint64_t>(address.bytes.data() + at);
  }
  [[nodiscard]] std::uint64_t family() const noexcept {
    return static_cast<std::uint64_t>(address.family);
  }
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
