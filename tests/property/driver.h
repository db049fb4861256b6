// Drives pipeline and model side by side through random steps, until they differ.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "change_generator.h"
#include "compare.h"
#include "packet_generator.h"

namespace hawser::property {

// How often each thing happened, to show that the test got there.
struct Tally {
  std::array<std::uint64_t, pipeline::kVerdicts> verdicts{};
  std::uint64_t packets = 0;
  std::uint64_t bursts = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t expired = 0;
  std::uint64_t stateless = 0;
  std::uint64_t to_previous_owners = 0;
  std::uint64_t reclaimed = 0;
  std::uint64_t spilled = 0;
  std::uint64_t seconds = 0;
};

class Driver {
 public:
  Driver(const Shape& shape, std::uint64_t seed);

  // True when nothing differed over so many packets; else difference() says what did.
  [[nodiscard]] bool run(std::uint64_t packets);
  [[nodiscard]] const std::string& difference() const { return difference_; }
  [[nodiscard]] Tally tally();

 private:
  void step();
  void publish();
  void change_neighbours();
  void change_others();
  void pause();
  void run_burst();
  void run_burst(std::size_t worker, const std::vector<Segment>& segments);
  // Compares what the burst became with what the model makes of the segments.
  void judge(std::size_t worker, const std::vector<Segment>& segments);
  void tick(std::size_t worker);
  void hand_off(const std::vector<Segment>& segments, const std::vector<Expected>& expected);
  void sweep(std::size_t worker, std::uint64_t microseconds, unsigned steps);
  void sweep_everything();
  void compare_everything();
  void check_entropy();
  // Without those that might find no room, where the tables shall have it.
  [[nodiscard]] std::vector<Segment> with_room(std::size_t worker, std::vector<Segment> segments);
  [[nodiscard]] std::string describe(const std::vector<Segment>& segments) const;

  Shape shape_;
  Random random_;
  Network network_;
  model::FlowKey key_{};
  hash::FlowHash hash_;
  ModelConfig config_;
  std::map<NeighbourTarget, net::MacAddress> macs_;
  std::map<FlowKey, Entropy> entropy_;
  World world_;
  ChangeGenerator changes_;
  PacketGenerator packets_;
  std::vector<ModelWorker> workers_;
  std::vector<std::deque<Segment>> handed_;  // by worker
  pipeline::Burst burst_;
  std::vector<Frame> frames_;
  Milliseconds now_ = 0;
  Milliseconds swept_ = 0;  // when all buckets were last looked at
  Tally tally_;
  Faults faults_;
  std::string last_step_;
  std::string difference_;
};

}  // namespace hawser::property
