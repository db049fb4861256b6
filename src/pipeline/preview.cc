// What a snapshot would change: tables by the same steps as the builder's, and the flows it breaks.
#include "hawser/pipeline/preview.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <unordered_map>

#include "hawser/pipeline/snapshot_builder.h"
#include "service_settings.h"

namespace hawser::pipeline {
namespace {

// A flow refers to its backend by these; one that differs in any is another backend.
bool is_same(const model::Backend& a, const model::Backend& b) {
  return a.name == b.name && a.address == b.address && a.port == b.port;
}

// Parts of the flows that it has let go.
std::uint64_t released_by(const model::Backend& backend) {
  return backend.admission == model::Admission::kDraining ? backend.departure.flows : 0;
}

// Of the flows of a backend of `before`, those that would end. `after` null: its service goes.
std::uint64_t broken_of(const model::Backend& backend, std::uint64_t flows,
                        const model::Service* after) {
  // Those of one that is down have ended already, or do at their next packet.
  if (backend.admission == model::Admission::kDown) return 0;
  if (after == nullptr) return flows;
  const auto stays =
      std::find_if(after->backends.begin(), after->backends.end(),
                   [&](const model::Backend& other) { return is_same(backend, other); });
  if (stays == after->backends.end() || stays->admission == model::Admission::kDown) return flows;
  // One that drains lets go of its flows part by part.
  const std::uint64_t gone = released_by(backend);
  const std::uint64_t going = released_by(*stays);
  return going <= gone ? 0 : flows * (going - gone) / (limits::kSlices - gone);
}

std::uint32_t slots_by(const std::unordered_map<std::uint64_t, std::uint32_t>& slots,
                       const std::string& backend) {
  const auto found = slots.find(identity_of(backend));
  return found == slots.end() ? 0 : found->second;
}

// Slots by identity of their owner; `table` may be null.
std::unordered_map<std::uint64_t, std::uint32_t> slots_of(const table::Maglev* table) {
  std::unordered_map<std::uint64_t, std::uint32_t> slots;
  if (table == nullptr) return slots;
  const std::vector<std::uint32_t> counts = table->counts();
  for (std::size_t m = 0; m < counts.size(); ++m) slots[table->members()[m].identity] = counts[m];
  return slots;
}

}  // namespace

std::uint64_t SnapshotBuilder::flows_of(ServiceId service, const model::Backend& backend,
                                        const LiveFlows& live_flows) const {
  const auto known =
      backend_ids_.find(BackendKey(service.value, backend.name, backend.address, backend.port));
  return known == backend_ids_.end() ? 0 : live_flows(known->second.id);
}

Result<Preview> SnapshotBuilder::preview(const model::Desired& candidate,
                                         const LiveFlows& live_flows) const {
  model::Desired desired = candidate;
  if (epoch_ != Epoch()) desired.flow_key = flow_key_;
  const Result<Plan> plan = this->plan(desired);
  if (!plan) return plan.error();
  // A service whose address, port, protocol or way of forwarding changes is another one, but to
  // people it is the one of that name.
  std::map<std::string_view, const model::Service*> gone;
  for (const model::Service* service : plan->gone) gone.emplace(service->name, service);
  Preview preview;
  for (const Change& change : plan->changes) {
    const model::Service* before = change.before;
    if (before != nullptr && *before == *change.service) continue;
    if (before == nullptr) {
      if (const auto moved = gone.extract(change.service->name)) before = moved.mapped();
    }
    preview_change(before, change, live_flows, preview);
  }
  for (const auto& [name, service] : gone) preview_change(service, {}, live_flows, preview);
  return preview;
}

// The rows of one service: of the changed, in its order, then of what only `before` has. One of
// them may be null.
void SnapshotBuilder::preview_change(const model::Service* before, const Change& change,
                                     const LiveFlows& live_flows, Preview& preview) const {
  std::vector<PreviewedBackend> rows;
  const model::Service* const after = change.service;
  if (after != nullptr) {
    const TableHistory::Step& step = change.step;
    const auto slots =
        slots_of(step.table == nullptr ? table_of(key_of(*after)) : step.table.get());
    preview.slots_moved += step.slots_moved;
    for (const model::Backend& backend : after->backends) {
      rows.push_back({.service = after->name,
                      .backend = backend.name,
                      .slots_after = slots_by(slots, backend.name),
                      .before = std::nullopt,
                      .after = backend.admission});
    }
  }
  if (before != nullptr) preview_before(*before, after, live_flows, rows);
  std::move(rows.begin(), rows.end(), std::back_inserter(preview.backends));
}

// Fills in how it is now; `rows` are those of `after`.
void SnapshotBuilder::preview_before(const model::Service& before, const model::Service* after,
                                     const LiveFlows& live_flows,
                                     std::vector<PreviewedBackend>& rows) const {
  const ServiceKey key = key_of(before);
  const bool stays = after != nullptr && key_of(*after) == key;
  const ServiceId id = service_ids_.at(key);
  const auto slots = slots_of(table_of(key));
  std::unordered_map<std::string, std::size_t> row_of;
  for (std::size_t i = 0; i < rows.size(); ++i) row_of.emplace(rows[i].backend, i);
  for (const model::Backend& backend : before.backends) {
    const auto [row, is_new] = row_of.emplace(backend.name, rows.size());
    if (is_new) {
      rows.push_back({.service = after == nullptr ? before.name : after->name,
                      .backend = backend.name,
                      .before = std::nullopt,
                      .after = std::nullopt});
    }
    PreviewedBackend& entry = rows[row->second];
    entry.before = backend.admission;
    entry.slots_before = slots_by(slots, backend.name);
    entry.flows = flows_of(id, backend, live_flows);
    entry.flows_broken = broken_of(backend, entry.flows, stays ? after : nullptr);
  }
}

}  // namespace hawser::pipeline
