// Drives random packets, changes and pauses through the pipeline and a naive model of it.
//
// Usage: property_test PACKETS SEED [SHAPE]. One line of TAP for each shape of tables. A failure
// names the command that repeats it.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "driver.h"

namespace {

using hawser::property::Driver;
using hawser::property::Shape;
using hawser::property::Tally;
using enum hawser::pipeline::Verdict;

// Each is small in another way.
std::vector<Shape> shapes() {
  return {{.name = "tiny",  // two buckets: all is predicted exactly, even when they are full
           .size = {.ipv4_buckets = 2, .ipv6_buckets = 2},
           .workers = 2,
           .present = {0, 1},
           .clients = 16,
           .client_ports = 1,
           .pause_permille = 400,
           .sweep_permille = 30},
          {.name = "crowded",  // more flows than entries
           .size = {.ipv4_buckets = 16, .ipv6_buckets = 32},
           .workers = 128,
           .present = {7},
           .clients = 32,
           .client_ports = 4,
           .pause_permille = 300,
           .sweep_permille = 20},
          {.name = "exhausted",  // more flows than local ports
           .size = {.ipv4_buckets = 16384, .ipv6_buckets = 32768, .always_room = true},
           .workers = 128,
           .present = {127},
           .clients = 320,
           .client_ports = 8,
           .pause_permille = 12,
           .sweep_permille = 15},
          {.name = "roomy",  // many packets of each flow, two workers that hand off
           .size = {.ipv4_buckets = 1024, .ipv6_buckets = 1024, .always_room = true},
           .workers = 3,
           .present = {0, 2},
           .clients = 24,
           .client_ports = 2,
           .pause_permille = 500,
           .sweep_permille = 100}};
}

void report(const Tally& tally) {
  std::printf(
      "# %llu packets, %llu bursts, %llu snapshots, %llu s, expired %llu, stateless %llu, "
      "to previous owners %llu, reclaimed %llu, spilled %llu\n",
      static_cast<unsigned long long>(tally.packets), static_cast<unsigned long long>(tally.bursts),
      static_cast<unsigned long long>(tally.snapshots),
      static_cast<unsigned long long>(tally.seconds),
      static_cast<unsigned long long>(tally.expired),
      static_cast<unsigned long long>(tally.stateless),
      static_cast<unsigned long long>(tally.to_previous_owners),
      static_cast<unsigned long long>(tally.reclaimed),
      static_cast<unsigned long long>(tally.spilled));
  std::printf("#");
  for (std::size_t i = 0; i < hawser::pipeline::kVerdicts; ++i) {
    if (tally.verdicts[i] == 0) continue;
    std::printf(" %s %llu", hawser::pipeline::kVerdictTable[i].name.data(),
                static_cast<unsigned long long>(tally.verdicts[i]));
  }
  std::printf("\n");
}

void print_lines(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::printf("# %.*s\n", static_cast<int>(end), text.data());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "usage: %s PACKETS SEED [SHAPE]\n", argv[0]);
    return 2;
  }
  const std::uint64_t packets = std::strtoull(argv[1], nullptr, 10);
  const std::uint64_t seed = std::strtoull(argv[2], nullptr, 10);
  const std::vector<Shape> all = shapes();
  const std::uint64_t each = packets / all.size();
  std::printf("1..%zu\n", argc == 4 ? 1 : all.size());
  int failed = 0;
  int number = 0;
  for (const Shape& shape : all) {
    if (argc == 4 && std::string_view(argv[3]) != shape.name) continue;
    Driver driver(shape, seed);
    const bool same = driver.run(each);
    std::printf("%s %d - %s tables behave as the model says\n", same ? "ok" : "not ok", ++number,
                shape.name);
    report(driver.tally());
    if (same) continue;
    print_lines(driver.difference());
    std::printf("# repeat with: property_test %s %s %s\n", argv[1], argv[2], shape.name);
    ++failed;
  }
  return failed == 0 ? 0 : 1;
}
