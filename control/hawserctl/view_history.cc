// The view of `history`.
#include <fmt/format.h>

#include "units.h"
#include "views.h"

namespace hawser::ctl {
namespace {

// "web/b1 weight 100 -> 50", "web/b1 mode ready -> drain (forced)", "reload: 3 changes".
std::string what_text(const rpc::HistoryRow& row) {
  std::string name = row.service();
  if (!row.backend().empty()) name += (name.empty() ? "" : "/") + row.backend();
  const auto side = [](const std::string& text) { return text.empty() ? "none" : text; };
  const std::string text = fmt::format("{}{}{}", name, name.empty() ? "" : " ", row.field());
  if (row.field() == "reload") return fmt::format("{}: {}", text, side(row.after()));
  return fmt::format("{} {} -> {}{}", text, side(row.before()), side(row.after()),
                     row.forced() ? " (forced)" : "");
}

}  // namespace

std::string history_view(const rpc::HistoryReply& reply, const Paint& paint,
                         std::uint64_t now_unix) {
  Table table({{"WHEN"}, {"UTC"}, {"WHO"}, {"WHAT"}, {"WHY"}});
  for (const rpc::HistoryRow& row : reply.history()) {
    table.add({human_ago(row.at_unix(), now_unix), Cell(utc_text(row.at_unix()), Tone::kFaint),
               row.author(), Cell(what_text(row), Tone::kStrong), row.reason()});
  }
  return table.empty() ? "nothing was changed yet\n" : table.render(paint);
}

}  // namespace hawser::ctl
