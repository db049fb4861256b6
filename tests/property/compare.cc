// Differences between pipeline and model.
#include "compare.h"

#include <algorithm>
#include <cstdio>

namespace hawser::property {
namespace {

using pipeline::Verdict;
using pipeline::VerdictKind;

template <typename A, typename B>
void expect_equal(const std::string& what, const A& real, const B& expected, Faults& faults) {
  const auto is = static_cast<std::uint64_t>(real);
  const auto should = static_cast<std::uint64_t>(expected);
  if (is == should) return;
  faults.push_back(what + ": is " + std::to_string(is) + ", expected " + std::to_string(should));
}

// A checksum that was wrong stays wrong by as much; in ones' complement both zeros are one number.
bool is_same_zero(const Segment& segment, std::size_t at, std::uint32_t real,
                  std::uint32_t expected) {
  if (segment.checksum_error == 0 || at != checksum_offset(segment)) return false;
  return (real == 0 || real == 0xffff) && (expected == 0 || expected == 0xffff);
}

void compare_bytes(const Segment& out, const pipeline::Packet& packet, Faults& faults) {
  const std::vector<std::uint8_t> bytes = frame_of(out);
  if (packet.length != bytes.size()) {
    expect_equal("frame length", packet.length, bytes.size(), faults);
    return;
  }
  const auto differs = std::mismatch(bytes.begin(), bytes.end(), packet.data);
  if (differs.first == bytes.end()) return;
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    const auto word = [at, end = bytes.size()](const std::uint8_t* from) {
      return std::uint32_t{from[at]} << 8U | (at + 1 < end ? from[at + 1] : 0U);
    };
    const std::uint32_t real = word(packet.data);
    const std::uint32_t expected = word(bytes.data());
    if (real == expected || is_same_zero(out, at, real, expected)) continue;
    std::array<char, 80> text{};
    std::snprintf(text.data(), text.size(), "bytes at %zu: are %04x, expected %04x", at, real,
                  expected);
    faults.emplace_back(text.data());
  }
}

void compare_record(const ModelWorker& model, World& world, std::size_t worker, const Local& local,
                    const LocalUse& use, BackendId backend, Faults& faults) {
  const table::NatRecord& record = world.state(worker).nat.record({local.address, local.port});
  const std::string what =
      "record of local port " + std::to_string(local.address) + "/" + std::to_string(local.port);
  const auto size = static_cast<std::ptrdiff_t>(use.flow.client.size());
  if (!std::equal(use.flow.client.bytes.begin(), use.flow.client.bytes.begin() + size,
                  record.client.begin())) {
    faults.push_back(what + ": another client");
  }
  expect_equal(what + ", client port", record.client_port.host(), use.flow.port, faults);
  expect_equal(what + ", service", record.service.value,
               model.config.service(use.flow.service).id.value, faults);
  expect_equal(what + ", backend", record.backend().value, backend.value, faults);
  expect_equal(what + ", port in", record.client_port_id().value, use.client_port.value, faults);
  expect_equal(what + ", by gateway", record.by_gateway(), use.by_gateway, faults);
  expect_equal(what + ", seen", record.seen.seconds, static_cast<std::uint16_t>(use.seen), faults);
  if (record.client_mac != use.client_mac) faults.push_back(what + ": another client MAC");
}

void compare_with_real(ModelWorker& model, World& world, std::size_t worker, const FlowKey& key,
                       const ModelFlow& flow, const RealFlow& real, Faults& faults) {
  const std::string what = "flow " + to_string(key);
  const BackendId backend = model.config.backend(flow.backend).id;
  if (real.state != flow.state) {
    faults.push_back(what + ": is " + std::string(l4::to_string(real.state)) + ", expected " +
                     std::string(l4::to_string(flow.state)));
  }
  expect_equal(what + ", seen", real.seen, static_cast<std::uint16_t>(flow.seen), faults);
  expect_equal(what + ", backend", real.backend.value, backend.value, faults);
  if (real.local != flow.local) {
    faults.push_back(what + ": another local port");
  } else if (flow.local) {
    compare_record(model, world, worker, *flow.local, *model.flows.find(*flow.local), backend,
                   faults);
  }
}

// An id that went from one service to another counts the flows of both.
void compare_service_flows(const ModelWorker& model, const pipeline::WorkerState& state,
                           Faults& faults) {
  std::vector<std::uint64_t> expected(model.config.services().size() + 1);
  for (std::size_t i = 0; i < model.config.services().size(); ++i) {
    expected[model.config.services()[i].id.value] +=
        model.flows.service_flows(static_cast<ServiceIdentity>(i));
  }
  for (std::size_t id = 1; id < expected.size(); ++id) {
    const std::uint64_t real = state.service_flows[id].read();
    if (real == expected[id]) continue;
    expect_equal("flows of service id " + std::to_string(id), real, expected[id], faults);
  }
}

}  // namespace

void compare_packet(const Expected& expected, const Segment& segment,
                    const pipeline::Packet& packet, const ModelConfig& config, Faults& faults) {
  if (packet.verdict != expected.verdict) {
    faults.push_back("verdict: is " + std::string(pipeline::info(packet.verdict).name) +
                     ", expected " + std::string(pipeline::info(expected.verdict).name));
    return;
  }
  switch (pipeline::kind_of(expected.verdict)) {
    case VerdictKind::kForward:
      expect_equal("backend", packet.backend.value, config.backend(*expected.backend).id.value,
                   faults);
      expect_equal("port out", packet.port_out.value, expected.port_out.value, faults);
      break;
    case VerdictKind::kReply:
      expect_equal("port out", packet.port_out.value, expected.port_out.value, faults);
      break;
    case VerdictKind::kHandOff:
      expect_equal("owner", packet.worker.value, expected.owner.value, faults);
      break;
    case VerdictKind::kUndecided:
    case VerdictKind::kPunt:
    case VerdictKind::kHold:
    case VerdictKind::kDrop:
      break;
  }
  expect_equal("port in", packet.port_in.value, segment.port_in.value, faults);
  compare_bytes(expected.out, packet, faults);
}

void compare_flow(ModelWorker& model, World& world, std::size_t worker, const FlowKey& key,
                  Faults& faults) {
  const ModelFlow* flow = model.flows.find(key);
  const std::optional<RealFlow> real = world.find(worker, key, model.config.service(key.service));
  if ((flow != nullptr) != real.has_value()) {
    faults.push_back("flow " + to_string(key) + (real ? " is known" : " is not known") +
                     ", but should" + (real ? " not be" : " be"));
    return;
  }
  if (real) compare_with_real(model, world, worker, key, *flow, *real, faults);
}

void compare_counters(const ModelWorker& model, World& world, std::size_t worker, Faults& faults) {
  const pipeline::WorkerState& state = world.state(worker);
  const ModelFlows& flows = model.flows;
  for (const pipeline::VerdictInfo& info : pipeline::kVerdictTable) {
    const auto at = static_cast<std::size_t>(info.verdict);
    if (state.verdicts[at].read() == flows.verdicts[at]) continue;
    expect_equal("packets counted as " + std::string(info.name), state.verdicts[at].read(),
                 flows.verdicts[at], faults);
  }
  expect_equal("IPv4 flows", state.ipv4.live(), flows.live(net::Family::kIpv4), faults);
  expect_equal("IPv6 flows", state.ipv6.live(), flows.live(net::Family::kIpv6), faults);
  expect_equal("local ports in use", state.nat.used(), flows.locals().size(), faults);
  expect_equal("stateless", state.stateless.read(), flows.stateless, faults);
  expect_equal("to previous owners", state.previous_owner.read(), flows.to_previous_owners, faults);
  expect_equal("local ports reclaimed", state.nat_ports_reclaimed.read(), flows.reclaimed, faults);
  expect_equal("spilled", state.spilled.read(), flows.spilled, faults);
  expect_equal("expired", state.expired.read(), flows.expired_flows, faults);
  compare_service_flows(model, state, faults);
  for (std::uint32_t id = 0; id < state.backends.size(); ++id) {
    const stats::BackendCounters& counters = state.backends[id];
    const ModelCounters real{.flows = counters.flows.read(),
                             .new_flows = counters.new_flows.read(),
                             .packets_in = counters.packets_in.read(),
                             .bytes_in = counters.bytes_in.read(),
                             .packets_out = counters.packets_out.read(),
                             .bytes_out = counters.bytes_out.read()};
    const auto known = flows.counters().find(id);
    const ModelCounters expected =
        known == flows.counters().end() ? ModelCounters{} : known->second;
    if (real == expected) continue;
    const std::string what = "backend id " + std::to_string(id) + ", ";
    expect_equal(what + "flows", real.flows, expected.flows, faults);
    expect_equal(what + "new flows", real.new_flows, expected.new_flows, faults);
    expect_equal(what + "packets in", real.packets_in, expected.packets_in, faults);
    expect_equal(what + "bytes in", real.bytes_in, expected.bytes_in, faults);
    expect_equal(what + "packets out", real.packets_out, expected.packets_out, faults);
    expect_equal(what + "bytes out", real.bytes_out, expected.bytes_out, faults);
  }
}

void compare_all_flows(ModelWorker& model, World& world, std::size_t worker, Faults& faults) {
  const World::Dump dump = world.dump(worker);
  expect_equal("flows in the tables", dump.size(), model.flows.flows().size(), faults);
  std::map<std::uint32_t, std::uint64_t> by_backend;
  for (const auto& [key, flow] : model.flows.flows()) {
    ++by_backend[model.config.backend(flow.backend).id.value];
    const auto real = dump.find({key.client, key.port, model.config.service(key.service).id.value});
    if (real == dump.end()) {
      faults.push_back("flow " + to_string(key) + " is in no table, but should be");
    } else {
      compare_with_real(model, world, worker, key, flow, real->second, faults);
    }
    if (faults.size() > 20) return;
  }
  for (std::uint32_t id = 0; id < world.state(worker).backends.size(); ++id) {
    const std::uint64_t flows = world.state(worker).backends[id].flows.read();
    const auto counted = by_backend.find(id);
    expect_equal("flows of backend id " + std::to_string(id), flows,
                 counted == by_backend.end() ? 0 : counted->second, faults);
  }
}

}  // namespace hawser::property
