// Reading a row of the generated file.
#include "script.h"

#include <sstream>
#include <stdexcept>

#include "wanted.h"

namespace hawser::spec {
namespace {

pipeline::ChecksumSeen seen(const Json& frame, const char* key) {
  const auto word = frame.value(key, std::string("unknown"));
  if (word == "unknown") return pipeline::ChecksumSeen::kUnknown;
  if (word == "good") return pipeline::ChecksumSeen::kGood;
  if (word == "bad") return pipeline::ChecksumSeen::kBad;
  throw std::runtime_error("a checksum is unknown, good or bad, not " + word);
}

PortId port_id(const Json& json) {
  return PortId(json.get<std::uint16_t>());
}

NeighbourStep read_neighbour(const Json& json) {
  NeighbourStep step{.target = {port_id(json.at("port")), read_address(json.at("address"))},
                     .mac = {}};
  if (!json.at("mac").is_null()) {
    step.mac = checked(net::parse_mac(json.at("mac").get<std::string>()));
  }
  return step;
}

Choice read_choice(const Json& json) {
  return {.backend = json.at("backend"),
          .out = read_bytes(json.at("out")),
          .out_port = port_id(json.at("out_port")),
          .counters = json.at("counters")};
}

FrameCase read_frame(const Json& json) {
  FrameCase frame;
  if (json.contains("in")) frame.in = read_bytes(json.at("in"));
  frame.out = json.contains("out") ? read_bytes(json.at("out")) : frame.in;
  if (json.contains("port")) frame.port = port_id(json.at("port"));
  frame.verdict = json.at("verdict");
  if (json.contains("out_port")) frame.out_port = port_id(json.at("out_port"));
  if (json.contains("owner")) frame.owner = WorkerId(json.at("owner").get<std::uint16_t>());
  frame.capacity = json.value("capacity", frame.in.size());
  frame.length = json.value("length", frame.in.size());
  frame.out_length =
      json.value("out_length", json.contains("length") ? frame.length : frame.out.size());
  frame.ip_checksum = seen(json, "ip_checksum");
  frame.transport_checksum = seen(json, "transport_checksum");
  frame.entropy = json.value("entropy", std::string());
  frame.label = json.value("label", std::string());
  if (json.contains("choices")) {
    for (const Json& choice : json.at("choices")) frame.choices.push_back(read_choice(choice));
  }
  return frame;
}

std::vector<FrameCase> read_frames(const Json& json, const char* key) {
  std::vector<FrameCase> frames;
  if (!json.contains(key)) return frames;
  for (const Json& frame : json.at(key)) frames.push_back(read_frame(frame));
  return frames;
}

Step read_step(const Json& json) {
  const auto kind = json.at("do").get<std::string>();
  if (kind == "neighbour") return read_neighbour(json);
  if (kind == "wipe") return WipeStep{.worker = json.at("worker")};
  if (kind == "snapshot") {
    SnapshotStep step = read_snapshot(json);
    if (!json.at("at_ms").is_null()) step.at_ms = json.at("at_ms").get<std::uint64_t>();
    return step;
  }
  if (kind == "sweep") {
    return SweepStep{.at_ms = json.at("at_ms"),
                     .worker = json.at("worker"),
                     .microseconds = json.at("microseconds")};
  }
  if (kind == "tick") {
    return TickStep{.at_ms = json.at("at_ms"),
                    .worker = json.at("worker"),
                    .after = read_frames(json, "after")};
  }
  if (kind != "burst") throw std::runtime_error("no step is called " + kind);
  BurstStep burst{.at_ms = json.at("at_ms"),
                  .worker = json.at("worker"),
                  .frames = read_frames(json, "frames"),
                  .after = read_frames(json, "after")};
  if (burst.frames.size() > limits::kBurst) throw std::runtime_error("a burst is too long");
  return burst;
}

Range read_range(const Json& json) {
  Range range{
      .worker = json.at("worker"), .path = {}, .least = json.at("least"), .most = json.at("most")};
  for (const Json& key : json.at("path")) range.path.push_back(key);
  return range;
}

}  // namespace

Row read_row(const Json& json) {
  Row row;
  row.title = json.at("title");
  const Json& setup = json.at("setup");
  row.setup = {.workers = setup.at("workers"),
               .ipv4_buckets = setup.at("ipv4_buckets"),
               .ipv6_buckets = setup.at("ipv6_buckets"),
               .openings = setup.value("openings", limits::kOpenings),
               .spares = setup.at("spares"),
               .spliced = setup.at("spliced"),
               .heads = setup.at("heads"),
               .texts = setup.at("texts"),
               .ports = {},
               .first = read_snapshot(setup),
               .neighbours = {}};
  for (const Json& port : setup.at("ports")) row.setup.ports.push_back(read_port(port));
  for (const Json& neighbour : setup.at("neighbours")) {
    row.setup.neighbours.push_back(read_neighbour(neighbour));
  }
  for (const Json& step : json.at("steps")) row.steps.push_back(read_step(step));
  row.counters = json.at("counters").get<std::vector<Json>>();
  for (const Json& range : json.at("ranges")) row.ranges.push_back(read_range(range));
  return row;
}

}  // namespace hawser::spec
