// The view of a plan: guards, backends before and after, totals.
#include <fmt/format.h>

#include "units.h"
#include "views.h"

namespace hawser::ctl {
namespace {

std::string side(const std::string& state, const char* without) {
  return state.empty() ? without : state;
}

// "ready -> draining", or "ready" where it stays.
Cell state_cell(const rpc::PlanBackend& row) {
  if (row.state_before() == row.state_after()) return {row.state_after(), Tone::kFaint};
  return {fmt::format("{} -> {}", side(row.state_before(), "new"), side(row.state_after(), "gone")),
          Tone::kNotice};
}

Cell share_cell(const rpc::PlanBackend& row) {
  const std::string before = human_share(row.share_before());
  const std::string after = human_share(row.share_after());
  if (before == after) return {after, Tone::kFaint};
  return fmt::format("{} -> {}", before, after);
}

// "1 of 3 at most", "2, at least 1".
std::string limit_text(const rpc::GuardCheck& check) {
  return fmt::format("{} {}", check.guard() == "max_draining" ? "at most" : "at least",
                     check.limit());
}

std::string guards_table(const rpc::Plan& plan, const Paint& paint) {
  Table table({{"SERVICE"},
               {"GUARD"},
               {"LIMIT"},
               {"NOW", Align::kRight},
               {"THEN", Align::kRight},
               {"VERDICT"}});
  for (const rpc::GuardCheck& check : plan.guards()) {
    table.add({Cell(check.service(), Tone::kStrong), check.guard(), limit_text(check),
               std::to_string(check.before()), std::to_string(check.after()),
               check.refused() ? Cell("refuses", Tone::kBad) : Cell("allows", Tone::kGood)});
  }
  return table.empty() ? "" : "\n" + table.render(paint);
}

// What only the dataplane knows stands there when it was asked.
std::string backends_table(const rpc::Plan& plan, const Paint& paint) {
  Table table({{"BACKEND"},
               {"STATE"},
               {"SHARE", Align::kRight},
               {"SLOTS", Align::kRight, true},
               {"FLOWS", Align::kRight, true},
               {"ENDED", Align::kRight, true},
               {"IN THE LONG RUN", Align::kRight, true}});
  const auto known = [&](std::string text) { return plan.measured() ? std::move(text) : ""; };
  for (const rpc::PlanBackend& row : plan.backends()) {
    table.add({Cell(row.service() + "/" + row.backend(), Tone::kStrong), state_cell(row),
               share_cell(row),
               known(fmt::format("{} -> {}", row.slots_before(), row.slots_after())),
               known(human_count(row.flows())),
               Cell(known(human_count(row.flows_broken())),
                    row.flows_broken() == 0 ? Tone::kPlain : Tone::kNotice),
               known(fmt::format("{:.0f} flows", row.flows_after()))});
  }
  return table.empty() ? "" : "\n" + table.render(paint);
}

std::string totals(const rpc::Plan& plan) {
  if (plan.backends().empty()) return "";
  if (!plan.measured()) {
    return fmt::format("slots and flows: not measured{}{}\n",
                       plan.not_measured().empty() ? "" : ": ", printable(plan.not_measured()));
  }
  std::uint64_t slots = 0;
  std::uint64_t flows = 0;
  for (const rpc::PlanBackend& row : plan.backends()) {
    slots += row.slots_before();
    flows += row.flows();
  }
  const double part =
      slots == 0 ? 0 : static_cast<double>(plan.slots_moved()) / static_cast<double>(slots);
  return fmt::format("total: {} of {} slots move ({}), {} of {} end\n", plan.slots_moved(), slots,
                     human_share(part), plan.flows_broken(), counted(flows, "flow"));
}

}  // namespace

std::string refusal_of(const rpc::Plan& plan) {
  std::string text;
  for (const rpc::GuardCheck& check : plan.guards()) {
    if (!check.refused()) continue;
    text += fmt::format("{}{} of service {} is {}, and {} of its backends would {}",
                        text.empty() ? "" : "; ", check.guard(), check.service(), check.limit(),
                        check.after(),
                        check.guard() == "max_draining" ? "be leaving" : "take new flows");
  }
  return text;
}

std::string plan_view(const rpc::Plan& plan, const Paint& paint) {
  return guards_table(plan, paint) + backends_table(plan, paint) + totals(plan);
}

}  // namespace hawser::ctl
