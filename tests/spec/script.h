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

// One of several ways that a frame may go: what leaves, and what that adds to the counters of the
// worker that sends it.
struct Choice {
  std::string backend;  // "web4/b1"
  Bytes out;
  std::optional<PortId> out_port;
  Json counters;
};

// One frame of a burst, or one that comes out beside it, and what must become of it.
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
  std::string entropy;          // the flow whose entropy a tunnel's header carries; empty: none
  std::vector<Choice> choices;  // in place of `out`, where the choice of backend is not the row's
  std::string label;            // frames of one label make one choice, those of another another
};

struct BurstStep {
  std::uint64_t at_ms = 0;
  std::uint16_t worker = 0;
  std::vector<FrameCase> frames;
  std::vector<FrameCase> after;  // what comes out beside them, in order
};

struct TickStep {
  std::uint64_t at_ms = 0;
  std::uint16_t worker = 0;
  std::vector<FrameCase> after;
};

struct SnapshotStep {
  std::optional<std::uint64_t> at_ms;  // without: when the step before was
  std::vector<model::Service> services;
  std::vector<model::PrefixList> prefix_lists;
  std::vector<model::CookieKey> cookie_keys;
};

// A neighbour's MAC address becomes known, or with no MAC, is lost.
struct NeighbourStep {
  pipeline::NeighbourTarget target;
  std::optional<net::MacAddress> mac;
};

struct SweepStep {
  std::uint64_t at_ms = 0;
  std::uint16_t worker = 0;
  std::uint64_t microseconds = 0;
};

// A worker forgets all its flows, as one that begins after another's end.
struct WipeStep {
  std::uint16_t worker = 0;
};

using Step = std::variant<BurstStep, TickStep, SnapshotStep, NeighbourStep, SweepStep, WipeStep>;

struct Setup {
  std::uint16_t workers = 1;
  std::size_t ipv4_buckets = 0;
  std::size_t ipv6_buckets = 0;
  std::uint16_t openings = limits::kOpenings;
  std::size_t spares = limits::kSpares;  // empty buffers that a worker has at most
  std::size_t spliced = 0;               // connections, heads and texts that a worker may have
  std::size_t heads = 0;
  std::size_t texts = 0;
  std::vector<pipeline::PortSetup> ports;
  SnapshotStep first;
  std::vector<NeighbourStep> neighbours;
};

// Bounds for a counter that does not follow from the row to the last unit.
struct Range {
  std::uint16_t worker = 0;
  std::vector<std::string> path;
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};

struct Row {
  std::string title;
  Setup setup;
  std::vector<Step> steps;
  std::vector<Json> counters;  // by worker; a counter that is not named is zero
  std::vector<Range> ranges;
};

// Throws std::exception, naming what is wrong, for anything generate.py does not write.
[[nodiscard]] Row read_row(const Json& row);

}  // namespace hawser::spec
