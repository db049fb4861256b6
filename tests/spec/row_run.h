// RowRun: one row, step by step, and what was not as it says.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "frame_pool.h"
#include "script.h"
#include "world.h"

namespace hawser::spec {

// Who finds out about the packets: whoever comes first, as in the dataplane, or the stages alone,
// without recognise and carry.
enum class By { kAnybody, kStages };

// Runs a row; returns a line for each difference, none when all was as the row says.
[[nodiscard]] std::vector<std::string> run_row(const Row& row, FramePool& pool, By by);

}  // namespace hawser::spec
