// What the reference page and the manual page say of all verbs together; code is in backticks.
#pragma once

#include <string_view>

namespace hawser::ctl {

inline constexpr std::string_view kIntroduction =
    "`hawserctl [OPTIONS] VERB …` asks and tells hawserd over its socket. Every verb that changes "
    "something is idempotent: said twice, the second time changes nothing and succeeds; but for "
    "`keys rotate`, where a guard refuses the second time. Backends are named `SERVICE/BACKEND`, "
    "or `BACKEND` alone where that name is unique.";

inline constexpr std::string_view kErrorsText =
    "Errors go to standard error as `hawserctl: what: what to do`; with `--json` as "
    "`{\"error\": {\"code\": 3, \"kind\": \"refused\", \"message\": …, \"advice\": …}}`, where "
    "kind is failed, usage, refused, timed_out or unreachable.";

inline constexpr std::string_view kJsonText =
    "Numbers are numbers, moments are seconds since 1970 (`…_unix`, 0: unknown), sizes are bytes, "
    "shares run from 0 to 1, and every key is always there. Keys are only ever added. Counters "
    "rise since the start of the dataplane.";

}  // namespace hawser::ctl
