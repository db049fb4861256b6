// Regular expressions of rules, prepared so that they can stand behind a line's mark.
#pragma once

#include <string>
#include <string_view>

#include "hawser/base/result.h"

namespace hawser::model {

// What is searched in a value as what follows the line feed before the value. Hyperscan takes a ^
// at the beginning only, and there the mark is; so each alternative that begins with ^ becomes one
// that follows directly, and the others may follow later: `(^|/)a` becomes `(?:a|[^\n]*(?:/a))`.
//
// Refuses, with the reason for the operator: assertions about a whole text, switches that would
// change what the parts mean, and a ^ with something before it. What else is wrong with an
// expression Hyperscan says.
[[nodiscard]] Result<std::string> search_expression(std::string_view text);

}  // namespace hawser::model
