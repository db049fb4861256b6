// Polling loops behind --wait.
#include "wait.h"

#include <algorithm>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "units.h"

namespace hawser::ctl {
namespace {

constexpr std::chrono::milliseconds kConfirmPoll{100};
constexpr std::chrono::milliseconds kDrainPoll{500};

// Counts reach hawserd with a lag; one zero could be older than the drain.
constexpr int kZerosInARow = 2;

// False when the deadline has come.
bool sleep_until_next(Client::Time deadline, std::chrono::milliseconds pause) {
  const Client::Time now = std::chrono::steady_clock::now();
  if (now >= deadline) return false;
  std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(pause, deadline - now));
  return std::chrono::steady_clock::now() < deadline;
}

// A daemon that restarts, or a poll cut short by the deadline, is no reason to give up.
bool passes(const Failure& failure) {
  return failure.code == ExitCode::kUnreachable || failure.code == ExitCode::kTimedOut;
}

struct Poll {
  bool confirmed = false;
  std::uint64_t epoch = 0;
  std::string why_not = "hawserd is not reachable";
};

Outcome<Poll> poll_confirmed(const Client& client, Client::Time deadline) {
  Poll poll;
  const auto status = client.status(deadline);
  if (!status) {
    if (passes(status.failure())) return poll;
    return status.failure();
  }
  poll.epoch = status->applied_epoch();
  poll.confirmed =
      status->dataplane_connected() && status->applied_epoch() >= status->desired_epoch();
  poll.why_not = !status->dataplane_error().empty() ? status->dataplane_error()
                 : status->dataplane_connected()    ? "it is still at an older epoch"
                                                    : "it is not connected";
  return poll;
}

Failure not_confirmed(const std::string& why) {
  return {ExitCode::kTimedOut, fmt::format("the dataplane has not confirmed it yet ({})", why),
          "it is stored and will be applied; \"hawserctl status\" tells"};
}

// The drain must still be wanted.
std::optional<Failure> check_draining(const rpc::BackendsReply& reply, const BackendName& name) {
  if (reply.backends_size() != 1) {
    return Failure{ExitCode::kFailed,
                   fmt::format("{} is gone from the configuration", name.to_string()), ""};
  }
  const std::string& state = reply.backends(0).state();
  if (state != "ready" && state != "starting") return std::nullopt;
  return Failure{ExitCode::kFailed,
                 fmt::format("{} is {} again: somebody ended the drain", name.to_string(), state),
                 "say \"hawserctl backends\" to see, and drain again"};
}

// By the dataplane's own counters: a list of backends shows 0 flows also where hawserd could not
// ask it. Nothing: not known at this poll.
using Step = std::optional<DrainStep>;
Outcome<Step> poll_drain(const Client& client, const BackendName& name, Client::Time deadline) {
  const auto backends = client.backends(name.service, name.backend, deadline);
  if (!backends) {
    if (passes(backends.failure())) return Step();
    return backends.failure();
  }
  if (const auto ended = check_draining(*backends, name)) return *ended;
  const rpc::BackendRow& drained = backends->backends(0);
  const auto counters = client.counters(deadline);
  if (!counters) {
    if (passes(counters.failure())) return Step();
    return counters.failure();
  }
  for (const path::BackendCounters& row : counters->counters().backends()) {
    if (row.service() != drained.service() || row.backend() != name.backend) continue;
    return Step({.flows = row.flows() - std::min(row.closing_flows(), row.flows()),
                 .released = drained.sessions_released(),
                 .until_unix = drained.until_unix()});
  }
  return Step();
}

}  // namespace

Outcome<std::uint64_t> wait_confirmed(const Client& client, Client::Time deadline) {
  for (;;) {
    const auto poll = poll_confirmed(client, deadline);
    if (!poll) return poll.failure();
    if (poll->confirmed) return poll->epoch;
    if (!sleep_until_next(deadline, kConfirmPoll)) return not_confirmed(poll->why_not);
  }
}

Outcome<std::uint64_t> wait_drained(const Client& client, const BackendName& name,
                                    Client::Time deadline, const DrainProgress& progress) {
  int zeros = 0;
  Step last;
  for (;;) {
    const auto poll = poll_confirmed(client, deadline);
    if (!poll) return poll.failure();
    if (poll->confirmed) {
      const auto step = poll_drain(client, name, deadline);
      if (!step) return step.failure();
      if (*step) {
        last = *step;
        progress(*last);
        zeros = last->flows == 0 ? zeros + 1 : 0;
      }
      if (zeros >= kZerosInARow) return poll->epoch;
    }
    if (!sleep_until_next(deadline, kDrainPoll)) {
      if (!last) return not_confirmed(poll->why_not);
      return Failure{ExitCode::kTimedOut,
                     fmt::format("{} still has {}", name.to_string(), counted(last->flows, "flow")),
                     "it goes on draining; wait again, or end them with \"hawserctl maintenance\""};
    }
  }
}

}  // namespace hawser::ctl
