// Chooses the verb, connects, runs it, and reports how it ended.
#include "run.h"

#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "check.h"
#include "completion.h"
#include "errors.h"
#include "help.h"
#include "manual.h"
#include "reference.h"
#include "verbs.h"

namespace hawser::ctl {
namespace {

ExitCode report(const Failure& failure, bool json, Console& console) {
  console.out << std::flush;
  console.err << render(failure, json);
  return failure.code;
}

// A verb that only reads makes do with the read-only twin, unless the socket was chosen by option.
Outcome<Client> connect(const Arguments& arguments, const Console& console) {
  if (arguments.has("--socket")) return Client::connect(arguments.text("--socket"));
  const std::string socket = console.socket.value_or(kDefaultSocket);
  auto client = Client::connect(socket);
  const bool forbidden = !client && client.failure().code == ExitCode::kFailed;
  if (!forbidden || arguments.changes()) return client;
  auto twin = Client::connect(read_only_twin(socket));
  return twin ? std::move(twin) : std::move(client);
}

Verdict dispatch(const Session& session) {
  switch (session.arguments.verb()->id) {
    case VerbId::kStatus:
      return run_status(session);
    case VerbId::kServices:
      return run_services(session);
    case VerbId::kBackends:
      return run_backends(session);
    case VerbId::kWeight:
      return run_weight(session);
    case VerbId::kDrain:
      return run_mode(session, rpc::DRAIN);
    case VerbId::kReady:
      return run_mode(session, rpc::READY);
    case VerbId::kMaintenance:
      return run_mode(session, rpc::MAINTENANCE);
    case VerbId::kCounters:
      return run_counters(session);
    case VerbId::kFlows:
      return run_flows(session);
    case VerbId::kTop:
      return run_top(session);
    case VerbId::kReload:
      return run_reload(session);
    case VerbId::kKeys:
      return run_keys(session);
    case VerbId::kHistory:
      return run_history(session);
    case VerbId::kWhy:
      return run_why(session);
    case VerbId::kTrace:
      return run_trace(session);
    case VerbId::kCapture:
      return run_capture(session);
    case VerbId::kVersion:
      return run_version(session);
    case VerbId::kEvents:
      return run_events(session);
    case VerbId::kPlan:
    case VerbId::kCheck:
    case VerbId::kCompletion:
    case VerbId::kReference:
    case VerbId::kManual:
      break;
  }
  return ExitCode::kOk;  // those never come here: a plan is a verb with --dry-run, and the others
                         // need no hawserd
}

// What the verbs print that are answered without hawserd; nothing for the others.
std::optional<std::string> own_answer(const Arguments& arguments) {
  const VerbId verb = arguments.verb()->id;
  if (verb == VerbId::kReference) return reference_page();
  if (verb == VerbId::kManual) return manual_page();
  if (verb != VerbId::kCompletion) return std::nullopt;
  const std::string shell = arguments.text("SHELL");
  if (shell == "zsh") return zsh_completion();
  if (shell == "fish") return fish_completion();
  return bash_completion();
}

ExitCode run_connected(const Arguments& arguments, Console& console, bool json) {
  const auto client = connect(arguments, console);
  Verdict verdict = ExitCode::kOk;
  if (!client) {
    verdict = client.failure();
  } else {
    constexpr std::chrono::seconds kDefaultTimeout{10};
    const auto timeout = arguments.seconds("--timeout", kDefaultTimeout);
    const bool color = console.terminal && !console.no_color && !arguments.has("--no-color");
    verdict = dispatch({arguments, console, *client, Paint(color), json, timeout,
                        std::chrono::steady_clock::now() + timeout});
  }
  if (verdict) return *verdict;
  // Its own version it can tell without anybody.
  if (arguments.verb()->id == VerbId::kVersion && !json) {
    console.out << fmt::format("hawserctl  {}\n", HAWSER_VERSION);
  }
  return report(verdict.failure(), json, console);
}

}  // namespace

ExitCode run(std::span<const std::string> args, Console& console) {
  const auto arguments = Arguments::parse(args);
  if (!arguments) {
    const bool json = std::find(args.begin(), args.end(), "--json") != args.end();
    return report(arguments.failure(), json, console);
  }
  const Verb* verb = arguments->verb();
  if (arguments->has("--help")) {
    console.out << (verb == nullptr ? general_help() : verb_help(*verb));
    return ExitCode::kOk;
  }
  if (arguments->has("--version")) {
    console.out << fmt::format("hawserctl {}\n", HAWSER_VERSION);
    return ExitCode::kOk;
  }
  if (verb == nullptr) {
    console.err << general_help();
    return ExitCode::kUsage;
  }
  if (const std::optional<std::string> answer = own_answer(*arguments)) {
    console.out << *answer;
    return ExitCode::kOk;
  }
  if (verb->id == VerbId::kCheck) {
    return check_file(arguments->text("FILE"), arguments->has("--json"), console);
  }
  return run_connected(*arguments, console, arguments->has("--json"));
}

}  // namespace hawser::ctl
