// docs/reference/hawserctl.md, made from the tables of commands and of JSON keys.
#pragma once

#include <string>

namespace hawser::ctl {

[[nodiscard]] std::string reference_page();

}  // namespace hawser::ctl
