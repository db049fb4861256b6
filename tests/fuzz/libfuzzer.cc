// libFuzzer's entry point for whichever target it is linked with.
#include <cstddef>

#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,  // NOLINT: the name is libFuzzer's
                                      std::size_t size) {
  fuzz_one({data, size});
  return 0;
}
