// gRPC service Administer: requests to the controller's orders, outcomes to replies.
#include "service_administer.h"

#include <chrono>
#include <mutex>
#include <optional>

#include "name_checks.h"
#include "plan_message.h"
#include "rows.h"

namespace hawser::control {
namespace {

grpc::Status status_of(const ChangeOutcome& outcome) {
  switch (outcome.failure) {
    case Failure::kNone:
      return grpc::Status::OK;
    case Failure::kInvalid:
      return {grpc::StatusCode::INVALID_ARGUMENT, outcome.message};
    case Failure::kNotFound:
      return {grpc::StatusCode::NOT_FOUND, outcome.message};
    case Failure::kRefused:
      return {grpc::StatusCode::FAILED_PRECONDITION, outcome.message};
    case Failure::kTimedOut:
      return {grpc::StatusCode::DEADLINE_EXCEEDED, outcome.message};
    case Failure::kInternal:
      return {grpc::StatusCode::INTERNAL, outcome.message};
  }
  return {grpc::StatusCode::INTERNAL, outcome.message};
}

template <typename Reply>
void fill_changes(const ChangeOutcome& outcome, Reply& reply) {
  for (const Change& change : outcome.changes) {
    v1::Change& row = *reply.add_changes();
    row.set_service(change.service);
    row.set_backend(change.backend);
    row.set_field(change.field);
    row.set_before(change.before);
    row.set_after(change.after);
  }
  reply.set_epoch(outcome.epoch);
  fill_plan(outcome.plan, *reply.mutable_plan());
}

grpc::Status answer(const ChangeOutcome& outcome, bool dry_run, v1::ChangeReply& reply) {
  fill_changes(outcome, reply);
  reply.set_dry_run(dry_run);
  reply.set_note(outcome.note);
  return status_of(outcome);
}

std::optional<Mode> mode_of(v1::Mode mode) {
  if (mode == v1::READY) return Mode::kReady;
  if (mode == v1::DRAIN) return Mode::kDrain;
  if (mode == v1::MAINTENANCE) return Mode::kMaintenance;
  return std::nullopt;
}

}  // namespace

grpc::Status AdministerService::SetWeight(grpc::ServerContext* /*context*/,
                                          const v1::SetWeightRequest* request,
                                          v1::ChangeReply* reply) {
  const ChangeOutcome outcome = controller_.set_weight({.service = request->service(),
                                                        .backend = request->backend(),
                                                        .weight = request->weight(),
                                                        .to_file = request->to_file(),
                                                        .author = request->author(),
                                                        .reason = request->reason(),
                                                        .dry_run = request->dry_run()});
  const grpc::Status status = answer(outcome, request->dry_run(), *reply);
  measure_plan(outcome, controller_.dataplane(), query_, *reply->mutable_plan());
  return status;
}

grpc::Status AdministerService::SetMode(grpc::ServerContext* /*context*/,
                                        const v1::SetModeRequest* request, v1::ChangeReply* reply) {
  const std::optional<Mode> mode = mode_of(request->mode());
  if (!mode) {
    return {grpc::StatusCode::INVALID_ARGUMENT, "the mode must be READY, DRAIN or MAINTENANCE"};
  }
  const ChangeOutcome outcome = controller_.set_mode({.service = request->service(),
                                                      .backend = request->backend(),
                                                      .mode = *mode,
                                                      .term_seconds = request->term_seconds(),
                                                      .jitter_seconds = request->jitter_seconds(),
                                                      .keep_flows = request->keep_flows(),
                                                      .author = request->author(),
                                                      .reason = request->reason(),
                                                      .dry_run = request->dry_run(),
                                                      .force = request->force()});
  const grpc::Status status = answer(outcome, request->dry_run(), *reply);
  measure_plan(outcome, controller_.dataplane(), query_, *reply->mutable_plan());
  return status;
}

grpc::Status AdministerService::Reload(grpc::ServerContext* /*context*/,
                                       const v1::ReloadRequest* request, v1::ReloadReply* reply) {
  const ReloadOutcome outcome = controller_.reload(
      {.author = request->author(), .reason = request->reason(), .dry_run = request->dry_run()});
  fill_changes(outcome.change, *reply);
  measure_plan(outcome.change, controller_.dataplane(), query_, *reply->mutable_plan());
  for (const std::string& line : outcome.diagnostics) reply->add_diagnostics(line);
  for (const std::string& note : outcome.notes) reply->add_notes(note);
  if (!outcome.change.note.empty()) reply->add_notes(outcome.change.note);
  reply->set_dry_run(request->dry_run());
  return status_of(outcome.change);
}

grpc::Status AdministerService::RotateKeys(grpc::ServerContext* /*context*/,
                                           const v1::RotateKeysRequest* request,
                                           v1::RotateKeysReply* reply) {
  const RotateOutcome outcome = controller_.rotate_keys({.author = request->author(),
                                                         .reason = request->reason(),
                                                         .dry_run = request->dry_run(),
                                                         .force = request->force()});
  *reply->mutable_keys() = keys_reply(outcome.keys);
  reply->set_epoch(outcome.change.epoch);
  reply->set_dry_run(request->dry_run());
  reply->set_note(outcome.change.note);
  return status_of(outcome.change);
}

// The connection is closed on the way out, and with it the capture ends in the dataplane.
grpc::Status AdministerService::Capture(grpc::ServerContext* context,
                                        const dataplane::v1::Capture* request,
                                        grpc::ServerWriter<dataplane::v1::CaptureReply>* writer) {
  const View view = controller_.view();
  grpc::Status known = check_capture(view.runtime, *request);
  if (!known.ok()) return known;
  if (!view.dataplane.connected) {
    return {grpc::StatusCode::UNAVAILABLE,
            "the dataplane is not connected: " + view.dataplane.error};
  }
  // One that was just cancelled is about to end.
  constexpr std::chrono::milliseconds kEndTime{300};
  const std::unique_lock only(capturing_, kEndTime);
  if (!only) return {grpc::StatusCode::FAILED_PRECONDITION, "another capture is running"};
  bool begun = false;
  const auto is_over = [&] { return context->IsCancelled(); };
  const Result<dataplane::v1::Response> ended =
      query_.capture(*request, is_over, [&](const dataplane::v1::CaptureReply& part) {
        begun = true;
        return !is_over() && writer->Write(part);
      });
  if (!ended) {
    return {grpc::StatusCode::UNAVAILABLE,
            (begun ? "the capture was cut off: " : "") + ended.error().message};
  }
  if (ended->has_error()) {
    return {grpc::StatusCode::FAILED_PRECONDITION, ended->error().message()};
  }
  return grpc::Status::OK;
}

}  // namespace hawser::control
