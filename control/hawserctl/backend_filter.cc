// Puts --service and --backend together.
#include "backend_filter.h"

#include <fmt/format.h>

namespace hawser::ctl {

Outcome<BackendName> backend_filter(const Arguments& arguments) {
  BackendName name = split_backend(arguments.text("--backend"));
  const std::string service = arguments.text("--service");
  if (!service.empty() && !name.service.empty() && service != name.service) {
    return Failure{
        ExitCode::kUsage,
        fmt::format("--service {} and --backend {} exclude each other", service, name.to_string()),
        "give one of them"};
  }
  if (!service.empty()) name.service = service;
  return name;
}

}  // namespace hawser::ctl
