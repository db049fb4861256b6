// The loop of a run: moves segments, wakes whoever is due, and looks at what is left at the end.
#include "world.h"

#include <algorithm>
#include <cstdio>

namespace hawser::simulation {
namespace {

constexpr Milliseconds kTick = 5;
// After the wires have healed everything is over within this time: back-off is at most 3 s, a
// backend closes a connection that nobody uses after 20 s, the balancer gives up within 13 s.
constexpr Milliseconds kPatience = 90'000;
constexpr Milliseconds kLinger = 16'000;          // then the balancer has forgotten what is over
constexpr Milliseconds kForgotten = 40'000;       // and then what nobody has closed
constexpr std::uint64_t kMostSegments = 400'000;  // more is a storm
constexpr std::size_t kMostViolations = 20;
constexpr std::size_t kShown = 40;  // bytes of a payload in a trace

void earlier(std::optional<Milliseconds>& first, std::optional<Milliseconds> due) {
  if (due && (!first || *due < *first)) first = due;
}

}  // namespace

World::World(const Scenario& scenario, Choices& choices, spec::FramePool& pool)
    : scenario_(scenario),
      choices_(choices),
      balancer_(scenario.size, scenario.begins, scenario.damages(), pool),
      clients_(scenario.clients.size()),
      now_(scenario.begins),
      ticked_(scenario.begins),
      loses_(scenario.at_clients.loss > 0 || scenario.at_backends.loss > 0 ||
             scenario.size.spares < limits::kSpares) {
  const Milliseconds heals = scenario.begins + scenario.heals;
  const std::size_t mtu = scenario.size.mtu;
  std::uint64_t number = 0;
  const auto wire = [&](const adversary::Faults& faults, adversary::Announced& announced) {
    const std::uint64_t seed = adversary::derived(scenario.wire_seed, number++);
    return scenario.chosen_wires ? make_chosen_wire(choices, mtu, announced, heals)
                                 : make_hostile_wire(faults, seed, mtu, announced, heals);
  };
  from_clients_ = wire(scenario.at_clients, client_link_);
  to_clients_ = wire(scenario.at_clients, client_link_);
  from_backends_ = wire(scenario.at_backends, backend_link_);
  to_backends_ = wire(scenario.at_backends, backend_link_);
  for (std::size_t i = 0; i < clients_.size(); ++i) clients_[i].draw = &scenario.clients[i];
  for (std::size_t i = 0; i < scenario.users; ++i) {
    ledger_.users.push_back({"user-" + std::to_string(i), {}, {}});
  }
  balancer_.publish(scenario.services, now_);
}

// --- segments ------------------------------------------------------------------------------------

void World::note(const char* way, const Frame& frame) const {
  std::string wrong;
  const auto segment = read_frame(frame, wrong);
  std::string line = segment ? segment->text() : wrong;
  if (segment && !segment->payload.empty()) line += " \"";
  for (std::size_t i = 0; segment && i < std::min(segment->payload.size(), kShown); ++i) {
    const char byte = segment->payload[i];
    line += byte >= ' ' && byte <= '~' ? byte : '~';
  }
  std::printf("# %lld %s %s\n", static_cast<long long>(now_ - scenario_.begins), way, line.c_str());
}

void World::send(const TcpSegment& segment, Wire& wire) {
  const Frame frame = frame_of(segment, Balancer::mac_of(segment.source.ip), Balancer::own_mac());
  if (traces_) note("sent", frame);
  wire.put(frame, now_);
}

// What a host says to a segment of no connection (RFC 9293 section 3.10.7.1).
void World::refuse(const TcpSegment& segment, Wire& wire) {
  if (segment.has(kReset)) return;
  TcpSegment reset;
  reset.source = segment.destination;
  reset.destination = segment.source;
  reset.flags = kReset;
  if (segment.has(kAck)) {
    reset.sequence = segment.acknowledgement;
  } else {
    reset.flags |= kAck;
    reset.acknowledgement = segment.sequence + segment.length();
  }
  send(reset, wire);
}

void World::to_client(const TcpSegment& segment) {
  for (Client& client : clients_) {
    if (!client.tcp || client.tcp->local() != segment.destination) continue;
    if (client.tcp->state() == TcpEnd::State::kClosed) break;
    if (client.tcp->remote() != segment.source) break;
    return client.tcp->receive(segment, now_);
  }
  refuse(segment, *from_clients_);
}

const BackendDraw* World::backend_at(const Address& address) const {
  for (const BackendDraw& backend : scenario_.backends) {
    if (backend.at == address) return &backend;
  }
  return nullptr;
}

void World::accept(const TcpSegment& syn, const BackendDraw& backend) {
  TcpSettings settings = backend.tcp;
  settings.initial_sequence += static_cast<std::uint32_t>(adversary::mixed(++accepted_));
  if (settings.initial_sequence % 4 == 0) settings.initial_sequence = UINT32_MAX - 5'000;
  Server& server = servers_[{syn.destination, syn.source}];
  server = {};
  server.tcp = std::make_unique<TcpEnd>(settings, syn.destination, syn.source, choices_);
  server.http = std::make_unique<HttpServer>(*server.tcp, backend.server, choices_, ledger_, now_);
  server.tcp->accept(syn, now_);
}

void World::to_server(const TcpSegment& segment) {
  const auto found = servers_.find({segment.destination, segment.source});
  const bool pure_syn = segment.has(kSyn) && !segment.has(kAck) && !segment.has(kReset);
  if (found != servers_.end()) {
    TcpEnd& tcp = *found->second.tcp;
    const bool over = tcp.state() == TcpEnd::State::kClosed ||
                      (tcp.state() == TcpEnd::State::kTimeWait && pure_syn);
    if (!over) return tcp.receive(segment, now_);
  }
  const BackendDraw* backend = backend_at(segment.destination);
  if (backend == nullptr) {
    violations_.push_back("sent to nobody: " + segment.text());
    return;
  }
  const bool serves =
      backend->fate == Fate::kServes || now_ - scenario_.begins >= backend->fate_until;
  if (pure_syn && !serves && backend->fate == Fate::kSilent) return;
  if (pure_syn && serves) return accept(segment, *backend);
  refuse(segment, *from_backends_);
}

void World::deliver(Wire& wire, bool to_clients) {
  std::vector<Frame> frames;
  wire.take(now_, frames);
  for (const Frame& frame : frames) {
    ++delivered_;
    std::string wrong;
    const auto segment = read_frame(frame, wrong);
    const auto found = adversary::find_tcp(frame);
    if (!segment || !found) {
      violations_.push_back("an end gets " + wrong);
      continue;
    }
    if (!adversary::checksums_right(frame, *found)) continue;  // damaged on its way
    if (traces_) note(to_clients ? "to client" : "to server", frame);
    if (to_clients) {
      to_client(*segment);
    } else {
      to_server(*segment);
    }
  }
}

void World::run_balancer() {
  std::vector<Frame> in;
  from_clients_->take(now_, in);
  from_backends_->take(now_, in);
  std::vector<Frame> out;
  if (!in.empty()) balancer_.run(in, now_, out);
  if (now_ >= ticked_ + kTick) {
    balancer_.tick(now_, out);
    ticked_ = now_;
  }
  for (const Frame& frame : out) {
    std::string wrong;
    const auto segment = read_frame(frame, wrong);
    if (!segment) {
      violations_.push_back("the balancer sends " + wrong);
      continue;
    }
    const bool to_backend = backend_at(segment->destination) != nullptr;
    (to_backend ? to_backends_ : to_clients_)->put(frame, now_);
  }
}

// --- ends ----------------------------------------------------------------------------------------

template <typename End>
void World::step_end(End& end, Wire& wire) {
  end.tcp->tick(now_);
  if (!end.failed) {
    try {
      end.http->step(now_);
    } catch (const adversary::Wrong& wrong) {
      violations_.push_back(std::string(wrong.what()) + "\n#   at " + end.http->where());
      end.failed = true;
      end.tcp->abort(now_);
    }
  }
  for (std::string& violation : end.tcp->violations()) {
    violations_.push_back(violation + "\n#   at " + end.http->where());
  }
  end.tcp->violations().clear();
  if (end.tcp->gave_up() && !end.failed && !(loses_ && end.http->may_be_forgotten())) {
    violations_.push_back("nobody acknowledges\n#   at " + end.http->where() + "\n#   at " +
                          end.tcp->text());
    end.failed = true;
  }
  for (const TcpSegment& segment : end.tcp->take_output()) send(segment, wire);
}

void World::begin_clients() {
  for (Client& client : clients_) {
    if (client.tcp || now_ < scenario_.begins + client.draw->starts) continue;
    client.tcp =
        std::make_unique<TcpEnd>(client.draw->tcp, client.draw->at, client.draw->target, choices_);
    client.http = std::make_unique<HttpClient>(*client.tcp, client.draw->client, choices_, ledger_);
    client.tcp->connect(now_);
  }
}

void World::step_ends() {
  begin_clients();
  for (Client& client : clients_) {
    if (client.tcp) step_end(client, *from_clients_);
  }
  for (auto& [pair, server] : servers_) step_end(server, *from_backends_);
}

// --- time ----------------------------------------------------------------------------------------

Milliseconds World::next_moment() const {
  std::optional<Milliseconds> first;
  if (balancer_.live() > 0) first = ticked_ + kTick;
  for (const Wire* wire :
       {from_clients_.get(), to_clients_.get(), from_backends_.get(), to_backends_.get()}) {
    earlier(first, wire->deadline());
  }
  for (const Client& client : clients_) {
    if (!client.tcp) {
      earlier(first, scenario_.begins + client.draw->starts);
      continue;
    }
    earlier(first, client.tcp->deadline());
    if (!client.failed && !client.http->finished()) earlier(first, client.http->deadline());
  }
  for (const auto& [pair, server] : servers_) {
    earlier(first, server.tcp->deadline());
    const bool open = server.tcp->state() != TcpEnd::State::kClosed;
    if (!server.failed && open) earlier(first, server.http->deadline());
  }
  return std::max(first.value_or(now_ + 1'000), now_ + 1);
}

void World::step() {
  now_ = next_moment();
  run_balancer();
  deliver(*to_clients_, true);
  deliver(*to_backends_, false);
  step_ends();
  for (std::string& violation : balancer_.violations()) {
    violations_.push_back("balancer: " + violation);
  }
  balancer_.violations().clear();
}

bool World::is_over() const {
  for (const Client& client : clients_) {
    if (!client.tcp || client.tcp->state() != TcpEnd::State::kClosed) return false;
    if (!client.failed && !client.http->finished()) return false;
  }
  return std::all_of(servers_.begin(), servers_.end(), [](const auto& server) {
    return server.second.tcp->state() == TcpEnd::State::kClosed;
  });
}

void World::report_unfinished() {
  for (const Client& client : clients_) {
    if (!client.tcp) continue;
    if (client.tcp->state() == TcpEnd::State::kClosed && client.http->finished()) continue;
    violations_.push_back("not over: " + client.http->where() + "; " + client.tcp->text());
  }
  for (const auto& [pair, server] : servers_) {
    if (server.tcp->state() == TcpEnd::State::kClosed) continue;
    violations_.push_back("not over: " + server.http->where() + "; " + server.tcp->text());
  }
  for (const std::string& line : balancer_.describe_live()) violations_.push_back(line);
}

// Everything is over for the ends: the balancer forgets.
void World::settle() {
  const Milliseconds quiet = now_ + kLinger;
  while (now_ < quiet && violations_.empty()) {
    const Milliseconds before = now_;
    step();
    if (now_ > before + kTick) now_ = before + kTick;
  }
  const bool all_said_farewell = ledger_.left.empty() && ledger_.cut.empty();
  if (all_said_farewell && balancer_.live() > 0) {
    violations_.push_back("connections that both ends have closed are remembered");
    report_unfinished();
    return;
  }
  ledger_.counts["forgotten late"] += balancer_.live();
  if (ledger_.counts["strangers"] > balancer_.count_of(pipeline::Verdict::kReplyReset)) {
    violations_.emplace_back("clients were reset that the balancer did not reset");
  }
  now_ += kForgotten;
  balancer_.sweep(now_);
  std::vector<Frame> out;
  balancer_.tick(now_, out);
  for (const std::string& line : balancer_.leftovers()) violations_.push_back(line);
  for (const std::string& line : balancer_.contradictions()) violations_.push_back(line);
}

std::vector<std::string> World::run() {
  const Milliseconds end = scenario_.begins + scenario_.heals + kPatience;
  while (!is_over() && violations_.empty()) {
    step();
    if (delivered_ > kMostSegments) {
      violations_.emplace_back("a storm of segments");
      report_unfinished();
    } else if (now_ > end) {
      violations_.push_back("not over " + std::to_string(kPatience / 1000) +
                            " s after the wires healed");
      report_unfinished();
    }
  }
  if (violations_.empty()) settle();
  if (violations_.size() > kMostViolations) violations_.resize(kMostViolations);
  if (!violations_.empty()) {
    for (const std::string& line : balancer_.describe_refusals()) violations_.push_back(line);
  }
  return std::move(violations_);
}

}  // namespace hawser::simulation
