// Harness: the pipeline with memory, ports and a resolved neighbourhood, for tests and benchmarks.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "hawser/base/contract.h"
#include "hawser/pipeline/pipeline.h"
#include "hawser/pipeline/snapshot_builder.h"

namespace hawser::tests {

inline net::IpAddress address(std::string_view text) {
  return net::parse_address(text).value();
}
inline net::Prefix prefix(std::string_view text) {
  return net::parse_prefix(text).value();
}

inline constexpr net::MacAddress kOwnMac{{0x02, 0, 0, 0, 0, 0x01}};
inline constexpr net::MacAddress kClientMac{{0x02, 0, 0, 0, 0, 0xc1}};

// A backend's MAC in every test: 02:00:00:01:xx:xx by neighbour id.
inline net::MacAddress neighbour_mac(pipeline::NeighbourId id) {
  return {{0x02, 0, 0, 0x01, static_cast<std::uint8_t>(id.value >> 8),
           static_cast<std::uint8_t>(id.value)}};
}

inline pipeline::PortSetup default_port() {
  return {.name = "uplink",
          .mac = kOwnMac,
          .addresses = {prefix("10.0.0.2/16"), prefix("fd00::2/64")},
          .gateways = {},
          .nat_addresses = {address("10.0.0.10"), address("fd00::10")}};
}

inline model::Backend backend(std::string name, std::string_view at, std::uint16_t port,
                              std::uint32_t weight = 100) {
  return {.name = std::move(name), .address = address(at), .port = port, .weight = weight};
}

inline model::Service service(std::string name, std::string_view at, std::uint16_t port,
                              std::vector<model::Backend> backends) {
  model::Service result;
  result.name = std::move(name);
  result.address = address(at);
  result.port = port;
  result.backends = std::move(backends);
  return result;
}

struct HarnessSize {
  std::size_t ipv4_buckets = 1024;
  std::size_t ipv6_buckets = 1024;
  std::size_t backends = 4096;
};

class Harness {
 public:
  explicit Harness(std::vector<pipeline::PortSetup> ports = {default_port()}, HarnessSize size = {})
      : builder_(std::move(ports), size.backends),
        ipv4_(size.ipv4_buckets),
        ipv6_(size.ipv6_buckets),
        nat_(table::NatTable::records_needed(builder_.nat_addresses(), 1)),
        backends_(size.backends),
        neighbours_(limits::kMaxNeighbours),
        connections_(limits::kMinSpliced + 1),
        exchanges_(limits::kMinSpliced + 1),
        heads_(kHeads * limits::kMaxHttpHead),
        texts_(kTexts * limits::kTextBytes),
        worker_(WorkerId(0), ipv4_, ipv6_, nat_, builder_.nat_addresses(), 1, backends_, 0, 0,
                limits::kOpenings, {connections_, exchanges_, heads_, texts_, 1}),
        snapshot_(builder_.empty()),
        spares_(limits::kSpares) {
    for (SpareBuffer& buffer : spares_) free_.push_back(&buffer);
  }

  // Builds and publishes; every neighbour is resolved. Fails the process on a refused snapshot.
  void apply(std::vector<model::Service> services) {
    HAWSER_REQUIRE(try_apply(std::move(services)).has_value());
  }

  [[nodiscard]] Result<void> try_apply(std::vector<model::Service> services) {
    ++epoch_;
    return try_apply_exactly(
        {.epoch = Epoch(epoch_), .flow_key = key(), .services = std::move(services)});
  }

  [[nodiscard]] Result<void> try_apply_exactly(const model::Desired& desired) {
    auto built = builder_.build(
        desired, [this](BackendId id) { return flows_of(id); }, now_ms_);
    if (!built) return built.error();
    snapshot_ = *std::move(built);
    for (std::uint32_t n = 0; n < builder_.neighbours().size(); ++n) {
      neighbours_.set(pipeline::NeighbourId(n), neighbour_mac(pipeline::NeighbourId(n)));
    }
    return {};
  }

  [[nodiscard]] pipeline::Context context() {
    return {.snapshot = *snapshot_,
            .worker = worker_,
            .neighbours = neighbours_,
            .now = now_,
            .now_ms = now_ms_,
            .now_us = now_ms_ * 1000U,
            .unix_seconds = unix_seconds_};
  }
  // The burst alone: what is made or released beside it stays in the outbox.
  void run(pipeline::Burst& burst) {
    restock();
    pipeline::Context now = context();
    pipeline::run(burst, now);
  }
  void set_time(std::uint16_t seconds) {
    now_ = {seconds};
    now_ms_ = seconds * 1000U;
  }
  void set_milliseconds(std::uint32_t milliseconds) {
    now_ms_ = milliseconds;
    now_ = {static_cast<std::uint16_t>(milliseconds / 1000)};
  }
  // Fills the worker's spares, and takes back those that the outbox has finished with.
  void restock() {
    for (const pipeline::Packet& packet : worker_.outbox.finished()) {
      if (packet.handle != nullptr) free_.push_back(static_cast<SpareBuffer*>(packet.handle));
    }
    worker_.outbox.clear_finished();
    while (worker_.outbox.spares_wanted() > 0 && !free_.empty()) {
      pipeline::Packet spare;
      spare.handle = free_.back();
      spare.data = free_.back()->bytes.data() + limits::kHeadroom;
      spare.capacity = limits::kMaxFrame;
      free_.pop_back();
      worker_.outbox.add_spare(spare);
    }
  }

  [[nodiscard]] std::uint64_t flows_of(BackendId id) const {
    return backends_[id.value].flows.read();
  }
  [[nodiscard]] BackendId id_of(std::string_view name) const {
    for (std::uint32_t i = 1; i < snapshot_->backends.size(); ++i) {
      if (snapshot_->backend_names[i] == name) return BackendId(i);
    }
    return {};
  }
  [[nodiscard]] const pipeline::Snapshot& snapshot() const { return *snapshot_; }
  [[nodiscard]] pipeline::SnapshotBuilder& builder() { return builder_; }
  [[nodiscard]] pipeline::WorkerState& worker() { return worker_; }
  [[nodiscard]] pipeline::NeighbourMacs& neighbours() { return neighbours_; }
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }

  [[nodiscard]] static model::FlowKey key() {
    model::FlowKey key{};
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i * 7 + 1);
    return key;
  }

 private:
  // Memory of one packet that the pipeline makes.
  struct SpareBuffer {
    std::array<std::uint8_t, limits::kHeadroom + limits::kMaxFrame> bytes{};
  };

  pipeline::SnapshotBuilder builder_;
  std::vector<pipeline::Ipv4Flows::Bucket> ipv4_;
  std::vector<pipeline::Ipv6Flows::Bucket> ipv6_;
  std::vector<table::NatRecord> nat_;
  std::vector<stats::BackendCounters> backends_;
  pipeline::NeighbourMacs neighbours_;
  static constexpr std::size_t kHeads = 8;
  static constexpr std::size_t kTexts = 64;
  std::vector<pipeline::Connection> connections_;
  std::vector<pipeline::Exchange> exchanges_;
  std::vector<std::uint8_t> heads_;
  std::vector<std::uint8_t> texts_;
  pipeline::WorkerState worker_;
  std::unique_ptr<const pipeline::Snapshot> snapshot_;
  std::vector<SpareBuffer> spares_;
  std::vector<SpareBuffer*> free_;
  CoarseTime now_{100};
  std::uint32_t now_ms_ = 100'000;
  std::uint64_t unix_seconds_ = 1'800'000'000;
  std::uint64_t epoch_ = 0;
};

}  // namespace hawser::tests
