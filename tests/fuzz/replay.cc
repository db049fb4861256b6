// Runs a target over its corpus and over mutations of it: the fuzz target as an ordinary test.
//
// Usage: replay CORPUS MUTATIONS. One line of TAP for each file; mutations come from a fixed seed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "target.h"

namespace {

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void mutate(std::vector<std::uint8_t>& bytes, std::mt19937& random) {
  if (bytes.empty()) return;
  for (auto changes = 1 + random() % 4; changes > 0; --changes) {
    const std::size_t at = random() % bytes.size();
    switch (random() % 4) {
      case 0:
        bytes[at] = static_cast<std::uint8_t>(random());
        break;
      case 1:
        bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1U << (random() % 8)));
        break;
      case 2:
        bytes.resize(at + 1);
        break;
      default:
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                     static_cast<std::uint8_t>(random()));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s CORPUS MUTATIONS\n", argv[0]);
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  const int mutations = std::atoi(argv[2]);
  std::printf("1..%zu\n", files.size());
  std::mt19937 random(1);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::vector<std::uint8_t> original = read_file(files[i]);
    fuzz_one(original);
    for (int m = 0; m < mutations; ++m) {
      std::vector<std::uint8_t> mutated = original;
      mutate(mutated, random);
      fuzz_one(mutated);
    }
    std::printf("ok %zu - %s and %d mutations\n", i + 1, files[i].filename().c_str(), mutations);
    std::fflush(stdout);
  }
  return files.empty() ? 1 : 0;
}
