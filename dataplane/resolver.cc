// The states of a neighbour and what moves it from one to the next.
#include "dataplane/resolver.h"

#include "hawser/base/limits.h"

namespace hawser::dataplane {
namespace {

// Neighbours found together are not asked again together.
Uptime reachable_time(std::size_t index) {
  return limits::kReachable - limits::kResolverTick * (index % 64);
}

}  // namespace

std::string_view to_string(NeighbourState state) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"resolving", "reachable", "stale", "failed"};
  return kNames[static_cast<std::size_t>(state)];
}

Resolver::Resolver(std::span<const pipeline::PortSetup> ports, pipeline::NeighbourMacs& macs)
    : ports_(ports.begin(), ports.end()), macs_(macs) {}

void Resolver::set_targets(std::span<const pipeline::NeighbourTarget> targets, Uptime now) {
  for (std::size_t i = entries_.size(); i < targets.size(); ++i) {
    index_.emplace(targets[i], i);
    Entry entry;
    entry.target = targets[i];
    entry.due = now;
    entries_.push_back(entry);
  }
}

bool Resolver::is_known(const Entry& entry) noexcept {
  return entry.state == NeighbourState::kReachable || entry.state == NeighbourState::kStale;
}

void Resolver::learn(PortId port, const NeighbourNews& news, Uptime now) {
  const auto found = index_.find({port, news.address});
  if (found == index_.end()) return;
  const std::size_t index = found->second;
  Entry& entry = entries_[index];
  const bool known = is_known(entry);
  if (!known && !news.mac) return;  // confirms what we do not know
  ++totals_.answers;
  const bool differs = known && news.mac && *news.mac != entry.mac;
  if (differs && !news.overrides) {
    // Somebody else claims the address but does not insist: ask again (RFC 4861 section 7.2.5).
    if (entry.state == NeighbourState::kReachable) doubt(index, now);
    return;
  }
  if (differs) ++totals_.moves;
  if (news.mac) {
    entry.mac = *news.mac;
    macs_.set(pipeline::NeighbourId(static_cast<std::uint32_t>(index)), entry.mac);
  }
  if (news.solicited) {
    confirm(index, now);
  } else if (!known || differs) {
    doubt(index, now);
  }
}

// The neighbour has answered us.
void Resolver::confirm(std::size_t index, Uptime now) {
  Entry& entry = entries_[index];
  entry.state = NeighbourState::kReachable;
  entry.tries = 0;
  entry.confirmed = now;
  entry.due = now + reachable_time(index);
}

// Its MAC address is known, but not whether it hears us: ask at the next tick.
void Resolver::doubt(std::size_t index, Uptime now) {
  Entry& entry = entries_[index];
  entry.state = NeighbourState::kStale;
  entry.tries = 0;
  entry.due = now;
}

void Resolver::tick(Uptime now, std::vector<Probe>& probes) {
  const std::size_t count = entries_.size();
  if (first_ >= count) first_ = 0;
  const std::size_t room = probes.size() + limits::kProbesPerTick;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t index = first_ + i < count ? first_ + i : first_ + i - count;
    if (entries_[index].due > now) continue;
    if (probes.size() >= room) {
      first_ = index;
      return;
    }
    step(index, now, probes);
  }
}

void Resolver::step(std::size_t index, Uptime now, std::vector<Probe>& probes) {
  Entry& entry = entries_[index];
  if (entry.state == NeighbourState::kReachable) {
    entry.state = NeighbourState::kStale;
    entry.tries = 0;
  }
  const bool stale = entry.state == NeighbourState::kStale;
  const unsigned patience = limits::kBroadcastProbes + (stale ? limits::kUnicastProbes : 0);
  if (entry.state != NeighbourState::kFailed && entry.tries >= patience) {
    macs_.clear(pipeline::NeighbourId(static_cast<std::uint32_t>(index)));
    entry.state = NeighbourState::kFailed;
    ++totals_.failures;
  }
  std::optional<net::MacAddress> last_known;
  if (entry.state == NeighbourState::kStale && entry.tries < limits::kUnicastProbes) {
    last_known = entry.mac;
  }
  probes.push_back(
      {entry.target.port, probe(asker(entry.target), entry.target.address, last_known)});
  ++totals_.probes;
  ++entry.tries;
  entry.due = now + limits::kProbeInterval;
}

// Who asks for `target` on its port: the own address in the same network, else any of that family,
// else one that needs no configuration (the ARP probe of RFC 5227, the link-local address).
Asker Resolver::asker(const pipeline::NeighbourTarget& target) const {
  const pipeline::PortSetup& port = ports_[target.port.value];
  const net::Prefix* best = nullptr;
  for (const net::Prefix& own : port.addresses) {
    if (own.address.family != target.address.family) continue;
    if (own.contains(target.address)) return {port.mac, own.address};
    if (best == nullptr) best = &own;
  }
  if (target.address.is_ipv4()) {
    return {port.mac, best != nullptr ? best->address : net::IpAddress(net::Ipv4Address{})};
  }
  const bool local = target.address.v6().is_link_local();
  return {port.mac, best != nullptr && !local ? best->address : link_local(port.mac)};
}

Resolver::View Resolver::view(std::size_t index, Uptime now) const {
  const Entry& entry = entries_[index];
  View view;
  view.target = entry.target;
  view.state = entry.state;
  if (is_known(entry)) view.mac = entry.mac;
  if (entry.confirmed) {
    view.age_seconds = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(now - *entry.confirmed).count());
  }
  return view;
}

}  // namespace hawser::dataplane
