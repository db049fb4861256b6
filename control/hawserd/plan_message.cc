// Fills plans with what is known and what is measured.
#include "plan_message.h"

#include <map>
#include <string>
#include <utility>

namespace hawser::control {
namespace {

namespace wire = dataplane::v1;

}  // namespace

void fill_plan(const Plan& plan, v1::Plan& message) {
  for (const GuardCheck& check : plan.guards) {
    v1::GuardCheck& row = *message.add_guards();
    row.set_service(check.service);
    row.set_guard(check.guard);
    row.set_limit(static_cast<std::uint32_t>(check.limit));
    row.set_before(static_cast<std::uint32_t>(check.before));
    row.set_after(static_cast<std::uint32_t>(check.after));
    row.set_refused(check.refused);
  }
  for (const PlannedBackend& backend : plan.backends) {
    v1::PlanBackend& row = *message.add_backends();
    row.set_service(backend.service);
    row.set_backend(backend.backend);
    row.set_state_before(backend.state_before);
    row.set_state_after(backend.state_after);
    row.set_share_before(backend.share_before);
    row.set_share_after(backend.share_after);
  }
}

void add_preview(const wire::PreviewReply& preview, v1::Plan& message) {
  std::map<std::pair<std::string, std::string>, const wire::PreviewBackend*> known;
  std::map<std::string, double> flows;  // that go on, by service
  std::uint64_t broken = 0;
  for (const wire::PreviewBackend& backend : preview.backends()) {
    known.emplace(std::pair(backend.service(), backend.backend()), &backend);
    flows[backend.service()] += static_cast<double>(backend.flows());
    broken += backend.flows_broken();
  }
  for (v1::PlanBackend& row : *message.mutable_backends()) {
    const auto found = known.find({row.service(), row.backend()});
    if (found != known.end()) {
      row.set_flows(found->second->flows());
      row.set_flows_broken(found->second->flows_broken());
      row.set_slots_before(found->second->slots_before());
      row.set_slots_after(found->second->slots_after());
    }
    row.set_flows_after(flows[row.service()] * row.share_after());
  }
  message.set_measured(true);
  message.set_slots_moved(preview.slots_moved());
  message.set_flows_broken(broken);
}

void measure_plan(const ChangeOutcome& outcome, const DataplaneView& dataplane,
                  const DataplaneQuery& query, v1::Plan& message) {
  if (!outcome.candidate || outcome.plan.backends.empty()) return;
  if (!dataplane.connected) {
    message.set_not_measured("the dataplane is not connected");
    return;
  }
  const Result<wire::PreviewReply> preview = query.preview(outcome.base, *outcome.candidate);
  if (preview) {
    add_preview(*preview, message);
  } else {
    message.set_not_measured(preview.error().message);
  }
}

}  // namespace hawser::control
