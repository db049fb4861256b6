// Judges a status reply as a whole.
#include "verdict.h"

#include <fmt/format.h>

#include "units.h"

namespace hawser::ctl {

std::string_view to_string(Severity severity) noexcept {
  switch (severity) {
    case Severity::kOk:
      return "ok";
    case Severity::kWarning:
      return "warning";
    case Severity::kCritical:
      return "critical";
  }
  return "critical";
}

Severity severity_of(const rpc::StatusReply& status) {
  if (!status.dataplane_connected()) return Severity::kCritical;
  Severity worst = Severity::kOk;
  for (const rpc::Problem& problem : status.problems()) {
    if (problem.severity() == "critical") return Severity::kCritical;
    worst = Severity::kWarning;
  }
  return worst;
}

std::string headline(const rpc::StatusReply& status) {
  std::uint64_t critical = 0;
  std::uint64_t warnings = 0;
  for (const rpc::Problem& problem : status.problems()) {
    (problem.severity() == "critical" ? critical : warnings) += 1;
  }
  switch (severity_of(status)) {
    case Severity::kOk:
      return fmt::format("OK: {}, {} of {} backends serve, {}",
                         counted(status.services(), "service"), status.backends_serving(),
                         status.backends(), counted(status.flows(), "flow"));
    case Severity::kWarning:
      return fmt::format("WARNING: {}", counted(warnings, "problem"));
    case Severity::kCritical:
      if (critical == 0) return "CRITICAL: the dataplane is not connected";
      return fmt::format("CRITICAL: {}{}", counted(critical, "critical problem"),
                         warnings == 0 ? "" : ", " + counted(warnings, "warning"));
  }
  return "";
}

}  // namespace hawser::ctl
