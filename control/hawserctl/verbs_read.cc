// The verbs that only look: status, services, backends, counters, flows, version.
#include <fmt/format.h>

#include "backend_filter.h"
#include "units.h"
#include "verbs.h"
#include "verdict.h"
#include "views.h"

namespace hawser::ctl {
namespace {

Failure contradiction(const std::string& service, const BackendName& name) {
  return {ExitCode::kUsage,
          fmt::format("--service {} and {} exclude each other", service, name.to_string()),
          "give one of them"};
}

}  // namespace

Verdict run_status(const Session& session) {
  const auto status = session.client.status(session.deadline);
  if (!status) return status.failure();
  const auto services = session.client.services("", session.deadline);
  if (!services) return services.failure();
  session.print(status_view(*status, *services, session.paint, session.console.now_unix()),
                status_json(*status, *services));
  const bool bad = severity_of(*status) != Severity::kOk;
  return bad && session.arguments.has("--check") ? ExitCode::kFailed : ExitCode::kOk;
}

Verdict run_services(const Session& session) {
  const auto reply = session.client.services(session.arguments.text("SERVICE"), session.deadline);
  if (!reply) return reply.failure();
  session.print(services_view(*reply, session.paint) + settings_view(*reply, session.paint) +
                    availability_view(*reply, session.paint, session.console.now_unix()),
                to_json(*reply));
  return ExitCode::kOk;
}

Verdict run_backends(const Session& session) {
  const std::string target = session.arguments.text("TARGET");
  const std::string service = session.arguments.text("--service");
  const bool whole = target.find('/') != std::string::npos;
  // A single word is a service, unless the service was said already.
  BackendName name{target, ""};
  if (whole) name = split_backend(target);
  if (!whole && !service.empty()) name = {service, target};
  if (!service.empty() && service != name.service) return contradiction(service, name);
  const auto reply = session.client.backends(name.service, name.backend, session.deadline);
  if (!reply) return reply.failure();
  session.print(backends_view(*reply, session.paint, session.console.now_unix()),
                backends_json(*reply));
  return ExitCode::kOk;
}

Verdict run_counters(const Session& session) {
  const auto reply = session.client.counters(session.deadline);
  if (!reply) return reply.failure();
  const bool all = session.arguments.has("--all");
  session.print(
      counters_view(*reply, all, session.paint) + service_counters_view(*reply, all, session.paint),
      to_json(*reply)["counters"]);
  return ExitCode::kOk;
}

Verdict run_flows(const Session& session) {
  const Arguments& arguments = session.arguments;
  const Outcome<BackendName> name = backend_filter(arguments);
  if (!name) return name.failure();
  path::Flows filter;
  filter.set_service(name->service);
  filter.set_backend(name->backend);
  filter.set_client(arguments.text("--client"));
  constexpr std::uint64_t kDefaultLimit = 1000;
  filter.set_limit(static_cast<std::uint32_t>(arguments.number("--limit", kDefaultLimit)));
  const auto reply = session.client.flows(filter, session.deadline);
  if (!reply) return reply.failure();
  session.print(flows_view(*reply, session.paint), flows_json(*reply));
  if (reply->truncated() && !session.json) {
    session.console.err << fmt::format(
        "hawserctl: there are more flows than {}: narrow the filter or raise --limit\n",
        human_count(filter.limit()));
  }
  return ExitCode::kOk;
}

Verdict run_version(const Session& session) {
  const auto reply = session.client.version(session.deadline);
  if (!reply) return reply.failure();
  session.print(
      fmt::format("hawserctl  {}\nhawserd    {}\ndataplane  {}\n", HAWSER_VERSION,
                  printable(reply->hawserd()),
                  reply->dataplane().empty() ? "not connected" : printable(reply->dataplane())),
      version_json(*reply));
  return ExitCode::kOk;
}

}  // namespace hawser::ctl
