// Looks over services, backends, neighbours, tables and ports for what is wrong.
#include "problems.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace hawser::control {
namespace {

namespace wire = dataplane::v1;

// Full by so much, percent, is told before it hurts. New NAT addresses have to be found somewhere,
// so their lack is told earlier.
constexpr std::uint64_t kFlowsPercent = 90;
constexpr std::uint64_t kNatPortsPercent = 80;

// After a drain's deadline the last flows have so long to be ended before that is a problem.
constexpr std::uint64_t kDrainGraceSeconds = 10;

std::string ago(std::uint64_t since, std::uint64_t now) {
  const std::uint64_t seconds = now > since ? now - since : 0;
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 7200) return fmt::format("{} min", seconds / 60);
  return fmt::format("{} h", seconds / 3600);
}

std::string sentence(const std::string& text) {
  return text.empty() || text.back() == '?' ? text : text + ".";
}

class Finder {
 public:
  Finder(const View& view, std::uint64_t now) : view_(view), now_(now) {}

  void check_dataplane() {
    const DataplaneView& dataplane = view_.dataplane;
    if (!dataplane.connected) {
      add(Severity::kCritical,
          fmt::format(
              "hawserd has had no dataplane for {}: {} A running dataplane goes on with its "
              "last snapshot; see `systemctl status hawser-dataplane`",
              ago(dataplane.since_unix, now_), sentence(dataplane.error)));
    } else if (dataplane.refused != Epoch(0)) {
      add(Severity::kCritical,
          fmt::format("the dataplane refused snapshot {} and goes on with {}: {} Correct the "
                      "configuration and run `hawserctl reload`",
                      dataplane.refused.value, dataplane.applied.value,
                      sentence(dataplane.refusal)));
    } else if (dataplane.applied != view_.desired) {
      add(Severity::kWarning,
          fmt::format("snapshot {} is not yet confirmed by the dataplane, which runs {}",
                      view_.desired.value, dataplane.applied.value));
    }
  }

  void check_http() {
    if (view_.http_error.empty()) return;
    add(Severity::kWarning,
        fmt::format("hawserd answers no HTTP, so there are no metrics: {}. Correct [control] http "
                    "and restart hawserd",
                    view_.http_error));
  }

  void check_answer(const std::string& error) {
    if (!view_.dataplane.connected) return;
    add(Severity::kWarning, "the dataplane does not answer questions: " + error);
  }

  void check_services() {
    for (const model::Service& service : view_.runtime.configuration().services) {
      const bool serving = std::any_of(
          service.backends.begin(), service.backends.end(), [&](const model::Backend& backend) {
            const BackendState& state = view_.runtime.state(service, backend);
            return judgement_of(state).admission == model::Admission::kServing;
          });
      if (view_.runtime.state(service).panic_since() != 0) {
        check_panic(service);
      } else if (!serving) {
        add(Severity::kCritical,
            fmt::format("service {}: no backend serving; new clients are refused. See "
                        "`hawserctl backends --service {}`",
                        service.name, service.name));
      }
      for (const model::Backend& backend : service.backends) check_backend(service, backend);
    }
  }

  void check_counters(const wire::CountersReply& counters) {
    for (const wire::BackendCounters& counter : counters.backends()) {
      const auto found = draining_.find({counter.service(), counter.backend()});
      if (found != draining_.end()) check_drain(counter, *found->second);
    }
  }

  void check_rises(const std::vector<Rise>& rises) {
    for (const Rise& rise : rises) {
      add(Severity::kWarning, fmt::format("{} rose by {} within the last minute: {}", rise.counter,
                                          rise.packets, rise.advice));
    }
  }

  void check_status(const wire::StatusReply& status) {
    for (const wire::PortStatus& port : status.ports()) {
      if (port.link_up()) continue;
      add(Severity::kCritical,
          fmt::format("port {} ({}): the link is down; check cable, switch and device", port.name(),
                      port.device()));
    }
    for (const wire::Neighbour& neighbour : status.neighbours()) check_neighbour(neighbour);
    check_workers(status);
  }

  [[nodiscard]] std::vector<Problem> take() && {
    std::stable_sort(found_.begin(), found_.end(),
                     [](const Problem& a, const Problem& b) { return a.severity < b.severity; });
    return std::move(found_);
  }

 private:
  void add(Severity severity, std::string message) {
    found_.push_back({severity, std::move(message)});
  }

  void check_panic(const model::Service& service) {
    const bool spread = service.availability.on_panic == model::OnPanic::kSpread;
    add(Severity::kCritical,
        fmt::format("service {}: panic for {}: every backend that should serve is unhealthy; new "
                    "clients are {} (on_panic = \"{}\"). Find out what the checks say: "
                    "`hawserctl backends {}`",
                    service.name, ago(view_.runtime.state(service).panic_since(), now_),
                    spread ? "spread over them all the same" : "refused",
                    to_string(service.availability.on_panic), service.name));
  }

  void check_drain(const wire::BackendCounters& counter, const BackendState& state) {
    // What is over but kept for a while nobody has to wait for.
    const std::uint64_t over = std::min(counter.closing_flows(), counter.flows());
    const std::uint64_t live = counter.flows() - over;
    const std::string who = fmt::format("backend {}/{}", counter.service(), counter.backend());
    const std::uint64_t end = state.terms.until_unix;
    if (live == 0) {
      add(Severity::kWarning, who + " is drained: no flows left, safe to stop");
    } else if (end != 0 && now_ >= end + state.terms.jitter_seconds + kDrainGraceSeconds) {
      add(Severity::kWarning,
          fmt::format("{}: its drain's deadline has passed {} ago, and it {} {} flows; "
                      "`hawserctl maintenance {}/{}` ends them",
                      who, ago(end, now_), state.terms.keep_flows ? "keeps" : "still has", live,
                      counter.service(), counter.backend()));
    }
  }

  void check_backend(const model::Service& service, const model::Backend& backend) {
    const BackendState& state = view_.runtime.state(service, backend);
    const std::string who = fmt::format("backend {}/{} ({})", service.name, backend.name,
                                        net::endpoint_to_string(backend.address, backend.port));
    const std::string since = ago(state.since_unix, now_);
    const Judgement judgement = judgement_of(state);
    const State shown = judgement.state;
    if (shown == State::kDraining) {
      draining_.emplace(std::pair(service.name, backend.name), &state);
    } else if (judgement.cause == Cause::kEjected) {
      const std::uint64_t end = state.ejected_until_unix;
      add(Severity::kWarning,
          fmt::format("{} is ejected for {}, for another {} s: {}. It comes back by itself; look "
                      "at what it answers",
                      who, since, end > now_ ? end - now_ : 0, state.ejection_text));
    } else if (shown == State::kDown) {
      add(Severity::kWarning, fmt::format("{} is down for {}: {}", who, since, cause_of(state)));
    } else if (shown == State::kStarting && judgement.cause != Cause::kSlowStart) {
      add(Severity::kWarning, fmt::format("{} waits for {} good checks for {}: {}", who,
                                          service.check.rise, since, cause_of(state)));
    } else if (shown == State::kReady && !state.last_passed) {
      add(Severity::kWarning,
          fmt::format("{} still serves, but its last check failed: {}", who, state.check_text));
    }
    if (!state.check_warning.empty()) {
      add(Severity::kWarning, fmt::format("{}: its {}; see to a new one before its checks fail",
                                          who, state.check_warning));
    }
  }

  [[nodiscard]] std::map<std::string, std::string> backends_by_address() const {
    std::map<std::string, std::string> users;
    for (const model::Service& service : view_.runtime.configuration().services) {
      for (const model::Backend& backend : service.backends) {
        std::string& names = users[net::to_string(backend.address)];
        names += (names.empty() ? "" : ", ") + service.name + "/" + backend.name;
      }
    }
    return users;
  }

  // Who is reached over this neighbour: backends by name, else it is a gateway.
  [[nodiscard]] std::string users_of(const std::string& address) {
    if (!users_) users_ = backends_by_address();
    const auto users = users_->find(address);
    if (users != users_->end()) return "backend " + users->second;
    for (const model::Port& port : view_.runtime.configuration().ports) {
      for (const net::IpAddress& gateway : port.gateways) {
        if (net::to_string(gateway) == address) return "gateway of port " + port.name;
      }
    }
    return {};
  }

  void check_neighbour(const wire::Neighbour& neighbour) {
    if (neighbour.state() != "failed" && neighbour.state() != "resolving") return;
    const std::string users = users_of(neighbour.address());
    if (users.empty()) return;
    const bool failed = neighbour.state() == "failed";
    add(Severity::kWarning,
        fmt::format("{} ({}) {} on port {}; check that it is up and in the same network", users,
                    neighbour.address(),
                    failed ? "does not answer ARP or neighbour discovery" : "is being resolved",
                    neighbour.port()));
  }

  void check_full(const wire::WorkerStatus& worker, const char* what, std::uint64_t used,
                  std::uint64_t total, std::uint64_t percent, const char* advice) {
    if (total == 0 || used * 100 <= total * percent) return;
    add(Severity::kWarning, fmt::format("worker {}: {} are {} % used ({} of {}); {}", worker.id(),
                                        what, used * 100 / total, used, total, advice));
  }

  void check_workers(const wire::StatusReply& status) {
    for (const wire::WorkerStatus& worker : status.workers()) {
      check_full(worker, "IPv4 flow entries", worker.flows_ipv4(), worker.capacity_ipv4(),
                 kFlowsPercent, "raise flows_ipv4 in [dataplane] or shorten timeouts");
      check_full(worker, "IPv6 flow entries", worker.flows_ipv6(), worker.capacity_ipv6(),
                 kFlowsPercent, "raise flows_ipv6 in [dataplane] or shorten timeouts");
      check_full(worker, "NAT ports", worker.nat_ports_used(), worker.nat_ports_total(),
                 kNatPortsPercent, "add nat_addresses to a [[port]] or shorten timeouts");
    }
  }

  const View& view_;
  std::uint64_t now_;
  std::vector<Problem> found_;
  std::map<std::pair<std::string, std::string>, const BackendState*> draining_;  // service, backend
  // Backends by address, as far as anybody asked.
  std::optional<std::map<std::string, std::string>> users_;
};

}  // namespace

std::string_view to_string(Severity severity) noexcept {
  constexpr std::array<std::string_view, 2> kWords{"critical", "warning"};
  return kWords[static_cast<std::size_t>(severity)];
}

std::vector<Problem> find_problems(const View& view, const Result<wire::StatusReply>& status,
                                   const Result<wire::CountersReply>& counters,
                                   const std::vector<Rise>& rises, std::uint64_t now_unix) {
  Finder finder(view, now_unix);
  finder.check_dataplane();
  finder.check_http();
  finder.check_services();
  if (status) {
    finder.check_status(*status);
  } else {
    finder.check_answer(status.error().message);
  }
  if (counters) finder.check_counters(*counters);
  finder.check_rises(rises);
  return std::move(finder).take();
}

}  // namespace hawser::control
