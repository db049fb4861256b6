// Maps anonymous memory, in huge pages first.
#include "dataplane/mapping.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace hawser::dataplane {
namespace {

constexpr std::size_t kHugePage = 2U << 20;
constexpr std::size_t kSmallPage = 4096;

std::size_t round_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

void* map(std::size_t bytes, int flags) {
  void* address =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  return address == MAP_FAILED ? nullptr : address;
}

}  // namespace

Mapping::~Mapping() {
  if (address_ != nullptr) munmap(address_, bytes_);
}

Mapping::Mapping(Mapping&& other) noexcept
    : address_(std::exchange(other.address_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      huge_(other.huge_) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(address_, other.address_);
  std::swap(bytes_, other.bytes_);
  std::swap(huge_, other.huge_);
  return *this;
}

Result<Mapping> Mapping::create(std::size_t bytes, Pages pages) {
  Mapping mapping;
  mapping.bytes_ = round_up(bytes == 0 ? 1 : bytes, kHugePage);
  if (pages == Pages::kHugeIfFree) {
    mapping.address_ = map(mapping.bytes_, MAP_HUGETLB);
    mapping.huge_ = mapping.address_ != nullptr;
  }
  if (mapping.address_ == nullptr) {
    mapping.address_ = map(mapping.bytes_, MAP_NORESERVE);
    if (mapping.address_ == nullptr) {
      return fail("no " + std::to_string(bytes >> 20) + " MiB of memory for tables: " +
                  std::strerror(errno) + "; lower flows_ipv4 and flows_ipv6");
    }
    if (pages == Pages::kHugeIfFree) madvise(mapping.address_, mapping.bytes_, MADV_HUGEPAGE);
  }
  return mapping;
}

void Mapping::touch() noexcept {
  auto* bytes = static_cast<volatile unsigned char*>(address_);
  const std::size_t step = huge_ ? kHugePage : kSmallPage;
  for (std::size_t at = 0; at < bytes_; at += step) bytes[at] = 0;
}

}  // namespace hawser::dataplane
