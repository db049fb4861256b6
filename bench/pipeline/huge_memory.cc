// Maps memory in reserved huge pages, or in transparent ones.
#include "huge_memory.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>

namespace hawser::bench {
namespace {

constexpr std::size_t kHugePage = 2U << 20;
bool without_reserved = false;

void* map(std::size_t bytes, int flags) {
  void* address =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  return address == MAP_FAILED ? nullptr : address;
}

void warn_once(std::size_t bytes) {
  if (without_reserved) return;
  without_reserved = true;
  std::fprintf(stderr,
               "hawser-bench: no %zu MiB of reserved huge pages are free, so figures may be worse; "
               "write a number of 2 MiB pages to /proc/sys/vm/nr_hugepages\n",
               bytes >> 20);
}

}  // namespace

HugeMemory::HugeMemory(std::size_t bytes) : bytes_((bytes + kHugePage) / kHugePage * kHugePage) {
  address_ = map(bytes_, MAP_HUGETLB);
  if (address_ == nullptr) {
    warn_once(bytes_);
    address_ = map(bytes_, 0);
    if (address_ == nullptr) {
      throw std::runtime_error("no " + std::to_string(bytes_ >> 20) +
                               " MiB of memory; ask for fewer flows or a smaller --capacity");
    }
    madvise(address_, bytes_, MADV_HUGEPAGE);
  }
  std::memset(address_, 0, bytes_);
}

HugeMemory::~HugeMemory() {
  munmap(address_, bytes_);
}

bool HugeMemory::all_huge() noexcept {
  return !without_reserved;
}

}  // namespace hawser::bench
