// The verb of the keys that sign session cookies: keys, keys rotate.
#include "verbs.h"
#include "views.h"
#include "wait.h"

namespace hawser::ctl {
namespace {

Verdict rotate(const Session& session) {
  const Arguments& arguments = session.arguments;
  rpc::RotateKeysRequest request;
  request.set_author(session.console.author);
  request.set_reason(arguments.text("--reason"));
  request.set_dry_run(arguments.has("--dry-run"));
  request.set_force(arguments.has("--force"));
  auto reply = session.client.rotate_keys(request, session.deadline);
  if (!reply) return reply.failure();
  if (arguments.has("--wait") && !reply->dry_run() && reply->epoch() == 0) {
    const auto epoch = wait_confirmed(session.client, session.deadline);
    if (!epoch) return epoch.failure();
    reply->set_epoch(*epoch);
    reply->clear_note();
  }
  session.print(rotation_view(*reply, session.paint, session.console.now_unix()),
                rotation_json(*reply));
  return ExitCode::kOk;
}

}  // namespace

Verdict run_keys(const Session& session) {
  if (session.arguments.has("ACTION")) return rotate(session);
  const auto reply = session.client.keys(session.deadline);
  if (!reply) return reply.failure();
  session.print(keys_view(*reply, session.paint, session.console.now_unix()), to_json(*reply));
  return ExitCode::kOk;
}

}  // namespace hawser::ctl
