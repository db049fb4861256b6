// The verb that tells what happened and what happens: events.
#include <optional>

#include <fmt/format.h>

#include "backend_filter.h"
#include "interrupt.h"
#include "verbs.h"
#include "views.h"

namespace hawser::ctl {
namespace {

constexpr std::uint64_t kDefaultEvents = 20;

// A stream that ended without our doing: hawserd stopped, or is gone.
Failure gone(const Outcome<bool>& ended) {
  if (!ended && ended.failure().code == ExitCode::kTimedOut) {
    return {ExitCode::kTimedOut, "--timeout has passed", ""};
  }
  if (!ended && ended.failure().code != ExitCode::kUnreachable) return ended.failure();
  const std::string why = ended ? "it is stopping" : ended.failure().what;
  return {ExitCode::kUnreachable, fmt::format("hawserd is gone ({})", why),
          "follow again when it is back; what happens meanwhile is in `hawserctl history`"};
}

}  // namespace

Verdict run_events(const Session& session) {
  const Arguments& arguments = session.arguments;
  const Outcome<BackendName> name = backend_filter(arguments);
  if (!name) return name.failure();
  rpc::EventsRequest request;
  request.set_service(name->service);
  request.set_backend(name->backend);
  request.set_last(static_cast<std::uint32_t>(arguments.number("--last", kDefaultEvents)));
  request.set_follow(arguments.has("--follow"));
  const auto print = [&](const rpc::Event& event) {
    session.console.out << (session.json ? dump_line(to_json(event))
                                         : event_line(event, session.paint))
                        << std::flush;
    return static_cast<bool>(session.console.out);  // false: nobody reads any more
  };
  if (!request.follow()) {
    const auto ended = session.client.events(request, session.deadline, -1, print);
    return ended ? Verdict(ExitCode::kOk) : Verdict(ended.failure());
  }
  const Interrupt interrupt;
  // Only a --timeout that was asked for ends it.
  std::optional<Client::Time> deadline;
  if (arguments.has("--timeout")) deadline = session.deadline;
  const auto ended = session.client.events(request, deadline, interrupt.descriptor(), print);
  return ended && *ended ? Verdict(ExitCode::kOk) : Verdict(gone(ended));
}

}  // namespace hawser::ctl
