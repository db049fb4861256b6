// Names by id, for people and queries: copies share what they have in common.
//
// Kept in chunks that copies share until one of them changes a name in it, so that a snapshot of
// 100 000 names costs a pointer for each kChunk of them. Threading: all copies belong to one
// thread.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "hawser/base/contract.h"

namespace hawser::pipeline {

class Names {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // Empty where nobody has the id. `id` is below size().
  [[nodiscard]] const std::string& operator[](std::size_t id) const {
    HAWSER_REQUIRE(id < size_);
    return (*chunks_[id / kChunk])[id % kChunk];
  }
  // Grows to hold `id`.
  void set(std::size_t id, const std::string& name) {
    if (id >= size_) size_ = id + 1;
    while (chunks_.size() * kChunk < size_) chunks_.push_back(std::make_shared<Chunk>());
    std::shared_ptr<Chunk>& chunk = chunks_[id / kChunk];
    if ((*chunk)[id % kChunk] == name) return;
    if (chunk.use_count() > 1) chunk = std::make_shared<Chunk>(*chunk);
    (*chunk)[id % kChunk] = name;
  }

 private:
  static constexpr std::size_t kChunk = 64;
  using Chunk = std::array<std::string, kChunk>;

  std::vector<std::shared_ptr<Chunk>> chunks_;
  std::size_t size_ = 0;
};

}  // namespace hawser::pipeline
