// TableHistory: the table of each service over time, and who owned what before.
//
// A table follows from the one before with the fewest moves, so its past matters. The owners that
// slots had before their last change are kept for a while: a packet of a flow from before the
// change that nobody has a record of goes there. Main core only; allocates.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "hawser/base/strong.h"
#include "hawser/pipeline/snapshot.h"
#include "hawser/table/maglev.h"

namespace hawser::pipeline {

class TableHistory {
 public:
  struct Current {
    std::shared_ptr<const table::Maglev> table;
    std::shared_ptr<const PreviousOwners> previous;  // null: no slot is marked
    std::uint32_t changed_ms = 0;
    bool first_build = true;  // it follows from the members alone
  };

  // What becomes of a table.
  struct Step {
    std::shared_ptr<const table::Maglev> table;  // null: it stays as it is
    std::uint64_t slots_moved = 0;
  };
  // For these members; `before` null: there is none yet.
  [[nodiscard]] static Step step(const table::Maglev* before, std::uint32_t slots,
                                 std::vector<table::Member> members);

  // The table of `service` after a step from the one it has; `ids` by the order of its members.
  const Current& next(ServiceId service, Step made, std::span<const BackendId> ids,
                      std::uint32_t now_ms);

  // What ran before this process did; the next table follows from it.
  void prime(ServiceId service, std::shared_ptr<const table::Maglev> table);
  // Null for a service that has no table.
  [[nodiscard]] const Current* find(ServiceId service) const;

  void forget(ServiceId service) { services_.erase(service); }
  // The ids (in order) go to other backends: they may be nobody's previous owner any more. One pass
  // for all of them, however many.
  void forget(ServiceId service, std::span<const BackendId> backends);

 private:
  // Who owned a slot.
  struct Before {
    std::uint32_t slot = 0;
    BackendId owner;
    std::uint32_t since_ms = 0;
  };
  struct Entry {
    Current current;
    std::vector<BackendId> ids;  // by member
    std::vector<Before> before;  // by rising slot
  };

  static void remember(Entry& entry, const table::Maglev& next, std::span<const BackendId> ids,
                       std::uint32_t now_ms);
  static void mark(Entry& entry, std::shared_ptr<const table::Maglev> table);

  std::map<ServiceId, Entry> services_;
};

}  // namespace hawser::pipeline
