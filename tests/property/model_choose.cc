// The model: which backend gets a new flow, by table and bounded load.
#include <algorithm>

#include "model_packets.h"

namespace hawser::property {
namespace {

std::uint64_t less(std::uint64_t from, std::uint64_t by) {
  return from - std::min(from, by);
}

}  // namespace

std::uint64_t ModelBurst::hash_of(const net::IpAddress& source, std::uint16_t source_port,
                                  const Destination& to) const {
  const net::Big16 from(source_port);
  const net::Big16 port(to.port);
  if (source.is_ipv4()) {
    return worker_.hash(hash::Ipv4Tuple{source.v4(), to.address.v4(), from, port, to.protocol});
  }
  return worker_.hash(hash::Ipv6Tuple{source.v6(), to.address.v6(), from, port, to.protocol});
}

net::IpAddress first_bits(net::IpAddress address, unsigned bits) {
  for (unsigned bit = bits; bit < address.size() * 8; ++bit) {
    address.bytes[bit / 8] =
        static_cast<std::uint8_t>(address.bytes[bit / 8] & ~(0x80U >> (bit % 8)));
  }
  return address;
}

std::uint64_t ModelBurst::slot_hash(const FlowKey& key, const ModelService& service) const {
  if (service.wanted.affinity.by != model::AffinityBy::kSource) {
    return hash_of(key.client, key.port, service.destination());
  }
  const unsigned bits = key.client.is_ipv4() ? service.wanted.affinity.ipv4_prefix
                                             : service.wanted.affinity.ipv6_prefix;
  return hash_of(first_bits(key.client, bits), 0, service.destination());
}

std::uint32_t slot_of(std::uint64_t hash, const ModelService& service) {
  return static_cast<std::uint32_t>((hash >> 32U) * service.table->slots() >> 32U);
}

// --- bounded load --------------------------------------------------------------------------------

// Where the layout decides whether there is room, some flows may be gone already and others not be
// recorded: then a load is only known within bounds.
ModelBurst::Load ModelBurst::load_of(BackendIdentity backend, net::Family family) {
  const std::uint64_t others = worker_.others.of(worker_.config.backend(backend).id);
  const std::uint64_t own = worker_.flows.load(backend);
  Load load{.least = own + others, .most = own + others};
  if (worker_.size.is_predictable(family)) return load;
  for (const FlowKey& key : worker_.flows.expired(family, now_)) {
    const ModelFlow& flow = *worker_.flows.find(key);
    if (flow.backend == backend && !ModelFlows::is_over(flow)) --load.least;
  }
  const ServiceIdentity service = worker_.config.backend(backend).service;
  for (const auto& [key, packets] : pending_) load.most += key.service == service ? 1 : 0;
  return load;
}

// Live flows of all that share the new ones: those of leaving backends do not count.
ModelBurst::Load ModelBurst::live_of(ServiceIdentity identity, net::Family family) {
  const ModelService& service = worker_.config.service(identity);
  const std::uint64_t all = worker_.flows.service_load(identity) + worker_.others.of(service.id);
  Load live{.least = all, .most = all};
  if (!worker_.size.is_predictable(family)) {
    for (const FlowKey& key : worker_.flows.expired(family, now_)) {
      const bool over = ModelFlows::is_over(*worker_.flows.find(key));
      if (key.service == identity && !over) --live.least;
    }
    for (const auto& [key, packets] : pending_) live.most += key.service == identity ? 1 : 0;
  }
  for (const BackendIdentity leaving : service.leaving) {
    const Load load = load_of(leaving, family);
    live = {.least = less(live.least, load.most), .most = less(live.most, load.least)};
  }
  return live;
}

// The share is by weight, of all flows with the new one, and rounded up; one flow more must fit.
bool ModelBurst::is_below_bound(std::uint64_t load, std::uint64_t live, BackendIdentity backend,
                                const ModelService& service) const {
  if (load < limits::kBoundedLoadFloor) return true;
  const std::uint64_t part = (live + 1) * worker_.config.backend(backend).weight *
                             (1000 + service.wanted.bounded_load_permille);
  const std::uint64_t whole = 1000 * service.total_weight;
  return load + 1 <= (part + whole - 1) / whole;
}

std::optional<BackendIdentity> ModelBurst::choose_new(std::size_t number, const FlowKey& key) {
  const ModelService& service = worker_.config.service(key.service);
  const std::uint64_t hash = slot_hash(key, service);
  const std::optional<BackendIdentity> owner = service.owners[slot_of(hash, service)];
  if (!owner || service.wanted.bounded_load_permille == 0) return owner;
  if (!worker_.size.is_predictable(key.client.family)) return adopt_choice(number, key, *owner);
  const std::uint64_t live = live_of(key.service, key.client.family).least;
  const auto admits = [&](BackendIdentity backend) {
    return is_below_bound(load_of(backend, key.client.family).least, live, backend, service);
  };
  if (admits(*owner)) return owner;
  const BackendIdentity chosen = next_candidate(hash, *owner, service, admits);
  if (chosen != *owner) ++worker_.flows.spilled;
  return chosen;
}

// As docs say: further slots in the flow's own order, then every member in turn.
BackendIdentity ModelBurst::next_candidate(
    std::uint64_t hash, BackendIdentity owner, const ModelService& service,
    const std::function<bool(BackendIdentity)>& admits) const {
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15ULL;
  std::uint32_t slot = 0;
  for (std::uint32_t i = 0; i < limits::kCandidates; ++i) {
    hash = hash::mix(hash + kGolden);
    slot = slot_of(hash, service);
    if (admits(*service.owners[slot])) return *service.owners[slot];
  }
  const auto begin =
      std::find(service.serving.begin(), service.serving.end(), *service.owners[slot]);
  const auto from = static_cast<std::size_t>(begin - service.serving.begin());
  for (std::size_t i = 0; i < service.serving.size(); ++i) {
    const BackendIdentity member = service.serving[(from + i) % service.serving.size()];
    if (admits(member)) return member;
  }
  return owner;
}

bool ModelBurst::is_alone(std::size_t number) const {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (i != number && expected_[i].flow == expected_[number].flow) return false;
  }
  return true;
}

// What really was chosen, if it may be: nobody who was surely above his bound, and not past an
// owner who surely was not.
BackendIdentity ModelBurst::adopt_choice(std::size_t number, const FlowKey& key,
                                         BackendIdentity owner) {
  ++uncertain_choices_;
  const ModelService& service = worker_.config.service(key.service);
  const net::Family family = key.client.family;
  const std::optional<RealFlow> flow = service.is_nat() ? std::nullopt : observed_.flow(key);
  // A direct flow without record goes by the table alone: its choice is nowhere to be seen.
  if (!service.is_nat() && !flow) return owner;
  const BackendId real = flow ? flow->backend : observed_.backends[number];
  const auto is_real = [&](BackendIdentity backend) {
    return worker_.config.backend(backend).id == real;
  };
  const auto chosen = std::find_if(service.serving.begin(), service.serving.end(), is_real);
  if (chosen == service.serving.end()) return owner;
  // Another packet of the flow may have been the one that was recorded: earlier, later or by table.
  if (flow && !is_alone(number)) return *chosen;
  const Load live = live_of(key.service, family);
  const Load load = load_of(*chosen, family);
  const bool may = is_below_bound(load.least, live.most, *chosen, service);
  const bool owner_may_not =
      !is_below_bound(load_of(owner, family).most, live.least, owner, service);
  // What is told of the others need not add up: then all may be above, and the owner gets it.
  const bool all_may_not =
      std::all_of(service.serving.begin(), service.serving.end(), [&](BackendIdentity member) {
        return !is_below_bound(load_of(member, family).most, live.least, member, service);
      });
  if (*chosen == owner ? may || all_may_not : may && owner_may_not) return *chosen;
  faults_.push_back("packet " + std::to_string(number) + ": backend " + std::to_string(real.value) +
                    " got a flow that the bound of its load forbids");
  return owner;
}

}  // namespace hawser::property
