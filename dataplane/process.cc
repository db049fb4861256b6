// The main core: start, its loop, stop.
#include "dataplane/process.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>
#include <utility>

#include <spdlog/spdlog.h>

#include "hawser/base/limits.h"

namespace hawser::dataplane {
namespace {

Result<std::vector<ExceptionPath::Link>> make_taps(const model::Configuration& configuration,
                                                   const Machine& machine) {
  std::vector<ExceptionPath::Link> links;
  for (std::size_t p = 0; p < configuration.ports.size(); ++p) {
    const model::Port& port = configuration.ports[p];
    Result<Tap> tap =
        Tap::create({.name = port.tap.empty() ? "hawser" + std::to_string(p) : port.tap,
                     .mac = machine.port(PortId(static_cast<std::uint16_t>(p))).mac(),
                     .mtu = port.mtu,
                     .addresses = port.addresses});
    if (!tap) return tap.error();
    links.push_back({*std::move(tap), port.vlan});
  }
  return links;
}

// /run/hawser/dataplane.sock keeps its tables in /run/hawser/dataplane.tables.
std::string tables_beside(const std::string& socket) {
  constexpr std::string_view kEnding = ".sock";
  return socket.substr(0, socket.size() - kEnding.size()) + ".tables";
}

Result<int> watch_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  const int fd = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) return fail("signals cannot be waited for: " + std::string(std::strerror(errno)));
  return fd;
}

std::uint64_t random_instance() {
  std::random_device device;
  return std::uniform_int_distribution<std::uint64_t>(1)(device);
}

std::uint64_t unix_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

}  // namespace

Result<std::unique_ptr<Process>> Process::start(model::Configuration configuration,
                                                const EalOptions& options) {
  if (configuration.ports.empty()) {
    return fail("the configuration has no [[port]]; hawser-dataplane needs one to work on");
  }
  // First of all, so that a second process disturbs nothing.
  Result<Server> server =
      Server::open(configuration.dataplane.socket, configuration.dataplane.socket_group);
  if (!server) return server.error();
  Result<std::unique_ptr<Machine>> machine = Machine::create(configuration, options);
  if (!machine) return machine.error();
  Result<std::vector<ExceptionPath::Link>> links = make_taps(configuration, **machine);
  if (!links) return links.error();
  Result<int> signals = watch_signals();
  if (!signals) return signals.error();
  std::unique_ptr<Process> process(new Process(std::move(configuration), *std::move(server),
                                               *std::move(machine), *std::move(links), *signals));
  if (Result<void> started = process->machine_->start(); !started) return started.error();
  return process;
}

Process::Process(model::Configuration configuration, Server server,
                 std::unique_ptr<Machine> machine, std::vector<ExceptionPath::Link> links,
                 int signals)
    : configuration_(std::move(configuration)),
      server_(std::move(server)),
      machine_(std::move(machine)),
      snapshots_(machine_->setups(), machine_->shared(), machine_->workers(),
                 tables_beside(configuration_.dataplane.socket)),
      resolver_(machine_->setups(), machine_->shared().neighbours),
      exception_(std::move(links), machine_->shared().rings, machine_->pool(),
                 [this](PortId port, std::span<const std::uint8_t> frame) {
                   if (const auto news = read_news(frame)) {
                     resolver_.learn(port, *news, stopwatch_.uptime());
                   }
                 }),
      handlers_(Parts{.configuration = configuration_,
                      .machine = *machine_,
                      .snapshots = snapshots_,
                      .resolver = resolver_,
                      .exception = exception_,
                      .stopwatch = stopwatch_,
                      .instance = random_instance(),
                      .started_unix = unix_seconds()}),
      supervision_(machine_->workers()),
      signals_(signals) {}

// Workers stop before what they work with goes.
Process::~Process() {
  server_.close_clients();
  machine_->stop();
  ::close(signals_);
}

void Process::run() {
  prctl(PR_SET_TIMERSLACK, 1UL);
  spdlog::info("forwarding on {} ports with {} workers; control at {}", configuration_.ports.size(),
               machine_->workers().size(), configuration_.dataplane.socket);
  for (wait(); waits_.front().revents == 0; wait()) {
    const bool worked = turn();
    supervision_.turn(snapshots_.running().epoch);
    wait_microseconds_ = worked
                             ? limits::kMainShortWaitMicroseconds
                             : std::min(wait_microseconds_ * 2, limits::kMainLongWaitMicroseconds);
  }
  supervision_.stopping();
  spdlog::info("stopping");
}

bool Process::turn() {
  bool worked = exception_.punt() > 0;
  const std::size_t taps = exception_.links().size();
  for (std::size_t p = 0; p < taps; ++p) {
    const PortId port(static_cast<std::uint16_t>(p));
    const int events = waits_[p + 1].revents;
    if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
      exception_.lose_tap(port);
    } else if (events != 0) {
      worked = exception_.read_tap(port) > 0 || worked;
    }
  }
  worked = server_.serve(std::span(waits_).subspan(taps + 1), handlers_) || worked;
  worked = snapshots_.tend() || worked;
  resolve();
  machine_->shared().load.sum_up(snapshots_.running(), machine_->workers());
  return worked;
}

// New targets are asked for at once, the others at their time.
void Process::resolve() {
  const Uptime now = stopwatch_.uptime();
  const bool grown = resolver_.size() != snapshots_.neighbours().size();
  if (!grown && now < next_tick_) return;
  next_tick_ = now + limits::kResolverTick;
  resolver_.set_targets(snapshots_.neighbours(), now);
  probes_.clear();
  resolver_.tick(now, probes_);
  for (const Resolver::Probe& probe : probes_) exception_.send(probe.port, probe.frame.span());
}

// Sockets and TAPs wake the main core at once; the punt ring cannot, so it is looked at often while
// something happens and each millisecond while nothing does.
void Process::wait() {
  waits_.clear();
  waits_.push_back({signals_, POLLIN, 0});
  for (const ExceptionPath::Link& link : exception_.links()) {
    waits_.push_back({link.tap.fd(), POLLIN, 0});
  }
  server_.add_waits(waits_);
  const timespec time{0, static_cast<long>(wait_microseconds_) * 1000};
  if (::ppoll(waits_.data(), waits_.size(), &time, nullptr) <= 0) {
    for (pollfd& one : waits_) one.revents = 0;
  }
}

}  // namespace hawser::dataplane
