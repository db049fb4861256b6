// The verbs that change something: weight, drain, ready, maintenance, reload.
#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "units.h"
#include "verbs.h"
#include "views.h"
#include "wait.h"

namespace hawser::ctl {
namespace {

// What was asked for, to complete "… already" and to stand in for a reply that never came.
struct Intent {
  BackendName name;
  std::string field;
  std::string value;
};

std::string subject_of(const Intent& intent) {
  return fmt::format("{}: {} is {}", intent.name.to_string(), intent.field, intent.value);
}

// hawserd stored the change but stopped waiting for the dataplane; --wait goes on waiting.
rpc::ChangeReply stored_reply(const Intent& intent) {
  rpc::ChangeReply reply;
  rpc::Change& change = *reply.add_changes();
  change.set_service(intent.name.service);
  change.set_backend(intent.name.backend);
  change.set_field(intent.field);
  change.set_before("unknown");
  change.set_after(intent.value);
  return reply;
}

Failure would_refuse(const std::string& refusal) {
  return {ExitCode::kRefused, "a guard would refuse it: " + refusal,
          "--force does it all the same, which is written down"};
}

// On a terminal one line that changes; a drain with a deadline tells how far it is.
Outcome<std::uint64_t> wait_for_drain(const Session& session, const BackendName& name) {
  const bool live = session.console.terminal && !session.json;
  const auto progress = [&](const DrainStep& step) {
    if (!live) return;
    std::string text = fmt::format("{}: {} left", name.to_string(), counted(step.flows, "flow"));
    if (step.until_unix != 0) {
      text += fmt::format(", {:.0f} % of sessions let go, deadline {}", step.released * 100,
                          utc_near(step.until_unix, session.console.now_unix()));
    }
    session.console.err << "\r\x1b[K" << text << std::flush;
  };
  auto epoch = wait_drained(session.client, name, session.deadline, progress);
  if (live) session.console.err << "\r\x1b[K" << std::flush;
  return epoch;
}

Verdict finish(const Session& session, Outcome<rpc::ChangeReply> reply, const Intent& intent,
               bool drain) {
  const bool dry_run = session.arguments.has("--dry-run");
  const bool wait = session.arguments.has("--wait") && !dry_run;
  if (!reply) {
    const bool go_on = wait && reply.failure().code == ExitCode::kTimedOut &&
                       std::chrono::steady_clock::now() < session.deadline;
    if (!go_on) return reply.failure();
    reply = stored_reply(intent);
  }
  if (!wait) {
    session.print(change_view(*reply, subject_of(intent), session.paint), change_json(*reply));
    const std::string refusal = refusal_of(reply->plan());
    const bool refused = dry_run && !refusal.empty() && !session.arguments.has("--force");
    return refused ? Verdict(would_refuse(refusal)) : Verdict(ExitCode::kOk);
  }
  BackendName name = intent.name;
  if (!reply->changes().empty()) {
    name = {reply->changes(0).service(), reply->changes(0).backend()};
  }
  // A drain says what it did before the long wait; a program gets one object at the end.
  if (drain && !session.json) {
    session.console.out << change_view(*reply, subject_of(intent), session.paint) << std::flush;
  }
  const auto epoch =
      drain ? wait_for_drain(session, name) : wait_confirmed(session.client, session.deadline);
  if (!epoch) return epoch.failure();
  reply->set_epoch(*epoch);
  reply->clear_note();
  if (drain && !session.json) {
    session.console.out << fmt::format("{}: no flows left\n", name.to_string());
    return ExitCode::kOk;
  }
  session.print(change_view(*reply, subject_of(intent), session.paint), change_json(*reply));
  return ExitCode::kOk;
}

std::string word_of(rpc::Mode mode) {
  switch (mode) {
    case rpc::READY:
      return "ready";
    case rpc::DRAIN:
      return "drain";
    case rpc::MAINTENANCE:
      return "maintenance";
    case rpc::MODE_UNSPECIFIED:
    case rpc::Mode_INT_MIN_SENTINEL_DO_NOT_USE_:
    case rpc::Mode_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  return "unspecified";
}

// Fills what both requests have in common.
template <typename Request>
BackendName fill(Request& request, const Session& session) {
  BackendName name = split_backend(session.arguments.text("BACKEND"));
  request.set_service(name.service);
  request.set_backend(name.backend);
  request.set_author(session.console.author);
  request.set_reason(session.arguments.text("--reason"));
  request.set_dry_run(session.arguments.has("--dry-run"));
  return name;
}

Failure refused_file(const rpc::ReloadReply& reply, const Session& session) {
  if (session.json) {
    session.console.out << dump(reload_json(reply));
  } else {
    for (const std::string& line : reply.diagnostics()) {
      session.console.err << printable(line) << "\n";
    }
  }
  return {ExitCode::kFailed, "the configuration file was refused; nothing has changed",
          "correct it and reload again"};
}

}  // namespace

Verdict run_weight(const Session& session) {
  rpc::SetWeightRequest request;
  Intent intent{fill(request, session), "weight", "what the file says"};
  request.set_to_file(session.arguments.has("--file"));
  if (!request.to_file()) {
    request.set_weight(static_cast<std::uint32_t>(session.arguments.number("WEIGHT", 0)));
    intent.value = std::to_string(request.weight());
  }
  return finish(session, session.client.set_weight(request, session.deadline), intent, false);
}

Verdict run_mode(const Session& session, rpc::Mode mode) {
  rpc::SetModeRequest request;
  const Intent intent{fill(request, session), "mode", word_of(mode)};
  const Arguments& arguments = session.arguments;
  request.set_mode(mode);
  request.set_term_seconds(arguments.duration(mode == rpc::DRAIN ? "--by" : "--for", 0));
  request.set_keep_flows(arguments.has("--forever"));
  if (arguments.has("--by") && !request.keep_flows()) {
    request.set_jitter_seconds(
        static_cast<std::uint32_t>(arguments.duration("--jitter", limits::kDefaultJitterSeconds)));
  }
  request.set_force(arguments.has("--force"));
  return finish(session, session.client.set_mode(request, session.deadline), intent,
                mode == rpc::DRAIN);
}

Verdict run_reload(const Session& session) {
  const bool dry_run = session.arguments.has("--dry-run");
  rpc::ReloadRequest request;
  request.set_dry_run(dry_run);
  request.set_author(session.console.author);
  request.set_reason(session.arguments.text("--reason"));
  auto reply = session.client.reload(request, session.deadline);
  if (!reply) return reply.failure();
  if (!reply->diagnostics().empty()) return refused_file(*reply, session);
  if (session.arguments.has("--wait") && !dry_run && reply->epoch() == 0) {
    const auto epoch = wait_confirmed(session.client, session.deadline);
    if (!epoch) return epoch.failure();
    reply->set_epoch(*epoch);
  }
  session.print(reload_view(*reply, session.paint), reload_json(*reply));
  return ExitCode::kOk;
}

}  // namespace hawser::ctl
