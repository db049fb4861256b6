// The view of `history`.
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "units.h"
#include "views.h"

namespace hawser::ctl {
namespace {

// "2026-03-02 08:15:40"; empty for a moment that is not known, or that no calendar has.
std::string utc_text(std::uint64_t unix_seconds) {
  constexpr std::uint64_t kYear10000 = 253'402'300'800;
  if (unix_seconds == 0 || unix_seconds >= kYear10000) return "";
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(unix_seconds)));
}

// "web/b1 weight 100 -> 50", "cookie_key 0 -> 1".
std::string what_text(const rpc::HistoryRow& row) {
  std::string name = row.service();
  if (!row.backend().empty()) name += (name.empty() ? "" : "/") + row.backend();
  const auto side = [](const std::string& text) { return text.empty() ? "none" : text; };
  return fmt::format("{}{}{} {} -> {}", name, name.empty() ? "" : " ", row.field(),
                     side(row.before()), side(row.after()));
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
