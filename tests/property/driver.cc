// Steps of pipeline and model, side by side.
#include "driver.h"

#include <algorithm>
#include <set>

#include "hawser/base/contract.h"

namespace hawser::property {
namespace {

// The longest that the model lets flows go without a look at all buckets. With the longest
// timeout it stays below what 16 bits of age can tell apart (hawser/base/time.h).
constexpr Milliseconds kLongestWithoutSweep = 20'000'000;
// Bursts between two comparisons of everything.
constexpr std::uint64_t kCompareEvery = 50;
constexpr unsigned kStepsOfARound = 200;
constexpr std::uint64_t kRoundMicroseconds = std::uint64_t{limits::kSweepSeconds} * 1'000'000;

model::FlowKey random_key(Random& random) {
  model::FlowKey key{};
  for (std::uint8_t& byte : key) byte = static_cast<std::uint8_t>(random.below(256));
  return key;
}

}  // namespace

Driver::Driver(const Shape& shape, std::uint64_t seed)
    : shape_(shape),
      random_(seed),
      network_(make_network(shape.clients)),
      key_(random_key(random_)),
      hash_(key_),
      config_(network_),
      world_(network_, shape, 0),
      changes_(network_, key_, shape_, random_),
      packets_(network_, shape_, random_),
      handed_(shape.present.size()),
      now_((65536 - random_.between(1, 500)) * Milliseconds{1000}) {
  swept_ = now_;
  for (const std::uint16_t self : shape.present) {
    workers_.push_back({.network = network_,
                        .config = config_,
                        .macs = macs_,
                        .hash = hash_,
                        .workers = shape.workers,
                        .self = self,
                        .size = shape.size,
                        .flows = ModelFlows(config_, network_, shape.workers, self, 0),
                        .entropy = entropy_});
  }
  publish();
}

bool Driver::run(std::uint64_t packets) {
  while (tally_.packets < packets && faults_.empty()) step();
  if (faults_.empty()) compare_everything();
  if (faults_.empty()) check_entropy();
  if (faults_.empty()) return true;
  difference_ = "after " + std::to_string(tally_.packets) + " packets, " +
                std::to_string(tally_.bursts) + " bursts, " + std::to_string(tally_.snapshots) +
                " snapshots, at second " + std::to_string(seconds_of(now_)) + ": " + last_step_;
  for (const std::string& fault : faults_) difference_ += "\n  " + fault;
  return false;
}

Tally Driver::tally() {
  Tally tally = tally_;
  for (const ModelWorker& worker : workers_) {
    for (std::size_t i = 0; i < pipeline::kVerdicts; ++i) {
      tally.verdicts[i] += worker.flows.verdicts[i];
    }
    tally.expired += worker.flows.expired_flows;
    tally.stateless += worker.flows.stateless;
    tally.to_previous_owners += worker.flows.to_previous_owners;
    tally.reclaimed += worker.flows.reclaimed;
    tally.spilled += worker.flows.spilled;
  }
  tally.seconds = static_cast<std::uint64_t>(seconds_of(now_));
  return tally;
}

void Driver::step() {
  if (random_.permille(25)) publish();
  if (random_.permille(20)) change_neighbours();
  if (random_.permille(30)) change_others();
  if (faults_.empty()) run_burst();
  if (faults_.empty() && random_.permille(shape_.sweep_permille)) {
    sweep(random_.below(workers_.size()), random_.below(5'000'000), 1);
  }
  if (faults_.empty() && random_.permille(5)) sweep_everything();
  if (faults_.empty() && random_.permille(shape_.pause_permille)) pause();
  if (faults_.empty() && tally_.bursts % kCompareEvery == 0) compare_everything();
}

void Driver::publish() {
  const model::Desired desired = changes_.next();
  last_step_ = "snapshot" + changes_.last();
  const Result<void> published = world_.publish(desired, now_);
  if (!published) {
    faults_.push_back("refused: " + published.error().message);
    return;
  }
  ++tally_.snapshots;
  for (const BackendId id : world_.reused()) {
    for (ModelWorker& worker : workers_) {
      const auto counters = worker.flows.counters().find(id.value);
      if (counters != worker.flows.counters().end() && counters->second.flows != 0) {
        faults_.push_back("backend id " + std::to_string(id.value) + " was given away with " +
                          std::to_string(counters->second.flows) + " flows");
      }
      worker.flows.reuse(id);
    }
  }
  config_.publish(desired, world_.snapshot(), now_, faults_);
  if (tally_.snapshots == 1) change_neighbours();
  world_.tell(macs_);
}

// Everybody is resolved at first; then they come and go, and change their MAC addresses.
void Driver::change_neighbours() {
  std::set<NeighbourTarget> targets;
  for (const Offer& offer : network_.offers) {
    for (const Candidate& candidate : offer.candidates) {
      for (const net::IpAddress& address : candidate.addresses) {
        targets.insert(network_.next_hop(address));
      }
    }
  }
  const bool first = macs_.empty();
  for (const NeighbourTarget& target : targets) {
    if (!first && !random_.permille(20)) continue;
    const auto change = static_cast<std::uint8_t>(random_.below(256));
    macs_[target] = {{0x02, 0, 0, 1, change, target.address.bytes[target.address.size() - 1]}};
    if (!first && random_.permille(150)) macs_.erase(target);
  }
  world_.tell(macs_);
}

// What a worker is told of the others need not be true, only the same for pipeline and model.
void Driver::change_others() {
  const std::size_t number = random_.below(workers_.size());
  OthersFlows& others = workers_[number].others;
  others.backends.assign(config_.backends().size() + 1, 0);
  others.services.assign(config_.services().size() + 1, 0);
  if (random_.permille(700)) {
    const std::uint32_t most = random_.between(1, 60);
    for (const ModelBackend& backend : config_.backends()) {
      const std::uint32_t flows = random_.below(most);
      const ServiceId service = config_.service(backend.service).id;
      others.backends[backend.id.value] = flows;
      others.services[service.value] += random_.permille(900) ? flows : flows / 2;
    }
  }
  world_.tell(number, others);
}

void Driver::pause() {
  const std::uint32_t kind = random_.below(1000);
  std::uint32_t seconds = 1;
  if (kind < 3) {
    seconds = random_.between(1000, 30000);
  } else if (kind < 20) {
    seconds = random_.between(100, 1000);
  } else if (kind < 150) {
    seconds = random_.between(2, 100);
  }
  now_ += seconds * Milliseconds{1000};
  if (now_ - swept_ > kLongestWithoutSweep) sweep_everything();
}

void Driver::run_burst() {
  const std::size_t number = random_.below(workers_.size());
  std::vector<Segment> segments;
  std::deque<Segment>& handed = handed_[number];
  while (!handed.empty() && segments.size() < 8) {
    segments.push_back(handed.front());
    handed.pop_front();
  }
  for (Segment& segment : packets_.burst(workers_[number], limits::kBurst - segments.size())) {
    segments.push_back(segment);
  }
  if (shape_.size.always_room) segments = with_room(number, std::move(segments));
  run_burst(number, segments);
}

std::vector<Segment> Driver::with_room(std::size_t worker, std::vector<Segment> segments) {
  std::erase_if(segments, [&](const Segment& segment) {
    const auto service =
        config_.find(segment.destination, segment.destination_port, segment.is_tcp());
    if (!service) return false;
    const FlowKey key{.client = segment.source, .port = segment.source_port, .service = *service};
    return workers_[worker].flows.find(key) == nullptr &&
           !world_.has_room(worker, key, config_.service(*service));
  });
  return segments;
}

void Driver::run_burst(std::size_t worker, const std::vector<Segment>& segments) {
  if (random_.permille(300)) now_ += random_.below(150);
  if (random_.permille(300)) tick(worker);
  world_.run(worker, now_, segments, frames_, burst_);
  judge(worker, segments);
  std::vector<Segment>& released = workers_[worker].fragments.released();
  while (faults_.empty() && world_.run_released(worker, now_, burst_)) {
    if (burst_.size > released.size()) {
      faults_.emplace_back("more fragments were released than should be");
      return;
    }
    const auto end = released.begin() + burst_.size;
    const std::vector<Segment> again(released.begin(), end);
    released.erase(released.begin(), end);
    judge(worker, again);
  }
  if (!released.empty()) faults_.emplace_back("fragments were not released that should be");
}

void Driver::tick(std::size_t worker) {
  ModelFlows& flows = workers_[worker].flows;
  const std::size_t expected = workers_[worker].fragments.give_up(now_);
  flows.verdicts[static_cast<std::size_t>(pipeline::Verdict::kFragmentFirstMissing)] += expected;
  const std::size_t real = world_.tick(worker, now_);
  if (real == expected && world_.state(worker).held.size() == workers_[worker].fragments.held()) {
    return;
  }
  faults_.push_back(std::to_string(real) + " fragments were given up, expected " +
                    std::to_string(expected));
}

void Driver::judge(std::size_t worker, const std::vector<Segment>& segments) {
  ++tally_.bursts;
  tally_.packets += segments.size();
  const pipeline::WorkerState& state = world_.state(worker);
  Observed observed{.verdicts = {},
                    .locals = {},
                    .backends = {},
                    .flow =
                        [&](const FlowKey& key) {
                          return world_.find(worker, key, config_.service(key.service));
                        },
                    .live_ipv4 = state.ipv4.live(),
                    .live_ipv6 = state.ipv6.live(),
                    .stateless = state.stateless.read(),
                    .spilled = state.spilled.read(),
                    .frame =
                        [&](std::size_t number) {
                          const pipeline::Packet& packet = burst_.packets[number];
                          return std::span<const std::uint8_t>(packet.data, packet.length);
                        },
                    .new_flows =
                        [&](BackendIdentity backend) {
                          return state.backends[config_.backend(backend).id.value].new_flows.read();
                        }};
  for (const pipeline::Packet& packet : burst_.span()) {
    observed.verdicts.push_back(packet.verdict);
    observed.backends.push_back(packet.backend);
    observed.locals.push_back({.address = packet.nat_address, .port = packet.nat_port});
  }
  ModelBurst model(workers_[worker], segments, observed, now_, faults_);
  const std::vector<Expected> expected = model.run();
  std::set<FlowKey> touched;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    Faults differences;
    compare_packet(expected[i], segments[i], burst_.packets[i], config_, differences);
    for (const std::string& difference : differences) {
      faults_.push_back("packet " + std::to_string(i) + ", " + difference);
    }
    if (expected[i].flow) touched.insert(*expected[i].flow);
  }
  for (const FlowKey& key : touched) compare_flow(workers_[worker], world_, worker, key, faults_);
  compare_counters(workers_[worker], world_, worker, faults_);
  if (!faults_.empty())
    last_step_ = "a burst for worker " + std::to_string(worker) + describe(segments);
  hand_off(segments, expected);
}

std::string Driver::describe(const std::vector<Segment>& segments) const {
  std::string text;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    text += "\n    " + std::to_string(i) + ": " + to_string(segments[i]) + " -> " +
            std::string(pipeline::info(burst_.packets[i].verdict).name);
  }
  return text;
}

// What belongs to a worker of this world goes on there; it is read anew.
void Driver::hand_off(const std::vector<Segment>& segments, const std::vector<Expected>& expected) {
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (expected[i].verdict != pipeline::Verdict::kHandOff) continue;
    const auto owner =
        std::find(shape_.present.begin(), shape_.present.end(), expected[i].owner.value);
    if (owner == shape_.present.end()) continue;
    handed_[static_cast<std::size_t>(owner - shape_.present.begin())].push_back(segments[i]);
  }
}

// Which buckets are looked at is the layout's; that only idle flows go, and all counts, are not.
void Driver::sweep(std::size_t worker, std::uint64_t microseconds, unsigned steps) {
  for (; steps > 0; --steps) world_.sweep(worker, now_, microseconds);
  ModelWorker& model = workers_[worker];
  for (const net::Family family : {net::Family::kIpv4, net::Family::kIpv6}) {
    std::vector<FlowKey> gone;
    for (const FlowKey& key : model.flows.expired(family, seconds_of(now_))) {
      if (!world_.find(worker, key, config_.service(key.service))) gone.push_back(key);
    }
    model.flows.expire(gone);
  }
  const std::size_t before = faults_.size();
  compare_counters(model, world_, worker, faults_);
  if (faults_.size() > before) last_step_ = "a sweep of worker " + std::to_string(worker);
}

// Within limits::kSweepSeconds every bucket was looked at, so no idle flow is left.
void Driver::sweep_everything() {
  for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
    // In steps short enough that none has more to look at than limits::kSweepBucketsPerStep.
    sweep(worker, kRoundMicroseconds / kStepsOfARound, kStepsOfARound);
    for (const net::Family family : {net::Family::kIpv4, net::Family::kIpv6}) {
      const std::size_t left = workers_[worker].flows.expired(family, seconds_of(now_)).size();
      if (left == 0) continue;
      faults_.push_back(std::to_string(left) + " idle flows left after a whole sweep");
      last_step_ = "a sweep of everything of worker " + std::to_string(worker);
    }
  }
  swept_ = now_;
}

// Labels and ports that were mostly the same would spread nothing.
void Driver::check_entropy() {
  std::set<std::uint32_t> labels;
  std::set<std::uint16_t> ports;
  std::size_t flows_with_label = 0;
  std::size_t flows_with_port = 0;
  for (const auto& [key, entropy] : entropy_) {
    if (entropy.flow_label) labels.insert(*entropy.flow_label);
    if (entropy.port) ports.insert(*entropy.port);
    flows_with_label += entropy.flow_label ? 1 : 0;
    flows_with_port += entropy.port ? 1 : 0;
  }
  if (labels.size() * 2 < flows_with_label) faults_.emplace_back("few flow labels for many flows");
  if (ports.size() * 2 < flows_with_port) faults_.emplace_back("few GUE ports for many flows");
}

void Driver::compare_everything() {
  for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
    const std::size_t before = faults_.size();
    compare_all_flows(workers_[worker], world_, worker, faults_);
    if (faults_.size() > before) {
      last_step_ = "a comparison of all flows of worker " + std::to_string(worker);
    }
  }
}

}  // namespace hawser::property
