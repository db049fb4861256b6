// Asks for the cache line at an address, before it is needed.
#pragma once

namespace hawser {

// Of memory that will be read and perhaps written. Never faults; costs a slot of the core's line
// buffers. The empty statement keeps GCC from taking a function that does nothing else for one
// without effect, and leaving its calls out.
inline void prefetch_line(const void* at) noexcept {
  __builtin_prefetch(at, 1, 3);
  asm volatile("");
}

}  // namespace hawser
