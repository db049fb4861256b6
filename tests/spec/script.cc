// Reading a row of the generated file.
#include "script.h"

#include <stdexcept>

#include "hawser/net/address.h"

namespace hawser::spec {
namespace {

template <typename T>
T checked(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(result).value();
}

net::IpAddress address(const Json& text) {
  return checked(net::parse_address(text.get<std::string>()));
}

Bytes bytes(const Json& hex) {
  const auto text = hex.get<std::string>();
  Bytes result;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    result.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return result;
}

pipeline::ChecksumSeen seen(const Json& frame, const char* key) {
  const auto word = frame.value(key, std::string("unknown"));
  if (word == "unknown") return pipeline::ChecksumSeen::kUnknown;
  if (word == "good") return pipeline::ChecksumSeen::kGood;
  if (word == "bad") return pipeline::ChecksumSeen::kBad;
  throw std::runtime_error("a checksum is unknown, good or bad, not " + word);
}

model::Admission admission(const std::string& word) {
  for (const auto known :
       {model::Admission::kServing, model::Admission::kDraining, model::Admission::kDown}) {
    if (model::to_string(known) == word) return known;
  }
  throw std::runtime_error("no admission is called " + word);
}

model::Backend read_backend(const Json& json) {
  return {.name = json.at("name"),
          .address = address(json.at("address")),
          .port = json.at("port"),
          .weight = json.value("weight", limits::kDefaultWeight),
          .admission = admission(json.value("admission", std::string("serving")))};
}

model::Service read_service(const Json& json) {
  model::Service service;
  service.name = json.at("name");
  service.address = address(json.at("address"));
  service.port = json.at("port");
  service.protocol = checked(model::parse_protocol(json.at("protocol").get<std::string>()));
  service.forward = checked(model::parse_forward(json.at("forward").get<std::string>()));
  service.affinity.by = checked(model::parse_affinity(json.value("affinity", std::string("flow"))));
  service.affinity.ipv4_prefix = json.value("ipv4_prefix", service.affinity.ipv4_prefix);
  service.affinity.ipv6_prefix = json.value("ipv6_prefix", service.affinity.ipv6_prefix);
  service.on_down = checked(model::parse_down_policy(json.value("on_down", std::string("reset"))));
  if (json.contains("timeouts")) {
    const Json& seconds = json.at("timeouts");
    service.timeouts = {.established = seconds.at("established"),
                        .handshake = seconds.at("handshake"),
                        .closing = seconds.at("closing"),
                        .udp = seconds.at("udp")};
  }
  service.table_slots = json.at("table_slots");
  for (const Json& backend : json.at("backends")) service.backends.push_back(read_backend(backend));
  return service;
}

std::vector<model::Service> read_services(const Json& json) {
  std::vector<model::Service> services;
  for (const Json& service : json) services.push_back(read_service(service));
  return services;
}

pipeline::PortSetup read_port(const Json& json) {
  pipeline::PortSetup port;
  port.name = json.at("name");
  port.mac = checked(net::parse_mac(json.at("mac").get<std::string>()));
  for (const Json& own : json.at("addresses")) {
    port.addresses.push_back(checked(net::parse_prefix(own.get<std::string>())));
  }
  for (const Json& gateway : json.at("gateways")) port.gateways.push_back(address(gateway));
  for (const Json& nat : json.at("nat_addresses")) port.nat_addresses.push_back(address(nat));
  return port;
}

NeighbourStep read_neighbour(const Json& json) {
  NeighbourStep step{
      .target = {PortId(json.at("port").get<std::uint16_t>()), address(json.at("address"))},
      .mac = {}};
  if (!json.at("mac").is_null()) {
    step.mac = checked(net::parse_mac(json.at("mac").get<std::string>()));
  }
  return step;
}

FrameCase read_frame(const Json& json) {
  FrameCase frame;
  frame.in = bytes(json.at("in"));
  frame.out = json.contains("out") ? bytes(json.at("out")) : frame.in;
  frame.port = PortId(json.at("port").get<std::uint16_t>());
  frame.verdict = json.at("verdict");
  if (json.contains("out_port")) frame.out_port = PortId(json.at("out_port").get<std::uint16_t>());
  if (json.contains("owner")) frame.owner = WorkerId(json.at("owner").get<std::uint16_t>());
  frame.capacity = json.value("capacity", frame.in.size());
  frame.length = json.value("length", frame.in.size());
  frame.out_length = json.contains("length") ? frame.length : frame.out.size();
  frame.ip_checksum = seen(json, "ip_checksum");
  frame.transport_checksum = seen(json, "transport_checksum");
  return frame;
}

Step read_step(const Json& json) {
  const auto kind = json.at("do").get<std::string>();
  if (kind == "snapshot") return SnapshotStep{.services = read_services(json.at("services"))};
  if (kind == "neighbour") return read_neighbour(json);
  if (kind == "sweep") {
    return SweepStep{
        .at = json.at("at"), .worker = json.at("worker"), .microseconds = json.at("microseconds")};
  }
  if (kind != "burst") throw std::runtime_error("no step is called " + kind);
  BurstStep burst{.at = json.at("at"), .worker = json.at("worker"), .frames = {}};
  for (const Json& frame : json.at("frames")) burst.frames.push_back(read_frame(frame));
  if (burst.frames.size() > limits::kBurst) throw std::runtime_error("a burst is too long");
  return burst;
}

}  // namespace

Row read_row(const Json& json) {
  Row row;
  row.title = json.at("title");
  const Json& setup = json.at("setup");
  row.setup = {.workers = setup.at("workers"),
               .ipv4_buckets = setup.at("ipv4_buckets"),
               .ipv6_buckets = setup.at("ipv6_buckets"),
               .ports = {},
               .services = read_services(setup.at("services")),
               .neighbours = {}};
  for (const Json& port : setup.at("ports")) row.setup.ports.push_back(read_port(port));
  for (const Json& neighbour : setup.at("neighbours")) {
    row.setup.neighbours.push_back(read_neighbour(neighbour));
  }
  for (const Json& step : json.at("steps")) row.steps.push_back(read_step(step));
  row.counters = json.at("counters").get<std::vector<Json>>();
  return row;
}

}  // namespace hawser::spec
