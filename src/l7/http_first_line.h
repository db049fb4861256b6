// The first line of a head: request line (RFC 9112 section 3) or status line (section 4).
#pragma once

#include "http_authority.h"
#include "http_cursor.h"

namespace hawser::l7 {

// Reads the line at the cursor and passes over it. Of `out` the fields are written that the line
// says, of `authority` what the target names.
[[nodiscard]] HeadResult read_request_line(Cursor& cursor, RequestHead& out,
                                           TargetAuthority& authority) noexcept;
[[nodiscard]] HeadResult read_status_line(Cursor& cursor, ResponseHead& out) noexcept;

}  // namespace hawser::l7
