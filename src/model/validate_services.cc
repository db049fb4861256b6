// Checks of services and backends that look at more than one value.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "check_settings.h"
#include "check_splice.h"
#include "hawser/base/limits.h"
#include "hawser/model/address_plan.h"
#include "hawser/model/validation.h"

namespace hawser::model {
namespace {

// Who is at `10.0.0.1:80/tcp` or `10.0.0.11:8080`.
using Endpoints = std::map<std::string, Claim>;

bool is_prime(std::uint64_t number) {
  if (number < 2) return false;
  for (std::uint64_t divisor = 2; divisor * divisor <= number; ++divisor) {
    if (number % divisor == 0) return false;
  }
  return true;
}

std::uint64_t next_prime(std::uint64_t number) {
  while (!is_prime(number)) ++number;
  return number;
}

// What the services are judged against.
struct Surroundings {
  const Configuration& configuration;
  const Claims& claims;
  Claims service_addresses;
  bool ports_sound = false;  // else reachability cannot be judged
  bool lists_read = false;   // the files of prefix lists were looked at
};

class ServiceCheck {
 public:
  ServiceCheck(const Service& service, const ServiceSource& source, std::size_t index,
               const Surroundings& surroundings, Diagnostics& diagnostics)
      : service_(service),
        source_(source),
        where_(label("service", service.name, index)),
        surroundings_(surroundings),
        diagnostics_(diagnostics) {}

  void check_name(std::map<std::string, Place>& names) {
    const Node* name = source_.table->find("name");
    if (!diagnostics_.usable(name)) return;
    const auto [first, inserted] = names.emplace(service_.name, name->place);
    if (inserted) return;
    complain(
        *name, where_,
        fmt::format("the name is already used at line {}; names are unique", first->second.line));
  }

  void check_overlap(Endpoints& frontends) {
    const Node* address = source_.table->find("address");
    const Node* port = source_.table->find("port");
    if (!diagnostics_.usable(address) || !diagnostics_.usable(port)) return;
    const std::string point =
        fmt::format("{}/{}", net::endpoint_to_string(service_.address, service_.port),
                    to_string(service_.protocol));
    const auto [first, inserted] = frontends.emplace(point, Claim{where_, port->place});
    if (inserted) return;
    complain(*port, where_,
             fmt::format("{} is already served by {} (line {})", point, first->second.what,
                         first->second.place.line));
  }

  void check_address() {
    const Node* address = source_.table->find("address");
    if (!diagnostics_.usable(address)) return;
    const std::string text = net::to_string(service_.address);
    if (service_.address.is_special()) {
      complain(*address, where_,
               fmt::format("address {} is a zero, loopback, multicast or broadcast address", text));
      return;
    }
    const auto claim = surroundings_.claims.find(service_.address);
    if (claim != surroundings_.claims.end()) {
      complain(*address, where_,
               fmt::format("address {} is already the {} (line {}); a service needs its own", text,
                           claim->second.what, claim->second.place.line));
      return;
    }
    if (!uses_nat(service_.forward) || !surroundings_.ports_sound) return;
    if (has_nat_address(surroundings_.configuration, service_.address.family)) return;
    complain(*address, where_,
             fmt::format("forward \"{}\" needs an {} address to send from; add one to "
                         "nat_addresses of a [[port]]",
                         to_string(service_.forward), family_name(service_.address.family)));
  }

  void check_health_check() {
    const Node* check = source_.table->find("check");
    if (!diagnostics_.usable(check) || service_.protocol != Protocol::kUdp) return;
    if (service_.check.type == CheckType::kNone || service_.check.port != 0) return;
    complain(*check, where_,
             fmt::format("a \"{}\" check of a udp service needs the port of something that speaks "
                         "TCP; write check.port",
                         to_string(service_.check.type)));
  }

  void check_table() {
    const Node* slots = source_.table->find("table_slots");
    const std::uint64_t least = limits::kMinSlotsPerBackend * service_.backends.size();
    if (!diagnostics_.usable(slots) || service_.table_slots == 0) return;
    if (!is_prime(service_.table_slots) || service_.table_slots < least) {
      complain(*slots, where_,
               fmt::format("table_slots is {}, must be a prime of at least {} ({} a backend); "
                           "write {}, or leave it out",
                           service_.table_slots, least, limits::kMinSlotsPerBackend,
                           next_prime(std::max<std::uint64_t>(service_.table_slots, least))));
    }
  }

  void check_settings() {
    model::check_settings(service_, source_, where_, surroundings_.configuration,
                          surroundings_.lists_read, diagnostics_);
  }

  void check_splice() { model::check_splice(service_, source_, where_, diagnostics_); }

  void check_backends() {
    const Node* list = source_.table->find("backend");
    if (list == nullptr || (diagnostics_.usable(list) && list->items.empty())) {
      diagnostics_.add(list == nullptr ? source_.table->place : list->place,
                       where_ + ": there is no backend; add a [[service.backend]]");
    }
    if (source_.backends.size() > limits::kMaxBackendsPerService) {
      diagnostics_.add(source_.backends[limits::kMaxBackendsPerService]->place,
                       fmt::format("{}: there are {} backends, must be at most {}", where_,
                                   source_.backends.size(), limits::kMaxBackendsPerService));
    }
    std::map<std::string, Place> names;
    Endpoints points;
    for (std::size_t i = 0; i < service_.backends.size(); ++i) check_backend(i, names, points);
  }

 private:
  void check_backend(std::size_t index, std::map<std::string, Place>& names, Endpoints& points) {
    const Backend& backend = service_.backends[index];
    const Node& table = *source_.backends[index];
    const std::string own = label("backend", backend.name, index);
    const std::string where = where_ + ", " + own;
    const Node* name = table.find("name");
    if (diagnostics_.usable(name)) {
      const auto [first, inserted] = names.emplace(backend.name, name->place);
      if (!inserted) {
        complain(*name, where,
                 fmt::format("the name is already used at line {}; names are unique "
                             "in a service",
                             first->second.line));
      }
    }
    const Node* address = table.find("address");
    const Node* port = table.find("port");
    if (!diagnostics_.usable(address)) return;
    if (!check_backend_address(backend, *address, where) || !diagnostics_.usable(port)) return;
    const std::string point = net::endpoint_to_string(backend.address, backend.port);
    const auto [first, inserted] = points.emplace(point, Claim{own, address->place});
    if (!inserted) {
      complain(*address, where,
               fmt::format("{} is already {} (line {})", point, first->second.what,
                           first->second.place.line));
    }
    const bool moved = !uses_nat(service_.forward) && backend.port != service_.port;
    if (moved && diagnostics_.usable(source_.table->find("port"))) {
      complain(*port, where,
               fmt::format("port {} differs from the service's {}; forward \"{}\" leaves the port "
                           "as it is",
                           backend.port, service_.port, to_string(service_.forward)));
    }
  }

  // True when the address may be judged further.
  bool check_backend_address(const Backend& backend, const Node& node, const std::string& where) {
    const std::string text = net::to_string(backend.address);
    if (backend.address.is_special()) {
      complain(node, where,
               fmt::format("address {} is a zero, loopback, multicast or broadcast address", text));
      return false;
    }
    for (const Claims* claims : {&surroundings_.claims, &surroundings_.service_addresses}) {
      const auto claim = claims->find(backend.address);
      if (claim == claims->end()) continue;
      complain(node, where,
               fmt::format("address {} is the {} (line {}); packets would loop", text,
                           claim->second.what, claim->second.place.line));
      return false;
    }
    const Node* service = source_.table->find("address");
    const bool mixed = backend.address.family != service_.address.family;
    if (diagnostics_.usable(service) && mixed && !is_tunnel(service_.forward)) {
      complain(
          node, where,
          fmt::format("address {} is {}, the service's {} is {}; forward \"{}\" needs the same "
                      "family (tunnels can mix them)",
                      text, family_name(backend.address.family), net::to_string(service_.address),
                      family_name(service_.address.family), to_string(service_.forward)));
      return false;
    }
    check_reachable(backend, node, where);
    return true;
  }

  void check_reachable(const Backend& backend, const Node& node, const std::string& where) {
    const Configuration& configuration = surroundings_.configuration;
    if (!surroundings_.ports_sound) return;
    const std::string text = net::to_string(backend.address);
    const Way way = way_to(configuration, backend.address);
    if (service_.forward == Forward::kDsrL2 && (way.port == nullptr || way.by_gateway)) {
      complain(node, where,
               fmt::format("address {} is in no network of a port, which forward \"dsr-l2\" needs; "
                           "check the addresses of [[port]]",
                           text));
    } else if (way.port == nullptr) {
      complain(node, where,
               fmt::format("address {} is unreachable: in no network of a port, and no port has an "
                           "{} gateway; add one to gateways",
                           text, family_name(backend.address.family)));
    } else {
      check_way(backend, *way.port, node, where);
    }
  }

  // Whether the port can send what the way of forwarding makes of a packet.
  void check_way(const Backend& backend, const Port& port, const Node& node,
                 const std::string& where) {
    const net::Family family = backend.address.family;
    const std::string way = fmt::format("address {} is reached over port \"{}\", which has ",
                                        net::to_string(backend.address), port.name);
    if (uses_nat(service_.forward) && !has_nat_address(port, family)) {
      // Without any, the service is told.
      if (!has_nat_address(surroundings_.configuration, family)) return;
      complain(
          node, where,
          way + fmt::format("no {} address among nat_addresses; add one", family_name(family)));
    }
    if (!is_tunnel(service_.forward)) return;
    const std::uint32_t needed = limits::kMinMtu + tunnel_overhead(service_.forward, family);
    if (!has_own_address(port, family)) {
      complain(node, where,
               way + fmt::format("no {} address to send a tunnel's packets from; add one to "
                                 "addresses",
                                 family_name(family)));
    } else if (!service_.address.is_ipv4() && port.mtu < needed) {
      complain(node, where,
               way + fmt::format("mtu {}; an IPv6 packet of {} bytes, which needs no leave to be "
                                 "sent, and the tunnel's headers need {}",
                                 port.mtu, limits::kMinMtu, needed));
    }
  }

  void complain(const Node& node, const std::string& where, const std::string& message) {
    diagnostics_.add(node, where + ": " + message);
  }

  const Service& service_;
  const ServiceSource& source_;
  std::string where_;
  const Surroundings& surroundings_;
  Diagnostics& diagnostics_;
};

// Whether every list of addresses of the ports was read without a fault.
bool ports_are_sound(const Sources& sources, const Diagnostics& diagnostics) {
  for (const Node* port : sources.ports) {
    for (const char* key : {"addresses", "gateways", "nat_addresses"}) {
      const Node* list = port->find(key);
      if (list == nullptr) continue;
      if (!diagnostics.usable(list)) return false;
      for (const Node& item : list->items) {
        if (!diagnostics.usable(&item)) return false;
      }
    }
    if (port->find("addresses") == nullptr) return false;
  }
  return !sources.ports.empty();
}

void check_counts(const Configuration& configuration, const Sources& sources,
                  Diagnostics& diagnostics) {
  if (sources.services.size() > limits::kMaxServices) {
    diagnostics.add(sources.services[limits::kMaxServices].table->place,
                    fmt::format("there are {} services, must be at most {}",
                                sources.services.size(), limits::kMaxServices));
  }
  std::size_t backends = 0;
  std::set<net::IpAddress, AddressOrder> neighbours;
  for (const Service& service : configuration.services) {
    backends += service.backends.size();
    for (const Backend& backend : service.backends) neighbours.insert(backend.address);
  }
  for (const Port& port : configuration.ports) {
    neighbours.insert(port.gateways.begin(), port.gateways.end());
  }
  if (backends > limits::kMaxBackends) {
    diagnostics.add(sources.services.back().table->place,
                    fmt::format("there are {} backends over all services, must be at most {}",
                                backends, limits::kMaxBackends));
  }
  if (neighbours.size() > limits::kMaxNeighbours) {
    diagnostics.add(sources.services.back().table->place,
                    fmt::format("there are {} distinct addresses of backends and gateways, must be "
                                "at most {}",
                                neighbours.size(), limits::kMaxNeighbours));
  }
}

Claims addresses_of_services(const Configuration& configuration, const Sources& sources,
                             const Diagnostics& diagnostics) {
  Claims claims;
  for (std::size_t i = 0; i < configuration.services.size(); ++i) {
    const Service& service = configuration.services[i];
    const Node* address = sources.services[i].table->find("address");
    if (!diagnostics.usable(address)) continue;
    claims.emplace(service.address,
                   Claim{"address of " + label("service", service.name, i), address->place});
  }
  return claims;
}

}  // namespace

void validate_services(const Configuration& configuration, const Sources& sources,
                       const Claims& claims, Diagnostics& diagnostics) {
  check_counts(configuration, sources, diagnostics);
  const Surroundings surroundings{
      .configuration = configuration,
      .claims = claims,
      .service_addresses = addresses_of_services(configuration, sources, diagnostics),
      .ports_sound = ports_are_sound(sources, diagnostics),
      .lists_read = sources.lists_read};
  std::map<std::string, Place> names;
  Endpoints frontends;
  for (std::size_t i = 0; i < configuration.services.size(); ++i) {
    ServiceCheck check(configuration.services[i], sources.services[i], i, surroundings,
                       diagnostics);
    check.check_name(names);
    check.check_overlap(frontends);
    check.check_address();
    check.check_health_check();
    check.check_table();
    check.check_backends();
    check.check_settings();
    check.check_splice();
  }
}

}  // namespace hawser::model
