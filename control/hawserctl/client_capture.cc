// The call that runs until it is ended: a capture.
#include "canceller.h"
#include "client.h"
#include "errors.h"

namespace hawser::ctl {

Outcome<CaptureEnd> Client::capture(
    const path::Capture& wanted, Time begin_by, int stop,
    const std::function<bool(const path::CaptureReply&)>& take) const {
  grpc::ClientContext context;
  Canceller canceller(context, stop, begin_by);
  const auto reader = administer_->Capture(&context, wanted);
  path::CaptureReply part;
  bool enough = false;
  bool last = false;
  while (!enough && reader->Read(&part)) {
    canceller.begun();
    last = part.last();
    enough = !take(part);
  }
  if (enough) context.TryCancel();
  const grpc::Status status = reader->Finish();
  if (enough) return CaptureEnd::kEnough;
  if (last) return CaptureEnd::kLimit;
  if (canceller.interrupted()) return CaptureEnd::kInterrupted;
  if (canceller.late()) {
    return Failure{ExitCode::kTimedOut, "the capture did not begin in time",
                   "try a longer --timeout"};
  }
  if (!status.ok()) return failure_of(status, socket_);
  return Failure{ExitCode::kFailed, "hawserd ended the capture without a word", ""};
}

}  // namespace hawser::ctl
