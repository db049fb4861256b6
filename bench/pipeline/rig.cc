// Builds the snapshot and the memory of a rig; does what a worker does between bursts.
#include "rig.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "hawser/base/contract.h"
#include "hawser/model/compile_rules.h"

namespace hawser::bench {
namespace {

using net::Family;

constexpr std::size_t kSpareStride = 2048;

net::IpAddress address(const std::string& text) {
  return net::parse_address(text).value();
}

// Clients are behind a gateway, backends on the link, as in most server rooms.
struct Network {
  std::string service;
  std::string client;
  std::string own;
  std::string gateway;
  std::string backends;  // the number comes behind it
};

const Network& network_of(Family family) {
  static const Network ipv4{"192.0.2.1", "10.0.0.0", "172.16.0.2/16", "172.16.0.1", "172.16.1."};
  static const Network ipv6{"2001:db8::1", "fd10::", "fd00::2/64", "fd00::1", "fd00::1:"};
  return family == Family::kIpv4 ? ipv4 : ipv6;
}

// The `n`th local address, of as many as are needed.
net::IpAddress nat_address(Family family, std::size_t n) {
  if (family == Family::kIpv4) {
    return address("198.18." + std::to_string(n / 250) + "." + std::to_string(n % 250 + 1));
  }
  return address("fd01::" + std::to_string(n + 1));
}

// A quarter more than the flows need: addresses are picked by hash, and some ports always rest.
std::size_t nat_addresses_for(std::size_t flows) {
  if (flows == 0) return 0;
  const std::size_t wanted = (flows + flows / 4) / limits::kNatPorts + 1;
  return std::min(wanted, limits::kMaxNatAddresses);
}

std::vector<pipeline::PortSetup> ports_for(const RigSetup& setup) {
  const Network& network = network_of(setup.family);
  pipeline::PortSetup port{.name = "uplink",
                           .mac = tests::FrameSpec{}.to,
                           .addresses = {net::parse_prefix(network.own).value()},
                           .gateways = {address(network.gateway)}};
  for (std::size_t n = 0; n < nat_addresses_for(setup.nat_flows); ++n) {
    port.nat_addresses.push_back(nat_address(setup.family, n));
  }
  return {port};
}

void fill_splice(const RigSetup& setup, model::Service& service) {
  service.splice.layer7 = model::Layer7::kHttp;
  if (setup.cookies) {
    // No session grows old enough within a run for its cookie to be given anew.
    service.affinity.by = model::AffinityBy::kCookie;
    service.affinity.cookie.idle_seconds = service.affinity.cookie.maximum_seconds;
  }
  if (setup.rules.empty()) return;
  service.splice.rules = setup.rules;
  model::CompiledRules compiled = model::compile_rules(setup.rules);
  if (!compiled.faults.empty()) {
    throw std::runtime_error("a rule is refused: " + compiled.faults.front().reason);
  }
  service.splice.rules_database = std::move(compiled.database);
}

model::Service service_for(const RigSetup& setup) {
  const Network& network = network_of(setup.family);
  model::Service service;
  service.name = "bench";
  service.address = address(network.service);
  service.port = Rig::kPort;
  service.forward = setup.forward;
  if (setup.forward == model::Forward::kSplice) fill_splice(setup, service);
  for (std::uint32_t i = 1; i <= Rig::kBackends; ++i) {
    model::Backend backend;
    backend.name = "b" + std::to_string(i);
    backend.address = address(network.backends + std::to_string(i));
    backend.port = Rig::kPort;
    service.backends.push_back(std::move(backend));
  }
  return service;
}

// What a worker of the dataplane has for heads and texts; little where nothing is read.
std::size_t buffers_for(const RigSetup& setup, std::size_t buffers) {
  return setup.forward == model::Forward::kSplice ? buffers : 1;
}

// The other family's table is as small as a table can be.
template <typename Table>
std::size_t buckets_for(const RigSetup& setup, Family family) {
  return Table::buckets_for(setup.family == family ? setup.capacity : 0);
}

}  // namespace

// --- counts --------------------------------------------------------------------------------------

Tally Tally::since(const Tally& before) const {
  Tally result = *this;
  for (std::size_t i = 0; i < verdicts.size(); ++i) result.verdicts[i] -= before.verdicts[i];
  result.new_flows -= before.new_flows;
  result.stateless -= before.stateless;
  return result;
}

void require_verdicts(const Tally& tally, std::initializer_list<Expected> expected) {
  Tally left = tally;
  std::string wrong;
  for (const Expected& each : expected) {
    std::uint64_t& seen = left.verdicts[static_cast<std::size_t>(each.verdict)];
    if (seen != each.packets) {
      wrong += " " + std::string(pipeline::info(each.verdict).name) + " " + std::to_string(seen) +
               " times instead of " + std::to_string(each.packets) + ";";
    }
    seen = 0;
  }
  for (std::size_t i = 0; i < left.verdicts.size(); ++i) {
    if (left.verdicts[i] == 0) continue;
    wrong += " " + std::string(pipeline::kVerdictTable[i].name) + " " +
             std::to_string(left.verdicts[i]) + " times;";
  }
  if (wrong.empty()) return;
  throw std::runtime_error("the packets did not go the way that is measured:" + wrong +
                           " nothing is reported");
}

// --- the rig -------------------------------------------------------------------------------------

Rig::Rig(const RigSetup& setup)
    : setup_(setup),
      builder_(ports_for(setup), 4096),
      ipv4_(buckets_for<pipeline::Ipv4Flows>(setup, Family::kIpv4)),
      ipv6_(buckets_for<pipeline::Ipv6Flows>(setup, Family::kIpv6)),
      nat_(table::NatTable::records_needed(builder_.nat_addresses(), 1)),
      backends_(4096),
      times_(kBackends + 1),
      sessions_(kBackends + 1),
      connections_(std::max(limits::kMinSpliced, setup.spliced) + 1),
      exchanges_(std::max(limits::kMinSpliced, setup.spliced) + 1),
      heads_(buffers_for(setup, limits::kHeadBuffers) * limits::kMaxHttpHead),
      texts_(buffers_for(setup, limits::kTexts) * limits::kTextBytes),
      neighbours_(limits::kMaxNeighbours),
      worker_(WorkerId(0), ipv4_.span(), ipv6_.span(), nat_.span(), builder_.nat_addresses(), 1,
              backends_, 0, pace_.milliseconds(), limits::kOpenings,
              {connections_.span(), exchanges_.span(), heads_, texts_, 1}, times_, sessions_),
      spares_(limits::kSpares * kSpareStride),
      service_end_(end_of(address(network_of(setup.family).service), kPort)) {
  for (std::size_t i = 0; i < limits::kSpares; ++i) {
    free_.push_back(spares_.span().data() + i * kSpareStride);
  }
  publish();
}

void Rig::publish() {
  model::Desired desired{.epoch = Epoch(1), .services = {service_for(setup_)}};
  desired.cookie_keys = {{.id = 1, .secret = {0x42, 0x45, 0x4e, 0x43, 0x48}}};
  for (std::size_t i = 0; i < desired.flow_key.size(); ++i) {
    desired.flow_key[i] = static_cast<std::uint8_t>(i * 37 + 11);
  }
  auto built = builder_.build(desired, [](BackendId) { return 0; });
  if (!built) throw std::runtime_error("the snapshot is refused: " + built.error().message);
  snapshot_ = *std::move(built);
  for (std::uint32_t n = 0; n < builder_.neighbours().size(); ++n) {
    neighbours_.set(
        pipeline::NeighbourId(n),
        {{0x02, 0, 0, 0x01, static_cast<std::uint8_t>(n >> 8U), static_cast<std::uint8_t>(n)}});
  }
}

void Rig::look_at_what_is_due(pipeline::Context& now, std::uint64_t microseconds) noexcept {
  pipeline::sweep(now, microseconds);
  pipeline::tick(now);
  take_back();
  pipeline::Burst released;
  if (!worker_.outbox.take_released(released)) return;
  process(released, now, [](std::span<const pipeline::Packet>) {});
}

// What the pipeline made would be sent now; its buffers are free again.
void Rig::take_back() noexcept {
  for (const pipeline::Packet& packet : worker_.outbox.finished()) {
    if (packet.handle != nullptr) free_.push_back(static_cast<std::uint8_t*>(packet.handle));
  }
  worker_.outbox.clear_finished();
}

void Rig::add_spare() noexcept {
  pipeline::Packet spare;
  spare.handle = free_.back();
  spare.data = free_.back() + limits::kHeadroom;
  spare.capacity = kSpareStride - limits::kHeadroom;
  free_.pop_back();
  worker_.outbox.add_spare(spare);
}

void Rig::expire_all() {
  const model::Timeouts timeouts;
  pace_.skip(timeouts.established + 1U);
  pipeline::Context now = context();
  const std::uint64_t buckets =
      setup_.family == Family::kIpv4 ? worker_.ipv4.buckets() : worker_.ipv6.buckets();
  const std::uint64_t rounds = 2 * (buckets / limits::kSweepBucketsPerStep + 1);
  for (std::uint64_t i = 0; i < rounds && live_flows() != 0; ++i) {
    pipeline::sweep(now, std::uint64_t{limits::kSweepSeconds} * 1'000'000);
    pipeline::tick(now);
    take_back();
  }
  if (live_flows() == 0 && worker_.nat.used() == 0) return;
  throw std::runtime_error(std::to_string(live_flows()) +
                           " flows are left though all were idle too long");
}

void Rig::expire_timers(std::uint32_t seconds) noexcept {
  pace_.skip(seconds);
  pipeline::Context now = context();
  // A tick looks at so many timers at most, those that were put off among them.
  constexpr std::uint64_t kMore = 16;
  const std::uint64_t rounds = worker_.splice.connections.live() / limits::kBurst + kMore;
  for (std::uint64_t i = 0; i < 2 * rounds && worker_.splice.connections.live() != 0; ++i) {
    pipeline::tick(now);
    take_back();
  }
}

Tally Rig::tally() const {
  Tally result;
  for (std::size_t i = 0; i < result.verdicts.size(); ++i) {
    result.verdicts[i] = worker_.verdicts[i].read();
  }
  for (const stats::BackendCounters& backend : backends_) {
    result.new_flows += backend.new_flows.read();
  }
  result.stateless = worker_.stateless.read();
  return result;
}

std::uint64_t Rig::live_flows() const noexcept {
  return setup_.family == Family::kIpv4 ? worker_.ipv4.live() : worker_.ipv6.live();
}
std::uint64_t Rig::capacity() const noexcept {
  return setup_.family == Family::kIpv4 ? worker_.ipv4.capacity() : worker_.ipv6.capacity();
}
std::size_t Rig::bytes_per_flow() const noexcept {
  const std::size_t entry =
      setup_.family == Family::kIpv4 ? sizeof(table::Ipv4Flow) : sizeof(table::Ipv6Flow);
  return entry + (setup_.forward == model::Forward::kNat ? sizeof(table::NatRecord) : 0);
}

// --- frames --------------------------------------------------------------------------------------

tests::FrameSpec Rig::from_client(std::uint8_t tcp_flags) const {
  const Network& network = network_of(setup_.family);
  return {.source = address(network.client),
          .destination = address(network.service),
          .tcp_flags = tcp_flags};
}

tests::FrameSpec Rig::from_backend(std::uint8_t tcp_flags) const {
  const Network& network = network_of(setup_.family);
  return {.source = address(network.backends + "1"),
          .destination = nat_address(setup_.family, 0),
          .tcp_flags = tcp_flags};
}

}  // namespace hawser::bench
