// The splicing stage between model TCPs and a hostile network, from many seeds.
//
// Usage: splice_test RUNS SEED. The environment's HAWSER_SPLICE_RUNS and HAWSER_SPLICE_SEED come
// before the arguments; with HAWSER_SPLICE_TRACE each segment is printed. A failure names the
// command that repeats it.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "splice/world.h"

namespace {

using hawser::simulation::Choices;
using hawser::simulation::Ledger;
using hawser::simulation::Scenario;
using hawser::simulation::World;

std::uint64_t number(const char* variable, const char* argument) {
  const char* value = std::getenv(variable);
  return std::strtoull(value != nullptr ? value : argument, nullptr, 10);
}

using Counts = std::map<std::string, std::uint64_t>;

bool run(std::uint64_t seed, hawser::spec::FramePool& pool, Counts& counts) {
  Choices choices(seed);
  const Scenario scenario = draw_scenario({}, choices);
  World world(scenario, choices, pool);
  world.trace(std::getenv("HAWSER_SPLICE_TRACE") != nullptr);
  const auto violations = world.run();
  for (const auto& [name, count] : world.ledger().counts) counts[name] += count;
  for (const auto& info : hawser::pipeline::kVerdictTable) {
    const std::uint64_t count = world.balancer().count_of(info.verdict);
    if (count != 0) counts["verdict " + std::string(info.name)] += count;
  }
  if (violations.empty()) return true;
  std::printf("# seed %llu: %s\n", static_cast<unsigned long long>(seed), scenario.text().c_str());
  for (const std::string& violation : violations) std::printf("# %s\n", violation.c_str());
  std::printf("# repeat with: splice_test 1 %llu\n", static_cast<unsigned long long>(seed));
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s RUNS SEED\n", argv[0]);
    return 2;
  }
  const std::uint64_t runs = number("HAWSER_SPLICE_RUNS", argv[1]);
  const std::uint64_t first = number("HAWSER_SPLICE_SEED", argv[2]);
  std::printf("1..1\n");
  hawser::spec::FramePool pool;
  Counts counts;
  std::uint64_t failed = 0;
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    if (!run(seed, pool, counts)) ++failed;
    std::fflush(stdout);
  }
  for (const auto& [name, count] : counts) {
    std::printf("# %s: %llu\n", name.c_str(), static_cast<unsigned long long>(count));
  }
  std::printf("%s 1 - %llu runs of connections through a hostile network, %llu failed\n",
              failed == 0 ? "ok" : "not ok", static_cast<unsigned long long>(runs),
              static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}
