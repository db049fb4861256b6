// What every fuzz target defines, and how libFuzzer and the replay call it.
#pragma once

#include <cstdint>
#include <span>

// Handles one input. Must not crash, leak or break a contract on any.
void fuzz_one(std::span<const std::uint8_t> input);
