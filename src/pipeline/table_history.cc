// Follows the tables of services from snapshot to snapshot.
#include "hawser/pipeline/table_history.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace hawser::pipeline {
namespace {

BackendId owner_of(const table::Maglev& table, std::span<const BackendId> ids, std::uint32_t slot) {
  const std::uint16_t owner = table.owner(slot);
  return owner == table::Maglev::kNobody || owner >= ids.size() ? BackendId() : ids[owner];
}

}  // namespace

TableHistory::Step TableHistory::step(const table::Maglev* before, std::uint32_t slots,
                                      std::vector<table::Member> members) {
  if (before == nullptr || before->slots() != slots) {
    return {.table = table::Maglev::build(std::move(members), slots), .slots_moved = slots};
  }
  if (std::equal(members.begin(), members.end(), before->members().begin(),
                 before->members().end())) {
    return {};
  }
  auto table = table::Maglev::update(*before, std::move(members));
  const std::uint64_t moved = table->moved_from(*before);
  return {.table = std::move(table), .slots_moved = moved};
}

const TableHistory::Current& TableHistory::next(ServiceId service, Step made,
                                                std::span<const BackendId> ids,
                                                std::uint32_t now_ms) {
  Entry& entry = services_[service];
  Current& current = entry.current;
  if (made.table != nullptr &&
      (current.table == nullptr || current.table->slots() != made.table->slots())) {
    entry = Entry{};
    current.table = std::move(made.table);
    current.changed_ms = now_ms;
  } else if (made.table != nullptr) {
    remember(entry, *made.table, ids, now_ms);
    mark(entry, std::move(made.table));
    current.changed_ms = now_ms;
    current.first_build = false;
  }
  entry.ids.assign(ids.begin(), ids.end());
  return current;
}

// One pass over the slots beside what is known of them: half of a table may change at once.
void TableHistory::remember(Entry& entry, const table::Maglev& next, std::span<const BackendId> ids,
                            std::uint32_t now_ms) {
  std::vector<Before> remembered;
  auto old = entry.before.begin();
  for (std::uint32_t slot = 0; slot < next.slots(); ++slot) {
    std::optional<Before> known;
    if (old != entry.before.end() && old->slot == slot) {
      known = *old++;
      if (now_ms - known->since_ms > limits::kPreviousOwnerMilliseconds) known.reset();
    }
    const BackendId before = owner_of(*entry.current.table, entry.ids, slot);
    const BackendId after = owner_of(next, ids, slot);
    if (before != after) {
      if (before != BackendId()) known = Before{slot, before, now_ms};
      // A slot that returns to its old owner has no other to remember.
      if (known && known->owner == after) known.reset();
    }
    if (known) remembered.push_back(*known);
  }
  entry.before = std::move(remembered);
}

void TableHistory::mark(Entry& entry, std::shared_ptr<const table::Maglev> table) {
  std::vector<std::uint32_t> slots;
  std::vector<std::pair<table::SlotKey, BackendId>> owners;
  slots.reserve(entry.before.size());
  owners.reserve(entry.before.size());
  for (const Before& before : entry.before) {
    slots.push_back(before.slot);
    owners.push_back({{before.slot}, before.owner});
  }
  entry.current.table = slots.empty() ? std::move(table) : table::Maglev::marked(*table, slots);
  entry.current.previous = slots.empty() ? nullptr : std::make_shared<const PreviousOwners>(owners);
}

void TableHistory::prime(ServiceId service, std::shared_ptr<const table::Maglev> table) {
  services_[service].current = {
      .table = std::move(table), .previous = nullptr, .first_build = false};
}

const TableHistory::Current* TableHistory::find(ServiceId service) const {
  const auto entry = services_.find(service);
  return entry == services_.end() ? nullptr : &entry->second.current;
}

void TableHistory::forget(ServiceId service, std::span<const BackendId> backends) {
  const auto found = services_.find(service);
  if (found == services_.end()) return;
  Entry& entry = found->second;
  const std::size_t erased = std::erase_if(entry.before, [&](const Before& before) {
    return std::binary_search(backends.begin(), backends.end(), before.owner);
  });
  if (erased > 0) mark(entry, entry.current.table);
}

}  // namespace hawser::pipeline
