// The keys of --json of what changes something, and of what tells of it.
#pragma once

#include <array>
#include <cstddef>

#include "json_fields.h"

namespace hawser::ctl::keys {

inline constexpr std::array kPlan{
    JsonField{"plan.guards[].service", "string", "of what operators change, not of reloads"},
    JsonField{"plan.guards[].guard", "string", "max_draining or min_ready"},
    JsonField{"plan.guards[].limit", "number", "backends"},
    JsonField{"plan.guards[].before", "number", "backends that leave, or that serve"},
    JsonField{"plan.guards[].after", "number", "the same then"},
    JsonField{"plan.guards[].refused", "boolean", "without --force"},
    JsonField{"plan.backends[].service", "string", "every backend of the services that change"},
    JsonField{"plan.backends[].backend", "string", ""},
    JsonField{"plan.backends[].state_before", "string", "empty: it was not there"},
    JsonField{"plan.backends[].state_after", "string", "empty: it is gone"},
    JsonField{"plan.backends[].share_before", "number", "of new flows, by weight"},
    JsonField{"plan.backends[].share_after", "number", ""},
    JsonField{"plan.backends[].flows", "number", "live now; this and the next with measured only"},
    JsonField{"plan.backends[].flows_broken", "number", "that would be ended"},
    JsonField{"plan.backends[].slots_before", "number", "of the table that spreads new flows"},
    JsonField{"plan.backends[].slots_after", "number", ""},
    JsonField{"plan.backends[].flows_after", "number",
              "projected: when the live flows have turned over"},
    JsonField{"plan.measured", "boolean", "a dry run, and the dataplane has answered"},
    JsonField{"plan.slots_moved", "number", "over all services"},
    JsonField{"plan.flows_broken", "number", "over all services"},
    JsonField{"plan.not_measured", "string", "why not; empty with measured"},
};

inline constexpr std::array kOwnOfChange{
    JsonField{"changed", "boolean", "false: it was so already, or --dry-run"},
    JsonField{"confirmed", "boolean", "the dataplane runs with it"},
    JsonField{"changes[].service", "string", ""},
    JsonField{"changes[].backend", "string", ""},
    JsonField{"changes[].field", "string", "what changed"},
    JsonField{"changes[].before", "string", ""},
    JsonField{"changes[].after", "string", ""},
    JsonField{"epoch", "number", "confirmed by the dataplane; 0: not confirmed"},
    JsonField{"dry_run", "boolean", "nothing was changed"},
    JsonField{"note", "string", "what else is worth knowing"},
};

inline constexpr std::array kOwnOfReload{
    JsonField{"changed", "boolean", "false: nothing to change, --dry-run, or refused"},
    JsonField{"confirmed", "boolean", "the dataplane runs with it"},
    JsonField{"changes[].service", "string", "or the name of a prefix list"},
    JsonField{"changes[].backend", "string", "empty: the service itself"},
    JsonField{"changes[].field", "string", "what changed"},
    JsonField{"changes[].before", "string", ""},
    JsonField{"changes[].after", "string", ""},
    JsonField{"epoch", "number", "confirmed by the dataplane; 0: not confirmed"},
    JsonField{"diagnostics[]", "string", "what is wrong with the file; then exit code 1"},
    JsonField{"notes[]", "string", "what takes effect at the next start only"},
    JsonField{"dry_run", "boolean", "nothing was changed"},
};

// One table behind the other.
template <std::size_t A, std::size_t B>
constexpr std::array<JsonField, A + B> both(const std::array<JsonField, A>& first,
                                            const std::array<JsonField, B>& second) {
  std::array<JsonField, A + B> all{};
  for (std::size_t i = 0; i < A; ++i) all[i] = first[i];
  for (std::size_t i = 0; i < B; ++i) all[A + i] = second[i];
  return all;
}

inline constexpr auto kChange = both(kOwnOfChange, kPlan);
inline constexpr auto kReload = both(kOwnOfReload, kPlan);

inline constexpr std::array kKeys{
    JsonField{"changed", "boolean", "rotate only; false: --dry-run"},
    JsonField{"confirmed", "boolean", "rotate only; the dataplane runs with it"},
    JsonField{"keys[].id", "number", "0 to 15"},
    JsonField{"keys[].use", "string", "signs or counts"},
    JsonField{"keys[].since_unix", "number", "when it began to sign"},
    JsonField{"keys[].author", "string", "who rotated to it"},
    JsonField{"keys[].reason", "string", "why"},
    JsonField{"next_rotation_unix", "number", "before it a rotation unpins users; 0: now"},
    JsonField{"epoch", "number", "rotate only; confirmed by the dataplane, 0: not confirmed"},
    JsonField{"dry_run", "boolean", "rotate only; nothing was changed"},
    JsonField{"note", "string", "rotate only; what else is worth knowing"},
};

inline constexpr std::array kHistory{
    JsonField{"history[].at_unix", "number", "when; newest first"},
    JsonField{"history[].author", "string", "who; hawserd: by itself"},
    JsonField{"history[].service", "string", "empty: of no service"},
    JsonField{"history[].backend", "string", "empty: of no backend"},
    JsonField{"history[].field", "string", "what changed: weight, mode, reload or cookie_key"},
    JsonField{"history[].before", "string", "empty: there was none"},
    JsonField{"history[].after", "string", "empty: there is none any more"},
    JsonField{"history[].reason", "string", "why; empty: nobody said"},
    JsonField{"history[].forced", "boolean", "past a guard"},
    JsonField{"truncated", "boolean", "--limit cut the list: there are older ones"},
};

inline constexpr std::array kEvents{
    JsonField{"sequence", "number",
              "rises by one from event to event; one object, on one line, for each"},
    JsonField{"at_unix_ms", "number", "milliseconds since 1970"},
    JsonField{"kind", "string", "state, panic, change, reload, keys, dataplane or snapshot"},
    JsonField{"severity", "string", "info, warning or critical"},
    JsonField{"service", "string", "empty: of none"},
    JsonField{"backend", "string", "empty: of none"},
    JsonField{"text", "string", "what happened, in one line"},
    JsonField{"author", "string", "who; empty: hawserd by itself"},
    JsonField{"reason", "string", "why; empty: nobody said"},
};

}  // namespace hawser::ctl::keys
