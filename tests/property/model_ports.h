// The model's local ports of one NAT address on one worker: oldest release first.
//
// Several ports may be released in an order that only the layout of the flow table knows. Such
// ports form a pool: it is known how many come next from it, but not which.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <set>
#include <span>
#include <vector>

namespace hawser::property {

class ModelPorts {
 public:
  // All local ports of worker `self`, given out from the `start`th on.
  ModelPorts(std::uint16_t workers, std::uint16_t self, std::uint32_t start);

  // May another be given out? Some always rest.
  [[nodiscard]] bool available() const noexcept;
  // The ports that may be given out next.
  [[nodiscard]] const std::set<std::uint16_t>& next() const { return *free_.front().pool; }
  // Takes one of next().
  void take(std::uint16_t port);
  void release(std::uint16_t port);
  // Released in an unknown order.
  void release(std::span<const std::uint16_t> ports);
  // The next one is taken and released at once, unseen.
  void pass();

  // From here to settle(), the order of releases may turn out to be unknown.
  void begin() noexcept { releases_ = 0; }
  // `mixed`: releases since begin() were in an unknown order.
  void settle(bool mixed);

 private:
  using Pool = std::shared_ptr<std::set<std::uint16_t>>;
  // `count` ports come from `pool`; the others of it are due elsewhere in the queue.
  struct Due {
    Pool pool;
    std::size_t count;
  };

  Pool take_from_front();
  void append(Pool pool, std::size_t count);

  std::list<Due> free_;
  std::size_t count_ = 0;
  std::size_t releases_ = 0;  // entries at the tail since begin()
};

}  // namespace hawser::property
