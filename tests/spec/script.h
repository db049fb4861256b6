// Row: one packet test as generate.py wrote it, and how it is read.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "hawser/model/service.h"
#include "hawser/pipeline/packet.h"
#include "hawser/pipeline/snapshot_builder.h"

namespace hawser::spec {

using Json = nlohmann::json;
using Bytes = std::vector<std::uint8_t>;

// One frame of a burst, and what must become of it.
struct FrameCase {
  Bytes in;
  Bytes out;  // equal to `in` where nothing may change
  PortId port;
  std::string verdict;
  std::optional<PortId> out_port;  // forwarded and answered frames only
  std::optional<WorkerId> owner;   // handed-off frames only
  std::size_t capacity = 0;        // bytes of the buffer
  std::size_t length = 0;          // bytes of the frame; `in` may hold only its beginning
  std::size_t out_length = 0;      // the same afterwards
  pipeline::ChecksumSeen ip_checksum = pipeline::ChecksumSeen::kUnknown;
  pipeline::ChecksumSeen transport_checksum = pipeline::ChecksumSeen::kUnknown;
};

struct BurstStep {
  std::uint16_t at = 0;  // seconds
  std::uint16_t worker = 0;
  std::vector<FrameCase> frames;
};

struct SnapshotStep {
  std::vector<model::Service> services;
};

// A neighbour's MAC address becomes known, or with no MAC, is lost.
struct NeighbourStep {
  pipeline::NeighbourTarget target;
  std::optional<net::MacAddress> mac;
};

struct SweepStep {
  std::uint16_t at = 0;
  std::uint16_t worker = 0;
  std::uint64_t microseconds = 0;
};

using Step = std::variant<BurstStep, SnapshotStep, NeighbourStep, SweepStep>;

struct Setup {
  std::uint16_t workers = 1;
  std::size_t ipv4_buckets = 0;
  std::size_t ipv6_buckets = 0;
  std::vector<pipeline::PortSetup> ports;
  std::vector<model::Service> services;
  std::vector<NeighbourStep> neighbours;
};

struct Row {
  std::string title;
  Setup setup;
  std::vector<Step> steps;
  std::vector<Json> counters;  // by worker; a counter that is not named is zero
};

// Throws std::exception, naming what is wrong, for anything generate.py does not write.
[[nodiscard]] Row read_row(const Json& row);

}  // namespace hawser::spec
