// Helpers: threads beside the main core, for what takes long and cannot wait.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace hawser::dataplane {

// Calls `work` with each number below `count`, here and on a thread on each of `cores`, and returns
// when all calls have. Where a thread cannot be had or put on its core, the others do its part.
void spread(std::span<const unsigned> cores, std::size_t count,
            const std::function<void(std::size_t)>& work);

}  // namespace hawser::dataplane
