// What of a service's entry in the snapshot follows from its configuration alone.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hawser/pipeline/snapshot.h"

namespace hawser::pipeline {

[[nodiscard]] std::uint8_t ip_protocol(model::Protocol protocol);

// One worker's share of a rate; at least one, or a small rate among many workers would be none.
[[nodiscard]] std::uint32_t share_of(std::uint32_t rate, std::uint16_t workers);

// Without table, members and rules, which follow from the backends. Rates are one worker's.
[[nodiscard]] ServiceEntry settings_of(const model::Service& service, std::uint16_t workers);

// Parameters as the codec takes them; they are yet to be checked.
[[nodiscard]] l4::QuicLbParameters quic_parameters(const model::QuicRouting& quic);

// For people.
[[nodiscard]] std::string quoted(const std::string& name);
[[nodiscard]] std::string described(const model::Service& service);

// Who a backend is in its service's table.
[[nodiscard]] std::uint64_t identity_of(const std::string& backend);
// The backends that take new flows, by the order of the service's.
[[nodiscard]] std::vector<table::Member> members_of(const model::Service& service);
// How many slots its table has.
[[nodiscard]] std::uint32_t slots_wanted(const model::Service& service);

[[nodiscard]] inline std::span<const std::uint8_t> bytes_of(const std::string& raw) {
  return {reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size()};
}

}  // namespace hawser::pipeline
