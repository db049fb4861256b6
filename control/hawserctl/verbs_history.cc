// The verb that tells who changed what, when and why: history.
#include <fmt/format.h>

#include "backend_filter.h"
#include "hawser/base/limits.h"
#include "verbs.h"
#include "views.h"

namespace hawser::ctl {
namespace {

// To standard error, so that the table is a table only.
void tell_of_older(const Session& session, std::uint64_t limit) {
  session.console.err << fmt::format(
      "hawserctl: there are older changes than these {}: {}\n", limit,
      limit < limits::kMaxHistoryEntries ? "raise --limit, or narrow the filter"
                                         : "narrow the filter");
}

}  // namespace

Verdict run_history(const Session& session) {
  const Arguments& arguments = session.arguments;
  const Outcome<BackendName> name = backend_filter(arguments);
  if (!name) return name.failure();
  const std::uint64_t limit = arguments.number("--limit", limits::kDefaultHistoryEntries);
  rpc::HistoryRequest request;
  request.set_service(name->service);
  request.set_backend(name->backend);
  request.set_limit(static_cast<std::uint32_t>(limit));
  const auto reply = session.client.history(request, session.deadline);
  if (!reply) return reply.failure();
  session.print(history_view(*reply, session.paint, session.console.now_unix()), to_json(*reply));
  if (reply->truncated() && !session.json) tell_of_older(session, limit);
  return ExitCode::kOk;
}

}  // namespace hawser::ctl
