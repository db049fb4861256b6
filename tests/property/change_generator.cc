// Random changes.
#include "change_generator.h"

#include <array>

#include "hawser/base/limits.h"

namespace hawser::property {
namespace {

// Primes; few, so that a change of the table is soon built and seldom owns all the same slots.
constexpr std::array<std::uint32_t, 3> kTableSlots{13, 61, 251};

constexpr std::array<std::uint32_t, 6> kBounds{0, 1, 100, 250, 1000, 10'000};

}  // namespace

ChangeGenerator::ChangeGenerator(const Network& network, const model::FlowKey& key,
                                 const Shape& shape, Random& random)
    : network_(network), key_(key), shape_(shape), random_(random) {
  for (const char* name : {"red", "green", "blue"}) lists_.push_back(any_list(name));
  for (const Offer& offer : network.offers) {
    ServiceChoice choice;
    choice.service.name = offer.name;
    choice.service.address = offer.address;
    choice.service.port = offer.port;
    choice.service.protocol = offer.protocol;
    choice.service.forward = offer.forward;
    choice.service.bounded_load_permille = random.one_of(kBounds);
    choice.service.table_slots = random.one_of(kTableSlots);
    choice.backends.resize(offer.candidates.size());
    for (int i = 0; i < 3; ++i) change(choice);
    choice.present = true;
    choices_.push_back(std::move(choice));
  }
}

void ChangeGenerator::change(BackendChoice& choice) {
  using enum model::Admission;
  constexpr std::array<model::Admission, 6> kAdmissions{kServing, kServing,  kServing,
                                                        kServing, kDraining, kDown};
  switch (random_.below(6)) {
    case 0:
      choice.present = random_.permille(700);
      last_ += choice.present ? "added" : "removed";
      break;
    case 1:
      choice.weight = random_.between(limits::kMinWeight, limits::kMaxWeight);
      last_ += "weight";
      break;
    case 2:
      if (random_.permille(300)) choice.variant = random_.below(4);
      last_ += "address";
      break;
    default:
      choice.admission = random_.one_of(kAdmissions);
      last_ += model::to_string(choice.admission);
  }
}

void ChangeGenerator::change(ServiceChoice& choice) {
  model::Service& service = choice.service;
  const auto flip = [](auto& value, auto one, auto other) { value = value == one ? other : one; };
  last_ += " " + service.name + ":";
  switch (random_.below(20)) {
    case 0:
      choice.present = random_.permille(800);
      last_ += choice.present ? "added" : "removed";
      break;
    case 1:
      flip(service.on_down, model::DownPolicy::kReset, model::DownPolicy::kRehome);
      last_ += model::to_string(service.on_down);
      break;
    case 2:
      flip(service.affinity.by, model::AffinityBy::kFlow, model::AffinityBy::kSource);
      service.affinity.ipv4_prefix = static_cast<std::uint8_t>(random_.between(1, 32));
      service.affinity.ipv6_prefix = static_cast<std::uint8_t>(random_.between(1, 128));
      last_ += model::to_string(service.affinity.by);
      break;
    case 3:
      service.timeouts = {.established = static_cast<std::uint16_t>(random_.between(1, 900)),
                          .handshake = static_cast<std::uint16_t>(random_.between(1, 60)),
                          .closing = static_cast<std::uint16_t>(random_.between(1, 120)),
                          .udp = static_cast<std::uint16_t>(random_.between(1, 300))};
      if (random_.permille(100)) service.timeouts.established = limits::kMaxTimeoutSeconds;
      last_ += "timeouts";
      break;
    case 4:
      if (random_.permille(300)) {
        service.forward = random_.permille(400) ? model::Forward::kNat
                                                : static_cast<model::Forward>(random_.below(4));
      }
      service.gue_port = random_.permille(500) ? limits::kGuePort : 6081;
      last_ += model::to_string(service.forward);
      break;
    case 5:
      service.table_slots = random_.one_of(kTableSlots);
      last_ += "slots";
      break;
    case 6:
      service.bounded_load_permille = random_.one_of(kBounds);
      last_ += "bound";
      break;
    case 7:
      change(service.protection);
      last_ += "protection";
      break;
    default:
      change(choice.backends[random_.below(choice.backends.size())]);
  }
}

// Networks around clients, of any size.
model::PrefixList ChangeGenerator::any_list(const std::string& name) {
  std::vector<net::Prefix> prefixes;
  for (std::uint32_t left = random_.below(6); left > 0; --left) {
    const net::IpAddress& client = random_.one_of(network_.clients).address;
    const std::uint32_t bits = static_cast<std::uint32_t>(client.size()) * 8;
    const std::uint32_t length = random_.permille(500) ? bits : random_.between(bits / 4, bits);
    prefixes.push_back({client, static_cast<std::uint8_t>(length)});
  }
  return {.name = name,
          .prefixes = std::make_shared<const std::vector<net::Prefix>>(std::move(prefixes))};
}

// Whether a flow counts against a rate must not depend on whether there was room for another.
void ChangeGenerator::change(model::Protection& protection) {
  protection = {};
  // Mostly none, or few flows would come to be.
  if (random_.permille(600)) return;
  for (const model::PrefixList& list : lists_) {
    if (random_.permille(200)) protection.allow.push_back(list.name);
    if (random_.permille(200)) protection.deny.push_back(list.name);
  }
  if (!shape_.size.is_predictable(net::Family::kIpv4)) return;
  const std::uint32_t workers = shape_.workers;
  if (random_.permille(400)) protection.max_flows = random_.between(1, 100);
  if (random_.permille(400)) protection.new_flow_rate = random_.between(1, 10 * workers);
  if (random_.permille(400)) {
    protection.source_rate = {.per_second = random_.between(1, 5 * workers),
                              .burst = random_.below(8),
                              .ipv4_prefix = static_cast<std::uint8_t>(random_.between(8, 32)),
                              .ipv6_prefix = static_cast<std::uint8_t>(random_.between(16, 128))};
  }
}

model::Service ChangeGenerator::wanted(const Offer& offer, const ServiceChoice& choice) const {
  model::Service service = choice.service;
  for (std::size_t i = 0; i < choice.backends.size(); ++i) {
    const BackendChoice& backend = choice.backends[i];
    const Candidate& candidate = offer.candidates[i];
    // Only tunnels mix the families.
    const bool tunnel = model::is_tunnel(service.forward);
    const net::IpAddress& address =
        candidate.addresses[tunnel ? backend.variant : backend.variant % 2];
    const bool direct = service.forward != model::Forward::kNat;
    const bool on_link = network_.next_hop(address).address == address;
    if (!backend.present || (direct && !tunnel && !on_link)) continue;
    service.backends.push_back({.name = candidate.name,
                                .address = address,
                                .port = direct ? service.port : candidate.port,
                                .weight = backend.weight,
                                .admission = backend.admission});
  }
  return service;
}

model::Desired ChangeGenerator::next() {
  last_.clear();
  const std::uint32_t changes = epoch_ == 0 ? 0 : random_.between(1, 3);
  for (std::uint32_t i = 0; i < changes; ++i) change(choices_[random_.below(choices_.size())]);
  if (random_.permille(100)) {
    model::PrefixList& list = lists_[random_.below(lists_.size())];
    list = any_list(list.name);
    last_ += " list";
  }
  model::Desired desired{
      .epoch = Epoch(++epoch_), .flow_key = key_, .services = {}, .prefix_lists = {}};
  desired.prefix_lists = lists_;
  for (std::size_t i = 0; i < choices_.size(); ++i) {
    if (choices_[i].present) desired.services.push_back(wanted(network_.offers[i], choices_[i]));
  }
  return desired;
}

}  // namespace hawser::property
