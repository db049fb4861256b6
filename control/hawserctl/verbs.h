// The verbs: each asks hawserd, prints, and says how it went.
#pragma once

#include "failure.h"
#include "session.h"

namespace hawser::ctl {

// kOk, or the exit code of a command that did its work and found something (`status --check`).
using Verdict = Outcome<ExitCode>;

[[nodiscard]] Verdict run_status(const Session& session);
[[nodiscard]] Verdict run_services(const Session& session);
[[nodiscard]] Verdict run_backends(const Session& session);
[[nodiscard]] Verdict run_counters(const Session& session);
[[nodiscard]] Verdict run_flows(const Session& session);
[[nodiscard]] Verdict run_history(const Session& session);
[[nodiscard]] Verdict run_events(const Session& session);
[[nodiscard]] Verdict run_version(const Session& session);

[[nodiscard]] Verdict run_weight(const Session& session);
[[nodiscard]] Verdict run_mode(const Session& session, rpc::Mode mode);
[[nodiscard]] Verdict run_reload(const Session& session);

[[nodiscard]] Verdict run_keys(const Session& session);
[[nodiscard]] Verdict run_why(const Session& session);
[[nodiscard]] Verdict run_trace(const Session& session);

[[nodiscard]] Verdict run_capture(const Session& session);
[[nodiscard]] Verdict run_top(const Session& session);

}  // namespace hawser::ctl
