// The tables of verbs, options, sort keys and exit codes.
#include "commands.h"

#include <array>

#include "capture_syntax.h"
#include "hawser/base/limits.h"

namespace hawser::ctl {
namespace {

constexpr std::uint64_t kMaxSeconds = 7ULL * 24 * 3600;
constexpr std::uint64_t kMaxRows = 1'000'000;
constexpr std::uint64_t kMaxHost = 1024;     // bytes
constexpr std::uint64_t kMaxProtocol = 255;  // bytes (RFC 7301 section 3.1)

constexpr std::array kGlobalOptions{
    Option{"--socket", "PATH", Value::kPath,
           "socket of hawserd; default $HAWSER_SOCKET, else /run/hawser/hawserd.sock. Without this "
           "option, verbs that only read use the read-only twin (…-ro.sock) where the admin socket "
           "is not permitted"},
    Option{"--json", "", Value::kFlag, "print JSON for programs; errors are JSON on stderr too"},
    Option{"--timeout", "SECONDS", Value::kSeconds,
           "give up after that long, --wait included; default 10", 0, kMaxSeconds},
    Option{"--no-color", "", Value::kFlag,
           "no colours; also with NO_COLOR set, or when the output is not a terminal"},
    Option{"--help", "", Value::kFlag, "explain hawserctl, or the verb it is given with"},
    Option{"--version", "", Value::kFlag, "print the version of hawserctl alone"},
};

constexpr Option kDryRun{"--dry-run", "", Value::kFlag,
                         "say what would change, and change nothing"};
constexpr Option kReason{"--reason", "TEXT", Value::kText,
                         "why; shown by status, backends and history to everybody"};
constexpr Option kWaitConfirmed{"--wait", "", Value::kFlag,
                                "return when the dataplane has confirmed it"};
constexpr Positional kBackend{"BACKEND", true, Value::kBackend,
                              "SERVICE/BACKEND, or the backend's name alone when it is unique"};

constexpr std::array kStatusOptions{
    Option{"--check", "", Value::kFlag, "exit 1 when there is a problem, for monitoring"}};
constexpr std::array kStatusExamples{
    Example{"hawserctl status", "is all well, and if not, what to do"},
    Example{"hawserctl status --check >/dev/null || page-someone", "from a monitor"}};

constexpr std::array kServicesPositionals{
    Positional{"SERVICE", false, Value::kService, "only this one"}};
constexpr std::array kServicesExamples{
    Example{"hawserctl services", "all services with state and traffic"}};

constexpr std::array kBackendsPositionals{
    Positional{"TARGET", false, Value::kTarget, "SERVICE or SERVICE/BACKEND: only these"}};
constexpr std::array kBackendsOptions{
    Option{"--service", "SERVICE", Value::kService, "only backends of this service"}};
constexpr std::array kBackendsExamples{
    Example{"hawserctl backends web", "the backends of service web"},
    Example{"hawserctl backends web/b1 --json", "everything known about one backend"}};

constexpr std::array kWeightPositionals{
    kBackend, Positional{"WEIGHT", false, Value::kNumber,
                         "relative to the other backends of the service, 1 to 1000",
                         limits::kMinWeight, limits::kMaxWeight}};
constexpr std::array kWeightOptions{
    Option{"--file", "", Value::kFlag, "back to the weight the configuration file gives"}, kDryRun,
    kReason, kWaitConfirmed};
constexpr std::array kWeightExamples{
    Example{"hawserctl weight web/b1 50 --reason 'new kernel'", "half of the usual 100"},
    Example{"hawserctl weight web/b1 --file", "as the file says again"}};

constexpr std::array kDrainPositionals{kBackend};
constexpr std::array kDrainOptions{
    kDryRun, kReason,
    Option{"--wait", "", Value::kFlag,
           "return when the backend has no live flow left; exit 4 when some remain at --timeout"}};
constexpr std::array kDrainExamples{
    Example{"hawserctl drain web/b1 --wait --timeout 600 && ssh b1 systemctl stop nginx",
            "stop a backend without hurting anybody"}};

constexpr std::array kModePositionals{kBackend};
constexpr std::array kModeOptions{kDryRun, kReason, kWaitConfirmed};
constexpr std::array kReadyExamples{
    Example{"hawserctl ready web/b1", "end a drain or a maintenance"}};
constexpr std::array kMaintenanceExamples{
    Example{"hawserctl maintenance web/b1 --reason 'disk swap'", "no traffic at all from now on"}};

constexpr std::array kCountersOptions{
    Option{"--all", "", Value::kFlag, "also those that are zero"}};
constexpr std::array kCountersExamples{
    Example{"hawserctl counters", "what happened to packets, by name"}};

constexpr std::array kFlowsOptions{
    Option{"--service", "SERVICE", Value::kService, "only flows of this service"},
    Option{"--backend", "BACKEND", Value::kBackend, "only flows on this backend"},
    Option{"--client", "ADDRESS[/BITS]", Value::kText, "only flows from this address or network"},
    Option{"--limit", "ROWS", Value::kNumber, "rows at most; default 1000", 1, kMaxRows}};
constexpr std::array kFlowsExamples{
    Example{"hawserctl flows --client 192.0.2.7", "on which backends is this user?"},
    Example{"hawserctl flows --backend web/b1 --limit 20", "who is still on b1?"}};

constexpr std::array kTopOptions{
    Option{"--sort", "KEY", Value::kSort,
           "name, state, share, ratio, flows, new, requests, errors, latency, sessions, packets or "
           "bits; default name"},
    Option{"--service", "SERVICE", Value::kService, "only backends of this service"},
    Option{"--interval", "SECONDS", Value::kSeconds, "between refreshes; default 1", 0, 3600},
    Option{"--count", "N", Value::kNumber, "print N views and exit", 1, kMaxRows},
    Option{"--once", "", Value::kFlag, "the same as --count 1"}};
constexpr std::array kTopExamples{
    Example{"hawserctl top --sort bits", "live, busiest first"},
    Example{"hawserctl top --once --json", "one measurement for a script"}};

constexpr std::array kReloadOptions{kDryRun, kWaitConfirmed};
constexpr std::array kReloadExamples{
    Example{"hawserctl reload --dry-run", "is the edited file good, and what would it change?"},
    Example{"hawserctl reload --wait", "apply it"}};

constexpr std::array kCheckPositionals{
    Positional{"FILE", true, Value::kPath, "the configuration; - reads standard input"}};
constexpr std::array kCheckExamples{
    Example{"hawserctl check /etc/hawser/hawser.toml", "is the edited file good?"},
    Example{"hawserctl check - --json < hawser.toml", "before it is sent to any server"}};

constexpr std::array kKeysPositionals{
    Positional{"ACTION", false, Value::kAction, "rotate: a new key signs, the last one counts"}};
constexpr std::array kKeysOptions{
    kDryRun,
    Option{"--reason", "TEXT", Value::kText, "why; shown by keys and history to everybody"},
    Option{"--force", "", Value::kFlag,
           "rotate also where the guard refuses, and unpin users by it; is written down"},
    kWaitConfirmed};
constexpr std::array kKeysExamples{
    Example{"hawserctl keys", "which key signs session cookies, and since when?"},
    Example{"hawserctl keys rotate --reason 'quarterly'", "nobody is unpinned"}};

constexpr std::array kHistoryOptions{
    Option{"--service", "SERVICE", Value::kService, "only changes of this service's backends"},
    Option{"--backend", "BACKEND", Value::kBackend,
           "only changes of this backend; without SERVICE/ of every one with that name"},
    Option{"--limit", "N", Value::kNumber, "the newest N, at most 1000; default 20", 1,
           limits::kMaxHistoryEntries}};
constexpr std::array kHistoryExamples{
    Example{"hawserctl history", "what was changed of late, by whom and why?"},
    Example{"hawserctl history --backend web/b1 --limit 100", "what has become of b1?"},
    Example{"hawserctl history --service web --json", "for the report of an incident"}};

constexpr std::array kExplainPositionals{
    Positional{"SERVICE", true, Value::kService, "a service with forward splice"},
    Positional{"PATH", false, Value::kRequestTarget, "of the request, with its query; default /"}};
constexpr std::array kExplainOptions{
    Option{"--client", "ADDRESS[:PORT]", Value::kEndpoint,
           "who asks; default 192.0.2.1:50000, for IPv6 [2001:db8::1]:50000"},
    Option{"--method", "METHOD", Value::kMethod, "default GET"},
    Option{"--host", "HOST", Value::kWord, "default the service's address", 0, kMaxHost},
    Option{"--header", "'NAME: VALUE'", Value::kHeader, "a header of the request; may be repeated",
           0, 0, true},
    Option{"--cookie", "'NAME=VALUE'", Value::kCookie, "a cookie of the request; may be repeated",
           0, 0, true},
    Option{"--sni", "NAME", Value::kWord, "the server name a TLS client asks for; default none", 0,
           limits::kMaxServerName},
    Option{"--alpn", "PROTOCOL", Value::kWord,
           "what the TLS client wants to speak, such as h2; may be repeated", 0, kMaxProtocol,
           true},
    Option{"--file", "FILE", Value::kPath,
           "instead of all that: the head as the client sent it, with its final empty line, or "
           "its ClientHello; - reads standard input"}};
constexpr std::array kWhyExamples{
    Example{"hawserctl why shop /cart --cookie 'hawser=BAE…'", "where does this user go, and why?"},
    Example{"hawserctl why mail --sni imap.example.net", "the same for a TLS service"},
    Example{"hawserctl why shop --file head.txt", "a request as it was captured"}};
constexpr std::array kTraceExamples{Example{
    "hawserctl trace shop /cart --header 'User-Agent: test'", "every step of the decision"}};

constexpr std::array kVersionExamples{
    Example{"hawserctl version", "of hawserctl, hawserd and the dataplane"}};

constexpr std::array kCompletionPositionals{
    Positional{"SHELL", false, Value::kShell, "bash, zsh or fish; default bash"}};
constexpr std::array kCompletionExamples{
    Example{"hawserctl completion > /etc/bash_completion.d/hawserctl", "install it by hand"},
    Example{"hawserctl completion zsh > /usr/local/share/zsh/site-functions/_hawserctl", "for zsh"},
    Example{"hawserctl completion fish > /etc/fish/completions/hawserctl.fish", "for fish"}};

constexpr std::array kVerbs{
    Verb{VerbId::kStatus,
         "status",
         "Is all well? What to do if not.",
         "The verdict first, then the problems, worst first, each with what to do; then the "
         "dataplane, its ports, the services, and where the runtime differs from the file. Exits 0 "
         "whatever it finds, unless --check is given.",
         {},
         kStatusOptions,
         kStatusExamples},
    Verb{VerbId::kServices,
         "services",
         "List services with state and traffic.",
         "One row a service. State is ok (every backend serves), degraded (some do) or down (none "
         "does). Below, what each bears and whom it lets in; prefix lists with how many prefixes "
         "they have.",
         kServicesPositionals,
         {},
         kServicesExamples},
    Verb{VerbId::kBackends, "backends", "List backends with state, weight, health and traffic.",
         "One row a backend. State is ready, starting, draining, down or maintenance; a weight "
         "that differs from the file's is shown with the file's.",
         kBackendsPositionals, kBackendsOptions, kBackendsExamples},
    Verb{VerbId::kWeight, "weight", "Set a backend's weight, or give it back to the file.",
         "New flows follow the new weight; established flows stay where they are. There is no "
         "weight 0: say drain (no new flows) or maintenance (no traffic). The weight survives "
         "restarts and reloads until --file.",
         kWeightPositionals, kWeightOptions, kWeightExamples, true},
    Verb{VerbId::kDrain, "drain", "Send a backend no new flows; the old ones stay.",
         "The backend is in state draining until ready or maintenance is said. With --wait the "
         "command returns when its last flow has ended.",
         kDrainPositionals, kDrainOptions, kDrainExamples, true},
    Verb{VerbId::kReady, "ready", "Give a backend traffic again.",
         "Ends a drain or a maintenance. Health still decides: a backend whose check fails stays "
         "down.",
         kModePositionals, kModeOptions, kReadyExamples, true},
    Verb{VerbId::kMaintenance, "maintenance", "Take a backend out of all traffic at once.",
         "No new flows, and its established flows are reset or moved at once, as on_down of the "
         "service says. To spare them, drain first.",
         kModePositionals, kModeOptions, kMaintenanceExamples, true},
    Verb{VerbId::kCounters,
         "counters",
         "Show what became of packets, by name.",
         "Every packet ends in one verdict: forwarded, answered, handed to the kernel, or dropped "
         "under a name. Spliced services follow: requests, sessions, what was refused and which "
         "cookies did not count by cause, requests by rule, and how long they took. Counters rise "
         "since the start of the dataplane.",
         {},
         kCountersOptions,
         kCountersExamples},
    Verb{VerbId::kFlows,
         "flows",
         "List live flows, filtered.",
         "One row a flow: client, service, backend, state, how long it was idle and when it "
         "expires. A spliced connection has no backend before its first request is read. The "
         "filters apply together.",
         {},
         kFlowsOptions,
         kFlowsExamples},
    Verb{VerbId::kTop,
         "top",
         "Watch backends live.",
         "Per backend: its share of new flows by weight, its actual share of live flows and the "
         "ratio of the two, marked above 1.25; rates over the last interval; what half and 99 % of "
         "responses (without any: handshakes) took at most since the dataplane started; live "
         "sessions. Keys: n name, s state, h share, i ratio, f flows, w new, t requests, e errors, "
         "l latency, u sessions, p packets, b bits, r reverse, arrows and page keys, q quit. On a "
         "narrow terminal the least important columns are left out. When the output is no "
         "terminal, views are printed whole, one after the other.",
         {},
         kTopOptions,
         kTopExamples},
    Verb{VerbId::kReload,
         "reload",
         "Read the configuration file again.",
         "The file is taken whole or, when anything is wrong with it, not at all. What operators "
         "did with weight, drain and maintenance stays.",
         {},
         kReloadOptions,
         kReloadExamples,
         true},
    Verb{VerbId::kCheck,
         "check",
         "Is this configuration file good? Needs no hawserd.",
         "Reads the file and the prefix lists it names and compiles its rules, as hawserd would. "
         "Every mistake is one line, `file:line:column: what; what to do`, in the words of "
         "`hawserd --check-config` and of reload; the exit code is 2 then. What a good file would "
         "change here, `reload --dry-run` tells.",
         kCheckPositionals,
         {},
         kCheckExamples},
    Verb{VerbId::kKeys, "keys", "List the keys that sign session cookies, or rotate them.",
         "One key signs, the one before it still counts, so users keep their backend over a "
         "rotation. A rotation before the last one is older than the longest idle lifetime of a "
         "cookie would unpin users who have not been back since: it is refused with exit code 3, "
         "which also keeps a rotation from being repeated by accident; --force does it anyhow. A "
         "rotation is the one change that is not idempotent. The keys themselves are never shown.",
         kKeysPositionals, kKeysOptions, kKeysExamples},
    Verb{VerbId::kHistory,
         "history",
         "Show who changed what, when and why.",
         "One row a change, newest first: weights, drains, maintenances and their ends, and "
         "rotations of keys, by operators or by hawserd itself; WHY is their --reason. A change "
         "that the dataplane refused has a second row that takes it back. It survives restarts, "
         "and names that have left the configuration file are still found. What the file itself "
         "changed is not in it. The filters apply together.",
         {},
         kHistoryOptions,
         kHistoryExamples},
    Verb{VerbId::kWhy, "why", "Where would this request go, and why?",
         "Asks the running dataplane what it would do with one request to a spliced service; "
         "nothing is forwarded or counted. One sentence, then the backend, or the status that the "
         "balancer would answer itself. Whatever the answer, the exit code is 0.",
         kExplainPositionals, kExplainOptions, kWhyExamples},
    Verb{VerbId::kTrace, "trace", "The same as why, with every step of the decision.",
         "One row a step, in the order they were decided; then the answer as why gives it.",
         kExplainPositionals, kExplainOptions, kTraceExamples},
    Verb{VerbId::kCapture,
         "capture",
         "Write packets from the running dataplane to a file.",
         kCaptureDetails,
         {},
         kCaptureOptions,
         kCaptureExamples,
         true},
    Verb{VerbId::kVersion,
         "version",
         "Print the versions of all three programs.",
         "Exits 5 when hawserd is not reachable, after printing its own version.",
         {},
         {},
         kVersionExamples},
    Verb{VerbId::kCompletion,
         "completion",
         "Print the completion script of a shell.",
         "Completes verbs, options, and names of services and backends.",
         kCompletionPositionals,
         {},
         kCompletionExamples},
    Verb{VerbId::kReference,
         "reference",
         "Print docs/reference/hawserctl.md.",
         "",
         {},
         {},
         {},
         false,
         true},
    Verb{
        VerbId::kManual, "manual", "Print packaging/man/hawserctl.8.", "", {}, {}, {}, false, true},
};

constexpr std::array kSortKeys{
    SortKey{"name", 'n', "service and name"},
    SortKey{"state", 's', "those in trouble first"},
    SortKey{"share", 'h', "actual share of the service's flows"},
    SortKey{"ratio", 'i', "actual share against that by weight"},
    SortKey{"flows", 'f', "live flows"},
    SortKey{"new", 'w', "new flows a second"},
    SortKey{"requests", 't', "requests a second"},
    SortKey{"errors", 'e', "refusals, silence, resets and responses 5xx a second"},
    SortKey{"latency", 'l', "what 99 % of responses took at most"},
    SortKey{"sessions", 'u', "live sessions"},
    SortKey{"packets", 'p', "packets a second, both ways"},
    SortKey{"bits", 'b', "bits a second, both ways"},
};

constexpr std::array<std::string_view, 1> kActions{"rotate"};
constexpr std::array<std::string_view, 3> kShells{"bash", "zsh", "fish"};

// The words of kSortKeys alone.
constexpr auto kSortWords = [] {
  std::array<std::string_view, kSortKeys.size()> words;
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = kSortKeys[i].word;
  return words;
}();

constexpr std::array kExitMeanings{
    ExitMeaning{0, "done, or it was so already"},
    ExitMeaning{1, "failed; with `status --check`: there is a problem"},
    ExitMeaning{2, "the command line is wrong; with `check`: the file is"},
    ExitMeaning{3, "refused by a guard or by the dataplane; nothing changed"},
    ExitMeaning{4, "not finished within --timeout; what was asked for stays in force"},
    ExitMeaning{5, "hawserd is not reachable"},
};

}  // namespace

std::span<const Verb> verbs() noexcept {
  return kVerbs;
}
std::span<const Option> global_options() noexcept {
  return kGlobalOptions;
}
std::span<const SortKey> sort_keys() noexcept {
  return kSortKeys;
}
std::span<const ExitMeaning> exit_meanings() noexcept {
  return kExitMeanings;
}

std::span<const std::string_view> words_of(Value value) noexcept {
  if (value == Value::kSort) return kSortWords;
  if (value == Value::kAction) return kActions;
  if (value == Value::kShell) return kShells;
  if (value == Value::kVerdict) return kCaptureVerdicts;
  if (value == Value::kSide) return kCaptureSides;
  return {};
}

const Verb* find_verb(std::string_view name) noexcept {
  for (const Verb& verb : kVerbs) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

}  // namespace hawser::ctl
