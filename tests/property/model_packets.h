// The model's decisions: what becomes of a burst of packets, and what it leaves behind.
//
// A burst goes through in the order that docs/packet-path.md gives: all packets are classified,
// then all look for their known flows, then all others open flows, then all are written. Only where
// the layout of the flow table decides (is there room for this flow, which idle ones were in the
// way) the model takes what really happened, if it is among what may happen.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hawser/hash/flow_hash.h"
#include "model_flows.h"
#include "model_fragments.h"
#include "model_limits.h"

namespace hawser::property {

// A flow as the real table has it.
struct RealFlow {
  l4::FlowState state = l4::FlowState::kFree;
  std::uint16_t seen = 0;  // seconds, wrapping
  BackendId backend;
  std::optional<Local> local;
};

// What really happened in a burst, for decisions that are the layout's.
struct Observed {
  std::vector<pipeline::Verdict> verdicts;
  std::vector<Local> locals;  // that packets were given, where they were
  std::vector<BackendId> backends;
  std::function<std::optional<RealFlow>(const FlowKey&)> flow;
  std::uint64_t live_ipv4 = 0;
  std::uint64_t live_ipv6 = 0;
  std::uint64_t stateless = 0;
  std::uint64_t spilled = 0;
  std::function<std::span<const std::uint8_t>(std::size_t)> frame;  // afterwards
  std::function<std::uint64_t(BackendIdentity)> new_flows;
};

// What must have become of a packet.
struct Expected {
  pipeline::Verdict verdict = pipeline::Verdict::kUndecided;
  bool to_client = false;
  std::optional<FlowKey> flow;             // the one it belongs to
  std::optional<BackendIdentity> backend;  // where it goes or comes from
  std::optional<Local> local;
  PortId port_out;
  WorkerId owner;  // with kHandOff
  Segment out;     // the packet afterwards
};

// Buckets of a worker's flow tables, and what they hold.
struct TableSize {
  std::size_t ipv4_buckets = 0;
  std::size_t ipv6_buckets = 0;
  bool always_room = false;  // so many buckets that the driver can see to that

  [[nodiscard]] std::size_t in_two_buckets(net::Family family) const {
    return family == net::Family::kIpv4 ? 8 : 4;
  }
  // With two buckets every flow may lie in either: whether there is room needs no layout.
  [[nodiscard]] bool is_exact(net::Family family) const {
    return (family == net::Family::kIpv4 ? ipv4_buckets : ipv6_buckets) == 2;
  }
  // Nothing depends on the layout.
  [[nodiscard]] bool is_predictable(net::Family family) const {
    return always_room || is_exact(family);
  }
};

// What the other workers are said to have: by the dataplane's ids, as it is told.
struct OthersFlows {
  std::vector<std::uint32_t> backends;
  std::vector<std::uint32_t> services;

  template <typename Id>
  [[nodiscard]] static std::uint64_t at(const std::vector<std::uint32_t>& flows, Id id) {
    return id.value < flows.size() ? flows[id.value] : 0;
  }
  [[nodiscard]] std::uint64_t of(BackendId id) const { return at(backends, id); }
  [[nodiscard]] std::uint64_t of(ServiceId id) const { return at(services, id); }
};

// What spreads a flow's tunnel packets over links and queues; none: not seen yet.
struct Entropy {
  std::optional<std::uint32_t> flow_label;
  std::optional<std::uint16_t> port;
};

// One worker and all that it decides by.
struct ModelWorker {
  const Network& network;
  const ModelConfig& config;
  const std::map<NeighbourTarget, net::MacAddress>& macs;  // the resolved ones
  const hash::FlowHash& hash;
  std::uint16_t workers = 1;
  std::uint16_t self = 0;
  TableSize size;
  ModelFlows flows;
  std::map<FlowKey, Entropy>& entropy;  // the same on all workers
  OthersFlows others{};
  std::map<std::uint8_t, std::uint32_t> turn{};  // by NAT address: the port last tried to reclaim
  std::uint32_t identifications = 0;             // given out
  ModelLimits limits{};
  ModelFragments fragments{hash};

  // No two workers give out the same.
  [[nodiscard]] std::uint32_t next_identification() { return ++identifications * workers + self; }
};

class ModelBurst {
 public:
  ModelBurst(ModelWorker& worker, std::span<const Segment> segments, const Observed& observed,
             Milliseconds now_ms, std::vector<std::string>& faults)
      : worker_(worker),
        originals_(segments),
        segments_(segments.begin(), segments.end()),
        observed_(observed),
        now_(seconds_of(now_ms)),
        now_ms_(now_ms),
        faults_(faults),
        expected_(segments.size()) {}

  // Once. Changes the worker.
  [[nodiscard]] std::vector<Expected> run();

 private:
  using Verdict = pipeline::Verdict;
  // A packet of a dsr flow that is not in the table: where it goes if it is the one that is
  // recorded (nobody: it cannot be), and where if there is no room for it.
  struct Unrecorded {
    std::size_t number;
    std::optional<BackendIdentity> recorded;
    std::optional<BackendIdentity> stateless;
    // They are the slot's previous owner.
    bool recorded_is_previous;
    bool stateless_is_previous;
    bool opens_nothing = false;  // an ICMP error
  };
  using Pending = std::map<FlowKey, std::vector<Unrecorded>>;
  // With each pending flow, how many of its packets came before there was room for it.
  using Early = std::vector<std::size_t>;

  // Live flows, as far as they are known.
  struct Load {
    std::uint64_t least = 0;
    std::uint64_t most = 0;
  };

  // model_classify.cc
  [[nodiscard]] Verdict classify(const Segment& segment, Expected& expected) const;
  [[nodiscard]] Verdict fault_of(const Segment& segment) const;
  [[nodiscard]] Verdict classify_reply(const Segment& segment, std::uint8_t slot,
                                       Expected& expected) const;

  [[nodiscard]] Verdict frame_fault(const Segment& segment) const;

  // model_fragments.cc
  void join_all();
  [[nodiscard]] bool is_for_flows(const net::IpAddress& address) const;
  [[nodiscard]] static Verdict piece_fault(const Segment& segment);
  void renumber(std::size_t number, Expected& expected) const;

  // model_icmp.cc
  void read_complaints();
  [[nodiscard]] static Verdict complaint_fault(const Segment& segment);
  [[nodiscard]] Verdict place_complaint(std::size_t number);
  static void turn_quoted(Segment& out);

  // model_known.cc
  [[nodiscard]] Verdict look_up(const Segment& segment, Expected& expected);
  [[nodiscard]] Verdict leave_dead_backend(const Segment& segment, const FlowKey& key);
  [[nodiscard]] Verdict look_up_reply(const Segment& segment, Expected& expected);
  void follow(const Segment& segment, ModelFlow& flow, Expected& expected) const;

  // model_open.cc
  void open_all();
  [[nodiscard]] Verdict open(std::size_t number);
  [[nodiscard]] Verdict check_limits(std::size_t number, bool& stateless);
  [[nodiscard]] Verdict open_nat(std::size_t number);
  [[nodiscard]] Verdict open_dsr(std::size_t number, bool stateless);
  [[nodiscard]] static std::size_t stateless_before(const std::vector<Unrecorded>& packets,
                                                    std::size_t first);
  void go_stateless(const Unrecorded& packet);
  [[nodiscard]] bool reclaim(std::uint8_t address);
  [[nodiscard]] bool is_full(net::Family family, bool found_full);
  [[nodiscard]] bool may_be_full(net::Family family) const;
  [[nodiscard]] Local real_local(std::size_t number, std::uint8_t address);
  void settle_unrecorded();
  [[nodiscard]] bool explain(Pending::const_iterator at, std::uint64_t unexplained,
                             Early& early) const;
  [[nodiscard]] bool explains_new_flows(const Early& early) const;
  [[nodiscard]] l4::FlowState state_from(const std::vector<Unrecorded>& packets,
                                         std::size_t first) const;
  void record_from(const FlowKey& key, const std::vector<Unrecorded>& packets, std::size_t first);
  void settle_evicted();
  void settle_spilled();

  // model_choose.cc
  [[nodiscard]] std::uint64_t hash_of(const net::IpAddress& source, std::uint16_t source_port,
                                      const Destination& to) const;
  [[nodiscard]] std::uint64_t slot_hash(const FlowKey& key, const ModelService& service) const;
  [[nodiscard]] Load load_of(BackendIdentity backend, net::Family family);
  [[nodiscard]] Load live_of(ServiceIdentity identity, net::Family family);
  [[nodiscard]] bool is_below_bound(std::uint64_t load, std::uint64_t live, BackendIdentity backend,
                                    const ModelService& service) const;
  [[nodiscard]] std::optional<BackendIdentity> choose_new(std::size_t number, const FlowKey& key);
  [[nodiscard]] BackendIdentity next_candidate(
      std::uint64_t hash, BackendIdentity owner, const ModelService& service,
      const std::function<bool(BackendIdentity)>& admits) const;
  [[nodiscard]] bool is_alone(std::size_t number) const;
  [[nodiscard]] BackendIdentity adopt_choice(std::size_t number, const FlowKey& key,
                                             BackendIdentity owner);

  // model_write.cc
  [[nodiscard]] Verdict write(std::size_t number, Expected& expected);
  [[nodiscard]] Verdict write_to_client(std::size_t number, Expected& expected);
  [[nodiscard]] Verdict write_to_backend(std::size_t number, Expected& expected);
  void put_into_tunnel(std::size_t number, Expected& expected);
  void spread(std::size_t number, const FlowKey& key, Tunnel& outer);
  void write_reset(const Segment& segment, Expected& expected) const;
  [[nodiscard]] std::optional<net::MacAddress> mac(const NeighbourTarget& target) const;

  ModelWorker& worker_;
  std::span<const Segment> originals_;
  std::vector<Segment> segments_;  // as known here: later fragments with the ports of the first
  const Observed& observed_;
  Moment now_;
  Milliseconds now_ms_;
  std::vector<std::string>& faults_;
  std::vector<Expected> expected_;
  Pending pending_;
  std::array<bool, 2> inserted_{};       // by family: something was put into the table
  std::uint64_t uncertain_choices_ = 0;  // taken over from what was observed
};

// The slot of a service's table that a hash picks.
[[nodiscard]] std::uint32_t slot_of(std::uint64_t hash, const ModelService& service);

// The address with only its first bits left.
[[nodiscard]] net::IpAddress first_bits(net::IpAddress address, unsigned bits);

// What a text says about a flow.
[[nodiscard]] std::string to_string(const FlowKey& key);

}  // namespace hawser::property
