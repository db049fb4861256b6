// Turns a spliced service's configuration into what workers read.
#pragma once

#include <map>

#include "hawser/base/result.h"
#include "hawser/pipeline/snapshot_builder.h"

namespace hawser::pipeline {

// What is wrong with a service's splicing: settings that do not go together, backends or
// generations that cookies could not tell apart.
[[nodiscard]] Result<void> check_splice(const model::Service& service, const SpliceKeys& keys);

// The entry without homes and counters. `known` are its rules if they were made before, else they
// are made; refused: a database of rules that does not fit.
[[nodiscard]] Result<std::shared_ptr<SpliceService>> splice_settings(
    const model::Service& service, const SpliceKeys& keys, std::uint16_t workers,
    std::shared_ptr<const l7::RuleSet> known);

}  // namespace hawser::pipeline
