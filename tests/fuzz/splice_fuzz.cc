// Fuzz target: the splicing stage between model TCPs; the input decides what they and the network
// do.
//
// Input: bytes that are read one after the other wherever something is chosen: the services, the
// ends and their plans first, then the fate of each segment. Behind the last byte nothing happens
// to segments any more, and everything must come to its end.
#include <cstdio>
#include <cstdlib>

#include "splice/world.h"
#include "target.h"

void fuzz_one(std::span<const std::uint8_t> input) {
  using namespace hawser::simulation;
  static hawser::spec::FramePool pool;
  Choices choices(input);
  Scenario scenario = draw_scenario({.clients = 2, .requests = 3, .largest = 5'000}, choices);
  choose_wires(scenario);
  World world(scenario, choices, pool);
  world.trace(std::getenv("HAWSER_SPLICE_TRACE") != nullptr);
  const auto violations = world.run();
  if (violations.empty()) return;
  std::printf("# %s\n", scenario.text().c_str());
  for (const std::string& violation : violations) std::printf("# %s\n", violation.c_str());
  std::printf("# repeat with this input in a file, from hex by xxd -r -p:\n# ");
  for (const std::uint8_t byte : input) std::printf("%02x", byte);
  std::printf("\n");
  std::fflush(stdout);
  std::abort();
}
