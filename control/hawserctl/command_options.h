// What each verb takes: options, arguments and examples, for the table in commands.cc.
#pragma once

#include <array>
#include <cstdint>

#include "commands.h"
#include "hawser/base/limits.h"

namespace hawser::ctl::syntax {

inline constexpr std::uint64_t kMaxSeconds = 7ULL * 24 * 3600;
inline constexpr std::uint64_t kMaxRows = 1'000'000;
inline constexpr std::uint64_t kMaxHost = 1024;     // bytes
inline constexpr std::uint64_t kMaxProtocol = 255;  // bytes (RFC 7301 section 3.1)

inline constexpr std::array kGlobalOptions{
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

inline constexpr Option kDryRun{"--dry-run", "", Value::kFlag,
                                "say what would change, and change nothing"};
inline constexpr Option kReason{"--reason", "TEXT", Value::kText,
                                "why; shown by status, backends and history to everybody"};
inline constexpr Option kForce{"--force", "", Value::kFlag,
                               "also where a guard of the service refuses; is written down"};
inline constexpr Option kWaitConfirmed{"--wait", "", Value::kFlag,
                                       "return when the dataplane has confirmed it"};
inline constexpr Positional kBackend{
    "BACKEND", true, Value::kBackend,
    "SERVICE/BACKEND, or the backend's name alone when it is unique"};

inline constexpr std::array kStatusOptions{
    Option{"--check", "", Value::kFlag, "exit 1 when there is a problem, for monitoring"}};
inline constexpr std::array kStatusExamples{
    Example{"hawserctl status", "is all well, and if not, what to do"},
    Example{"hawserctl status --check >/dev/null || page-someone", "from a monitor"}};

inline constexpr std::array kServicesPositionals{
    Positional{"SERVICE", false, Value::kService, "only this one"}};
inline constexpr std::array kServicesExamples{
    Example{"hawserctl services", "all services with state and traffic"}};

inline constexpr std::array kBackendsPositionals{
    Positional{"TARGET", false, Value::kTarget, "SERVICE or SERVICE/BACKEND: only these"}};
inline constexpr std::array kBackendsOptions{
    Option{"--service", "SERVICE", Value::kService, "only backends of this service"}};
inline constexpr std::array kBackendsExamples{
    Example{"hawserctl backends web", "the backends of service web"},
    Example{"hawserctl backends web/b1 --json", "everything known about one backend"}};

inline constexpr std::array kWeightPositionals{
    kBackend, Positional{"WEIGHT", false, Value::kNumber,
                         "relative to the other backends of the service, 1 to 1000",
                         limits::kMinWeight, limits::kMaxWeight}};
inline constexpr std::array kWeightOptions{
    Option{"--file", "", Value::kFlag, "back to the weight the configuration file gives"}, kDryRun,
    kReason, kWaitConfirmed};
inline constexpr std::array kWeightExamples{
    Example{"hawserctl weight web/b1 50 --reason 'new kernel'", "half of the usual 100"},
    Example{"hawserctl weight web/b1 --file", "as the file says again"}};

inline constexpr std::array kDrainPositionals{kBackend};
inline constexpr std::array kDrainOptions{
    Option{"--by", "DURATION", Value::kDuration,
           "until then sessions are let go evenly; at that time what is left is ended", 1,
           limits::kMaxTermSeconds},
    Option{"--jitter", "DURATION", Value::kDuration,
           "what is left at the deadline is ended over that long; default 10s", 0,
           limits::kMaxJitterSeconds},
    Option{"--forever", "", Value::kFlag,
           "with --by: flows that are left at the deadline are not ended"},
    kForce,
    kDryRun,
    kReason,
    Option{"--wait", "", Value::kFlag,
           "return when the backend has no live flow left; exit 4 when some remain at --timeout"}};
inline constexpr std::array kDrainExamples{
    Example{"hawserctl drain web/b1 --wait --timeout 600 && ssh b1 systemctl stop nginx",
            "stop a backend without hurting anybody"},
    Example{"hawserctl drain web/b1 --by 30m --reason 'new disk'",
            "it is empty in half an hour, whoever is on it"}};

inline constexpr std::array kModePositionals{kBackend};
inline constexpr std::array kReadyOptions{kDryRun, kReason, kWaitConfirmed};
inline constexpr std::array kMaintenanceOptions{
    Option{"--for", "DURATION", Value::kDuration, "it is ready again by itself after that long", 1,
           limits::kMaxTermSeconds},
    kForce, kDryRun, kReason, kWaitConfirmed};
inline constexpr std::array kReadyExamples{
    Example{"hawserctl ready web/b1", "end a drain or a maintenance"}};
inline constexpr std::array kMaintenanceExamples{
    Example{"hawserctl maintenance web/b1 --reason 'disk swap'", "no traffic at all from now on"},
    Example{"hawserctl maintenance web/b1 --for 2h", "and it comes back by itself"}};

inline constexpr std::array kCountersOptions{
    Option{"--all", "", Value::kFlag, "also those that are zero"}};
inline constexpr std::array kCountersExamples{
    Example{"hawserctl counters", "what happened to packets, by name"}};

inline constexpr std::array kFlowsOptions{
    Option{"--service", "SERVICE", Value::kService, "only flows of this service"},
    Option{"--backend", "BACKEND", Value::kBackend, "only flows on this backend"},
    Option{"--client", "ADDRESS[/BITS]", Value::kText, "only flows from this address or network"},
    Option{"--limit", "ROWS", Value::kNumber, "rows at most; default 1000", 1, kMaxRows}};
inline constexpr std::array kFlowsExamples{
    Example{"hawserctl flows --client 192.0.2.7", "on which backends is this user?"},
    Example{"hawserctl flows --backend web/b1 --limit 20", "who is still on b1?"}};

inline constexpr std::array kTopOptions{
    Option{"--sort", "KEY", Value::kSort,
           "name, state, share, ratio, flows, new, requests, errors, latency, sessions, packets or "
           "bits; default name"},
    Option{"--service", "SERVICE", Value::kService, "only backends of this service"},
    Option{"--interval", "SECONDS", Value::kSeconds, "between refreshes; default 1", 0, 3600},
    Option{"--count", "N", Value::kNumber, "print N views and exit", 1, kMaxRows},
    Option{"--once", "", Value::kFlag, "the same as --count 1"}};
inline constexpr std::array kTopExamples{
    Example{"hawserctl top --sort bits", "live, busiest first"},
    Example{"hawserctl top --once --json", "one measurement for a script"}};

inline constexpr std::array kReloadOptions{kDryRun, kReason, kWaitConfirmed};
inline constexpr std::array kReloadExamples{
    Example{"hawserctl reload --dry-run", "is the edited file good, and what would it change?"},
    Example{"hawserctl reload --wait", "apply it"}};

inline constexpr std::array kPlanPositionals{
    Positional{"VERB", true, Value::kPlanned, "weight, drain, ready, maintenance, reload or keys"},
    Positional{"ARGUMENTS", false, Value::kText, "arguments and options of that verb"}};
inline constexpr std::array kPlanExamples{
    Example{"hawserctl plan drain web/b1", "may b1 be taken out, and who would bear its load?"},
    Example{"hawserctl plan reload", "what would the edited file do to whom?"}};

inline constexpr std::array kEventsOptions{
    Option{"--follow", "", Value::kFlag, "go on with what happens, until Ctrl-C"},
    Option{"--last", "N", Value::kNumber, "of the past only the newest N; default 20", 1,
           limits::kMaxEvents},
    Option{"--service", "SERVICE", Value::kService, "only events of this service"},
    Option{"--backend", "BACKEND", Value::kBackend,
           "only events of this backend; without SERVICE/ of every one with that name"}};
inline constexpr std::array kEventsExamples{
    Example{"hawserctl events --last 50", "what has happened of late?"},
    Example{"hawserctl events --follow --json | notify-someone", "for a program, line by line"}};

inline constexpr std::array kCheckPositionals{
    Positional{"FILE", true, Value::kPath, "the configuration; - reads standard input"}};
inline constexpr std::array kCheckExamples{
    Example{"hawserctl check /etc/hawser/hawser.toml", "is the edited file good?"},
    Example{"hawserctl check - --json < hawser.toml", "before it is sent to any server"}};

inline constexpr std::array kKeysPositionals{
    Positional{"ACTION", false, Value::kAction, "rotate: a new key signs, the last one counts"}};
inline constexpr std::array kKeysOptions{
    kDryRun,
    Option{"--reason", "TEXT", Value::kText, "why; shown by keys and history to everybody"},
    Option{"--force", "", Value::kFlag,
           "rotate also where the guard refuses, and unpin users by it; is written down"},
    kWaitConfirmed};
inline constexpr std::array kKeysExamples{
    Example{"hawserctl keys", "which key signs session cookies, and since when?"},
    Example{"hawserctl keys rotate --reason 'quarterly'", "nobody is unpinned"}};

inline constexpr std::array kHistoryOptions{
    Option{"--service", "SERVICE", Value::kService, "only changes of this service's backends"},
    Option{"--backend", "BACKEND", Value::kBackend,
           "only changes of this backend; without SERVICE/ of every one with that name"},
    Option{"--limit", "N", Value::kNumber, "the newest N, at most 1000; default 20", 1,
           limits::kMaxHistoryEntries}};
inline constexpr std::array kHistoryExamples{
    Example{"hawserctl history", "what was changed of late, by whom and why?"},
    Example{"hawserctl history --backend web/b1 --limit 100", "what has become of b1?"},
    Example{"hawserctl history --service web --json", "for the report of an incident"}};

inline constexpr std::array kExplainPositionals{
    Positional{"SERVICE", true, Value::kService, "a service with forward splice"},
    Positional{"PATH", false, Value::kRequestTarget, "of the request, with its query; default /"}};
inline constexpr std::array kExplainOptions{
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
inline constexpr std::array kWhyExamples{
    Example{"hawserctl why shop /cart --cookie 'hawser=BAE…'", "where does this user go, and why?"},
    Example{"hawserctl why mail --sni imap.example.net", "the same for a TLS service"},
    Example{"hawserctl why shop --file head.txt", "a request as it was captured"}};
inline constexpr std::array kTraceExamples{Example{
    "hawserctl trace shop /cart --header 'User-Agent: test'", "every step of the decision"}};

inline constexpr std::array kVersionExamples{
    Example{"hawserctl version", "of hawserctl, hawserd and the dataplane"}};

inline constexpr std::array kCompletionPositionals{
    Positional{"SHELL", false, Value::kShell, "bash, zsh or fish; default bash"}};
inline constexpr std::array kCompletionExamples{
    Example{"hawserctl completion > /etc/bash_completion.d/hawserctl", "install it by hand"},
    Example{"hawserctl completion zsh > /usr/local/share/zsh/site-functions/_hawserctl", "for zsh"},
    Example{"hawserctl completion fish > /etc/fish/completions/hawserctl.fish", "for fish"}};

}  // namespace hawser::ctl::syntax
