// Is all well? One word and one line for the whole of a status reply.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api.h"

namespace hawser::ctl {

enum class Severity : std::uint8_t { kOk, kWarning, kCritical };

[[nodiscard]] std::string_view to_string(Severity severity) noexcept;

// The worst of the problems. A dataplane that is not connected is critical also when no problem
// says so.
[[nodiscard]] Severity severity_of(const rpc::StatusReply& status);

// "OK: 2 services, 6 of 6 backends serve, 12.3 k flows", "CRITICAL: 1 critical, 2 warnings".
[[nodiscard]] std::string headline(const rpc::StatusReply& status);

}  // namespace hawser::ctl
