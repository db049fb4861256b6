// Reads the keys of a service that is spliced: how requests are read, and its cookie.
#pragma once

#include <string>
#include <string_view>

#include "hawser/model/table_reader.h"

namespace hawser::model {

// h2c, head_timeout and error_body.
void read_splice(TableReader& reader, Splice& out);

// Checks each value by itself.
void read_cookie(const Node& table, const std::string& where, Cookie& out,
                 Diagnostics& diagnostics);

// Letters, digits and the signs that names of headers, cookies and methods may have (RFC 9110
// section 5.6.2).
[[nodiscard]] bool is_token(std::string_view text) noexcept;

}  // namespace hawser::model
