// The keys of --json as data: what the reference page says and what a test holds the code to.
#pragma once

#include <span>
#include <string_view>

#include "commands.h"

namespace hawser::ctl {

struct JsonField {
  std::string_view key;   // path with [] for each element: backends[].flows
  std::string_view type;  // number, string, boolean
  std::string_view help;
};

// Empty for verbs that print no JSON.
[[nodiscard]] std::span<const JsonField> json_fields(VerbId verb) noexcept;

}  // namespace hawser::ctl
