// The tables of verbs, options, sort keys and exit codes.
#include "commands.h"

#include <array>

#include "capture_syntax.h"
#include "command_options.h"

namespace hawser::ctl {
namespace {

using namespace syntax;  // NOLINT: both are one table

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
         "One row a service. State is ok (every backend serves), degraded (some do), panic (none "
         "does, "
         "since all that should are unhealthy) or down (none does for another reason). Below, what "
         "each bears and whom it lets in, prefix lists with how many prefixes they have; then what "
         "it does when backends come, fail and leave.",
         kServicesPositionals,
         {},
         kServicesExamples},
    Verb{
        VerbId::kBackends, "backends", "List backends with state, weight, health and traffic.",
        "One row a backend. State is ready, starting, draining, down or maintenance, and ENDS when "
        "that ends by itself; a weight that differs from the file's is shown with the file's, and "
        "with what slow start and the backend's agent leave of it now.",
        kBackendsPositionals, kBackendsOptions, kBackendsExamples},
    Verb{VerbId::kWeight, "weight", "Set a backend's weight, or give it back to the file.",
         "New flows follow the new weight; established flows stay where they are. There is no "
         "weight 0: say drain (no new flows) or maintenance (no traffic). The weight survives "
         "restarts and reloads until --file.",
         kWeightPositionals, kWeightOptions, kWeightExamples, true},
    Verb{VerbId::kDrain, "drain", "Send a backend no new flows; the old ones stay.",
         "The backend is in state draining until ready or maintenance is said: whoever has a flow "
         "or "
         "a session cookie stays. With --by sessions are let go evenly until the deadline, and "
         "what is left then is ended, spread over --jitter; --forever keeps it. A drain that is "
         "said again takes the new terms, and none without --by. The guards of the service may "
         "refuse (exit 3, with the numbers). With --wait the command returns when its last flow "
         "has ended; connections that are over count no more.",
         kDrainPositionals, kDrainOptions, kDrainExamples, true},
    Verb{VerbId::kReady, "ready", "Give a backend traffic again.",
         "Ends a drain or a maintenance. Health still decides: a backend whose check fails stays "
         "down.",
         kModePositionals, kReadyOptions, kReadyExamples, true},
    Verb{
        VerbId::kMaintenance, "maintenance", "Take a backend out of all traffic at once.",
        "No new flows, and its established flows are reset or moved at once, as on_down of the "
        "service says. To spare them, drain first. With --for it ends by itself. The guards of the "
        "service may refuse (exit 3, with the numbers).",
        kModePositionals, kMaintenanceOptions, kMaintenanceExamples, true},
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
         "did with weight, drain and maintenance stays, and so do the flows of all that did not "
         "change.",
         {},
         kReloadOptions,
         kReloadExamples,
         true},
    Verb{VerbId::kPlan,
         "plan",
         "What would this change do? Exactly VERB … --dry-run.",
         "Prints what would change, what the guards of the service say, and for every backend of "
         "the services it touches its state, its share of new flows and its flows before and "
         "after. Exits 3 when a guard would refuse it. The JSON is that of the verb.",
         kPlanPositionals,
         {},
         kPlanExamples},
    Verb{VerbId::kEvents,
         "events",
         "What happened, and what happens.",
         "One line an event, oldest first: states of backends, panic, changes, reloads, rotations "
         "of keys, and the dataplane's coming and going. hawserd remembers the newest 10000 since "
         "its start; history keeps changes for longer. With --follow it goes on: Ctrl-C ends it "
         "with 0, and it exits 5 when hawserd goes. The filters apply together. With --json each "
         "line is one object.",
         {},
         kEventsOptions,
         kEventsExamples},
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
    Verb{
        VerbId::kHistory,
        "history",
        "Show who changed what, when and why.",
        "One row a change, newest first: weights, drains, maintenances and their ends, reloads and "
        "rotations of keys, by operators or by hawserd itself; WHY is their --reason. A change "
        "that the dataplane refused has a second row that takes it back. It survives restarts, "
        "and names that have left the configuration file are still found. Of a reload it says "
        "who did it and how much it changed. The filters apply together.",
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
constexpr std::array<std::string_view, 6> kPlanned{"weight",      "drain",  "ready",
                                                   "maintenance", "reload", "keys"};
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
    ExitMeaning{3, "refused by a guard or by the dataplane; nothing changed. Of a plan: would be"},
    ExitMeaning{4, "not finished within --timeout; what was asked for stays in force"},
    ExitMeaning{5, "hawserd is not reachable, or went while it was followed"},
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
  if (value == Value::kPlanned) return kPlanned;
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
