// The Set-Cookie line that waits for the response of a request.
#pragma once

#include "hawser/pipeline/decide.h"
#include "side.h"

namespace hawser::pipeline {

// Writes the line for the decided session; without a free text the response gets none, and the
// next one will. Of a session that needs no line it keeps what rename_home would have to know.
void prepare_cookie(const Side& client, const Decision& decision, Context& context) noexcept;

// The request went to another backend than the cookie says, since its home refused.
void rename_home(const Side& client, BackendId backend, Context& context) noexcept;

// The line that waits, with CRLF; empty: none.
[[nodiscard]] std::string_view cookie_line(const Side& client, WorkerState& worker) noexcept;

}  // namespace hawser::pipeline
