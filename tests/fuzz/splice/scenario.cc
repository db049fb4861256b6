// Draws scenarios: most things are as usual most of the time, and each is sometimes odd.
#include "scenario.h"

#include <algorithm>

namespace hawser::simulation {
namespace {

constexpr std::size_t kBackendsOfService = 3;
constexpr std::uint16_t kServicePort = 80;
constexpr std::uint16_t kBackendPort = 8080;
constexpr std::uint16_t kClientPort = 40'000;  // of the first client

net::IpAddress address(const std::string& text) {
  return net::parse_address(text).value();
}

std::size_t headers(bool ipv4) {
  return ipv4 ? 40 : 60;
}

TcpSettings draw_tcp(std::uint16_t mtu, bool ipv4, Choices& choices) {
  TcpSettings tcp;
  tcp.timestamps = !choices.permille(300);
  tcp.sack = !choices.permille(250);
  tcp.window_scale = static_cast<std::uint8_t>(choices.below(10));
  if (choices.permille(250)) tcp.window_scale.reset();
  const std::uint64_t most = mtu - headers(ipv4);
  tcp.most_bytes = static_cast<std::uint32_t>(most);
  tcp.mss = static_cast<std::uint16_t>(
      choices.permille(600) ? most : choices.between(ipv4 ? 536 : 1220, most));
  tcp.buffer =
      choices.permille(300) ? static_cast<std::uint32_t>(choices.between(4'000, 20'000)) : 65'535;
  tcp.in_flight = static_cast<std::uint32_t>(choices.between(2, 20));
  tcp.initial_sequence = static_cast<std::uint32_t>(choices.seed());
  if (choices.permille(300)) {  // wraps soon
    tcp.initial_sequence = UINT32_MAX - static_cast<std::uint32_t>(choices.below(20'000));
  }
  tcp.clock = static_cast<std::uint32_t>(choices.seed());
  if (choices.permille(200)) tcp.clock = UINT32_MAX - 100'000 - 3'000;
  tcp.timeout = static_cast<std::uint32_t>(choices.between(200, 1'000));
  tcp.acknowledge_every = static_cast<std::uint32_t>(choices.between(1, 3));
  tcp.small_permille = choices.permille(300) ? 200 : 0;
  tcp.probes_with_data = choices.permille(500);
  return tcp;
}

Manner draw_manner(bool dribbles, Choices& choices) {
  return {.dribbles = dribbles,
          .reads_slowly = choices.permille(200),
          .pause_ms = static_cast<std::uint32_t>(choices.between(1, 40))};
}

adversary::Faults draw_faults(Choices& choices) {
  adversary::Faults faults;
  const auto share = [&choices](std::uint64_t often, std::uint64_t most) {
    return choices.permille(often) ? static_cast<double>(choices.between(1, most)) / 1000 : 0.0;
  };
  faults.delay_ms = static_cast<double>(choices.between(1, 12));
  if (choices.permille(150)) return faults;
  faults.loss = share(600, 80);
  faults.duplicate = share(500, 200);
  faults.reorder = share(500, 250);
  faults.reorder_span = static_cast<double>(choices.between(1, 12));
  faults.jitter = share(500, 500);
  faults.jitter_ms = static_cast<double>(choices.between(1, 60));
  faults.split = share(600, 600);
  faults.split_most = static_cast<double>(choices.between(2, 8));
  faults.merge = share(500, 500);
  faults.corrupt = share(100, 30);
  return faults;
}

model::Service draw_service(bool ipv4, const model::Affinity& affinity,
                            model::ClientAddress client_address) {
  model::Service service;
  service.name = ipv4 ? "four" : "six";
  service.address = address(ipv4 ? "10.0.0.100" : "fd00::100");
  service.port = kServicePort;
  service.forward = model::Forward::kSplice;
  service.splice.layer7 = model::Layer7::kHttp;
  service.affinity = affinity;
  service.client_address = client_address;
  service.bounded_load_permille = 0;
  service.timeouts.established = 30;
  return service;
}

adversary::ClientAddress told_of(model::ClientAddress how) {
  if (how == model::ClientAddress::kProxyV2) return adversary::ClientAddress::kProxy;
  if (how == model::ClientAddress::kForwardedFor) return adversary::ClientAddress::kForwardedFor;
  return adversary::ClientAddress::kNone;
}

void draw_backends(model::Service& service, std::uint64_t cut_permille, Scenario& scenario,
                   Choices& choices) {
  const bool ipv4 = service.address.is_ipv4();
  const bool trouble = choices.permille(250);
  for (std::size_t i = 1; i <= kBackendsOfService; ++i) {
    BackendDraw draw;
    draw.at = {address((ipv4 ? "10.0.2." : "fd00::2:") + std::to_string(i)), kBackendPort};
    draw.tcp = draw_tcp(scenario.size.mtu, ipv4, choices);
    draw.tcp.needs_timestamps = true;
    draw.tcp.echo_slack = 1'000;
    draw.server.name = (ipv4 ? "b" : "c") + std::to_string(i);
    draw.server.told = told_of(service.client_address);
    draw.server.cut_permille = cut_permille;
    draw.server.slow_permille = choices.permille(300) ? 300 : 0;
    draw.server.slow_ms = static_cast<std::uint32_t>(choices.between(1, 400));
    draw.server.manner = draw_manner(choices.permille(250), choices);
    if (trouble && choices.permille(500)) {
      draw.fate = choices.permille(500) ? Fate::kRefuses : Fate::kSilent;
      draw.fate_until = choices.permille(500) ? 60'000 : 1'000;
    }
    service.backends.push_back(
        {.name = draw.server.name, .address = draw.at.ip, .port = draw.at.port});
    scenario.backends.push_back(std::move(draw));
  }
}

struct Ways {
  model::Affinity affinity;
  ClientSettings::By by = ClientSettings::By::kNothing;
};

Ways draw_affinity(Choices& choices) {
  using By = ClientSettings::By;
  switch (choices.below(6)) {
    case 0:
    case 1:
      return {{.by = model::AffinityBy::kCookie}, By::kNothing};
    case 2:
      return {{.by = model::AffinityBy::kNone}, By::kNothing};
    case 3:
      return {{.by = model::AffinityBy::kQuery, .name = "q"}, By::kNumber};
    case 4:
      return {{.by = model::AffinityBy::kHeader, .name = "User-Agent"}, By::kUser};
    default:
      return {{.by = model::AffinityBy::kFlow}, By::kConnection};
  }
}

ClientDraw draw_client(std::size_t index, const Extent& extent, const Ways& ways,
                       const Scenario& scenario, Choices& choices) {
  const bool ipv4 = choices.permille(600);
  ClientDraw draw;
  draw.at = {address((ipv4 ? "10.0.1." : "fd00::1:") + std::to_string(index + 1)),
             static_cast<std::uint16_t>(kClientPort + index)};
  draw.target = {address(ipv4 ? "10.0.0.100" : "fd00::100"), kServicePort};
  draw.starts = static_cast<Milliseconds>(choices.below(3'000));
  draw.tcp = draw_tcp(scenario.size.mtu, ipv4, choices);
  ClientSettings& client = draw.client;
  client.connection = index;
  client.plan = adversary::plan_of(choices.seed(), index,
                                   {.largest = extent.largest, .requests = extent.requests});
  // A user stays with one service: the other does not know its cookies.
  client.user = 2 * choices.below(scenario.users / 2) + (ipv4 ? 0 : 1);
  if (ways.affinity.by == model::AffinityBy::kCookie) client.cookie = "hawser";
  client.by = ways.by;
  if (choices.permille(60)) client.leaves_after = choices.below(30'000);
  client.manner = draw_manner(client.plan.dribbles, choices);
  return draw;
}

std::string faults_text(const adversary::Faults& faults) {
  std::string text = "delay " + std::to_string(static_cast<int>(faults.delay_ms));
  const auto add = [&text](const char* name, double share) {
    if (share > 0) {
      text += std::string(", ") + name + " " + std::to_string(static_cast<int>(share * 1000));
    }
  };
  add("loss", faults.loss);
  add("duplicate", faults.duplicate);
  add("reorder", faults.reorder);
  add("jitter", faults.jitter);
  add("split", faults.split);
  add("merge", faults.merge);
  add("corrupt", faults.corrupt);
  return text;
}

}  // namespace

Scenario draw_scenario(const Extent& extent, Choices& choices) {
  Scenario scenario;
  scenario.size.mtu = choices.permille(700) ? 1500 : choices.permille(500) ? 9000 : 1280;
  if (choices.permille(100)) scenario.size.spares = 8;
  scenario.at_clients = draw_faults(choices);
  scenario.at_backends = draw_faults(choices);
  scenario.wire_seed = choices.seed();
  if (choices.permille(300)) {  // the workers' clock wraps
    scenario.begins = Milliseconds{UINT32_MAX} - static_cast<Milliseconds>(choices.below(30'000));
  }
  scenario.users = 2 * choices.between(1, 3);
  const Ways ways = draw_affinity(choices);
  constexpr model::ClientAddress kTold[] = {model::ClientAddress::kNone,
                                            model::ClientAddress::kForwardedFor,
                                            model::ClientAddress::kProxyV2};
  const model::ClientAddress told = kTold[choices.below(3)];
  const std::uint64_t cut_permille = choices.permille(150) ? 100 : 0;
  for (const bool ipv4 : {true, false}) {
    scenario.services.push_back(draw_service(ipv4, ways.affinity, told));
    draw_backends(scenario.services.back(), cut_permille, scenario, choices);
  }
  const bool all_serve =
      std::all_of(scenario.backends.begin(), scenario.backends.end(),
                  [](const BackendDraw& backend) { return backend.fate == Fate::kServes; });
  for (std::size_t i = 0; i < extent.clients; ++i) {
    scenario.clients.push_back(draw_client(i, extent, ways, scenario, choices));
    ClientSettings& client = scenario.clients.back().client;
    client.may_be_refused = !all_serve;
    client.may_miss_reset = scenario.at_clients.loss > 0 || scenario.at_backends.loss > 0;
    // A lost SYN may send a request elsewhere.
    client.homes_hold = all_serve && scenario.at_backends.loss == 0;
  }
  return scenario;
}

void choose_wires(Scenario& scenario) {
  scenario.chosen_wires = true;
  // Anything may be lost, nothing is damaged.
  for (adversary::Faults* faults : {&scenario.at_clients, &scenario.at_backends}) {
    *faults = {};
    faults->loss = 1;
  }
  for (ClientDraw& draw : scenario.clients) {
    draw.client.may_be_refused = true;
    draw.client.may_miss_reset = true;
    draw.client.homes_hold = false;
  }
}

std::string Scenario::text() const {
  std::string line = "MTU " + std::to_string(size.mtu) + ", affinity by " +
                     std::string(model::to_string(services[0].affinity.by)) + ", client address " +
                     std::string(model::to_string(services[0].client_address));
  line += "; at clients: " + faults_text(at_clients) + "; at backends: " + faults_text(at_backends);
  for (const BackendDraw& backend : backends) {
    if (backend.fate == Fate::kRefuses) line += "; " + backend.server.name + " refuses";
    if (backend.fate == Fate::kSilent) line += "; " + backend.server.name + " is silent";
  }
  return line;
}

}  // namespace hawser::simulation
