// Looks names up in the configuration in force.
#include "name_checks.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "hawser/base/nearest.h"
#include "hawser/model/verdict_names.h"
#include "hawser/net/address.h"

namespace hawser::control {
namespace {

grpc::Status invalid(const std::string& what) {
  return {grpc::StatusCode::INVALID_ARGUMENT, what};
}

grpc::Status check_verdict(const std::string& name) {
  std::vector<std::string> known(model::kVerdictKindNames.begin(), model::kVerdictKindNames.end());
  known.insert(known.end(), model::kVerdictNames.begin(), model::kVerdictNames.end());
  if (std::find(known.begin(), known.end(), name) != known.end()) return grpc::Status::OK;
  return {grpc::StatusCode::NOT_FOUND,
          fmt::format("there is no verdict \"{}\"{}", name, suggestion(name, known))};
}

}  // namespace

grpc::Status check_names(const Runtime& runtime, const std::string& service,
                         const std::string& backend) {
  if (!service.empty()) {
    const Result<const model::Service*> known = runtime.find_service(service);
    if (!known) return {grpc::StatusCode::NOT_FOUND, known.error().message};
  }
  if (backend.empty()) return grpc::Status::OK;
  const Lookup lookup = runtime.find(service, backend);
  const bool unknown = !lookup.found && lookup.failure == LookupFailure::kUnknown;
  return unknown ? grpc::Status(grpc::StatusCode::NOT_FOUND, lookup.message) : grpc::Status::OK;
}

grpc::Status check_capture(const Runtime& runtime, const dataplane::v1::Capture& wanted) {
  grpc::Status known = check_names(runtime, wanted.service(), wanted.backend());
  if (!known.ok()) return known;
  for (const std::string& verdict : wanted.verdicts()) {
    known = check_verdict(verdict);
    if (!known.ok()) return known;
  }
  if (!wanted.client().empty()) {
    const Result<net::Prefix> client = net::parse_prefix(wanted.client());
    if (!client) return invalid(client.error().message);
  }
  const bool snaps = wanted.snap() == 0 || (wanted.snap() >= limits::kMinCaptureSnap &&
                                            wanted.snap() <= limits::kMaxFrame);
  if (!snaps) {
    return invalid(fmt::format("{} bytes of a frame cannot be kept: {} to {} can", wanted.snap(),
                               limits::kMinCaptureSnap, limits::kMaxFrame));
  }
  if (wanted.sample() > limits::kMaxCaptureSample) {
    return invalid(fmt::format("one packet of {} is too rare; of {} at most", wanted.sample(),
                               limits::kMaxCaptureSample));
  }
  if (wanted.milliseconds() > std::uint64_t{limits::kMaxCaptureSeconds} * 1000) {
    return invalid(fmt::format("a capture may last {} s at most, or until it is ended",
                               limits::kMaxCaptureSeconds));
  }
  return grpc::Status::OK;
}

}  // namespace hawser::control
