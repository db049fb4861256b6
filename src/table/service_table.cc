// Hashes of the keys of classify's tables.
#include "hawser/table/service_table.h"

#include "hawser/base/bytes.h"

namespace hawser::table {
namespace {

std::uint64_t hash_bytes(const std::array<std::uint8_t, 16>& bytes, std::uint64_t more) noexcept {
  const auto high = load<std::uint64_t>(bytes.data());
  const auto low = load<std::uint64_t>(bytes.data() + 8);
  return hash::mix(hash::mix(high ^ more) ^ low);
}

}  // namespace

std::uint64_t Ipv6Endpoint::hash() const noexcept {
  return hash_bytes(address.bytes, std::uint64_t{port.raw()} << 16 | protocol);
}

std::uint64_t AddressKey::hash() const noexcept {
  return hash_bytes(address.bytes, static_cast<std::uint64_t>(address.family));
}

}  // namespace hawser::table
