// The manual page hawserctl(8), made from the table of commands.
#pragma once

#include <string>

namespace hawser::ctl {

// In the man macros of roff, UTF-8.
[[nodiscard]] std::string manual_page();

}  // namespace hawser::ctl
