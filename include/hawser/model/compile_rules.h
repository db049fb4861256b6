// Compiles the patterns of a service's rules into one database of Hyperscan.
//
// A library of its own (rules_compiler_dep in src/meson.build): the dataplane does not compile, and
// what it runs must not depend on a compiler.
#pragma once

#include <vector>

#include "hawser/model/rule_patterns.h"

namespace hawser::model {

// For processors of this kind, as hawserd and the dataplane run on the same machine. Takes a tenth
// of a second for a thousand texts and some 5 ms for each regular expression. Reports every pattern
// that is none, with Hyperscan's reason; positions in it count from the beginning of the pattern's
// text.
[[nodiscard]] CompiledRules compile_rules(const std::vector<Rule>& rules);

}  // namespace hawser::model
