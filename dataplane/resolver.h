// Resolver: keeps the MAC addresses of next hops known and fresh (RFC 826, RFC 4861 section 7.3).
//
// A state machine over time that is handed in; it sends nothing itself but says what to send. A
// target is probed from the moment it is needed, whether packets wait for it or not, and once a
// second for as long as it does not answer: a backend that comes back is found within about that.
//
//   resolving --answer--> reachable --30 s--> stale --probes unanswered--> failed --answer--> ...
//
// Packets are sent to a stale neighbour as to a reachable one; a failed one has no MAC address.
// Threading: main core only; NeighbourMacs carries the result to the workers.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "dataplane/frames.h"
#include "hawser/pipeline/neighbour_macs.h"
#include "hawser/pipeline/snapshot_builder.h"

namespace hawser::dataplane {

// Time since an arbitrary start, never running backwards.
using Uptime = std::chrono::milliseconds;

enum class NeighbourState : std::uint8_t { kResolving, kReachable, kStale, kFailed };
[[nodiscard]] std::string_view to_string(NeighbourState state) noexcept;

class Resolver {
 public:
  struct Probe {
    PortId port;
    Frame frame;
  };
  // One neighbour, for people.
  struct View {
    pipeline::NeighbourTarget target;
    NeighbourState state = NeighbourState::kResolving;
    std::optional<net::MacAddress> mac;
    std::uint64_t age_seconds = 0;  // since it last answered; 0 when it never did
  };
  struct Totals {
    std::uint64_t probes = 0;
    std::uint64_t answers = 0;   // news about a target of ours
    std::uint64_t moves = 0;     // a known MAC address replaced by another
    std::uint64_t failures = 0;  // a target given up: its probes went unanswered
  };

  // `ports` by PortId. `macs` must outlive the resolver.
  Resolver(std::span<const pipeline::PortSetup> ports, pipeline::NeighbourMacs& macs);

  // Adds the targets beyond those known; their order is that of NeighbourId and never changes.
  void set_targets(std::span<const pipeline::NeighbourTarget> targets, Uptime now);

  // What a frame that came in through `port` told.
  void learn(PortId port, const NeighbourNews& news, Uptime now);

  // Appends what must be sent now, limits::kProbesPerTick at most. Call each kResolverTick.
  void tick(Uptime now, std::vector<Probe>& probes);

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] View view(std::size_t index, Uptime now) const;
  [[nodiscard]] const Totals& totals() const noexcept { return totals_; }

 private:
  struct Entry {
    pipeline::NeighbourTarget target;
    NeighbourState state = NeighbourState::kResolving;
    unsigned tries = 0;  // unanswered so far
    Uptime due{};        // of the next step
    std::optional<Uptime> confirmed;
    net::MacAddress mac;  // in kReachable and kStale
  };

  [[nodiscard]] static bool is_known(const Entry& entry) noexcept;
  [[nodiscard]] Asker asker(const pipeline::NeighbourTarget& target) const;
  void confirm(std::size_t index, Uptime now);
  void doubt(std::size_t index, Uptime now);
  void step(std::size_t index, Uptime now, std::vector<Probe>& probes);

  std::vector<pipeline::PortSetup> ports_;
  pipeline::NeighbourMacs& macs_;
  std::vector<Entry> entries_;  // by NeighbourId
  std::map<pipeline::NeighbourTarget, std::size_t> index_;
  std::size_t first_ = 0;  // where the next tick begins, so that all get their turn
  Totals totals_;
};

}  // namespace hawser::dataplane
