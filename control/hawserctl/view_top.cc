// The view of `top`: totals and a table that fits its place.
#include <algorithm>

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "top.h"
#include "units.h"
#include "views.h"

namespace hawser::ctl {
namespace {

std::string totals_line(const std::vector<TopRow>& rows) {
  TopRow total;
  for (const TopRow& row : rows) {
    total.flows += row.flows;
    total.new_flows_per_second += row.new_flows_per_second;
    total.packets_in_per_second += row.packets_in_per_second + row.packets_out_per_second;
    total.bits_in_per_second += row.bits_in_per_second;
    total.bits_out_per_second += row.bits_out_per_second;
    total.requests_per_second += row.requests_per_second;
    total.errors_per_second += row.errors_per_second;
  }
  std::string line =
      fmt::format("{}, {} new/s, {} packets/s, {} in, {} out", counted(total.flows, "flow"),
                  human_rate(total.new_flows_per_second), human_rate(total.packets_in_per_second),
                  human_bits(total.bits_in_per_second), human_bits(total.bits_out_per_second));
  if (total.requests_per_second > 0) {
    line += fmt::format(", {} requests/s", human_rate(total.requests_per_second));
  }
  if (total.errors_per_second > 0) {
    line += fmt::format(", {} errors/s", human_rate(total.errors_per_second));
  }
  return line;
}

// "1.31 !": more than its share by what bounded load allows, and not by chance.
Cell ratio_cell(const TopRow& row) {
  if (row.ratio == 0) return "";
  const bool marked = row.ratio > kMarkedRatio && row.flows >= limits::kBoundedLoadFloor;
  if (!marked) return fmt::format("{:.2f}", row.ratio);
  return Cell(fmt::format("{:.2f} !", row.ratio), Tone::kBad);
}

Cell errors_cell(const TopRow& row) {
  if (!row.has_signals) return "";
  const Tone tone = row.errors_per_second > 0 ? Tone::kBad : Tone::kPlain;
  return Cell(human_rate(row.errors_per_second), tone);
}

std::string time_text(std::uint64_t response, std::uint64_t handshake) {
  const std::uint64_t time = response != 0 ? response : handshake;
  return time == 0 ? "" : human_microseconds(time);
}

std::string requests_text(const TopRow& row) {
  const bool reads = row.response_p99 != 0 || row.requests_per_second > 0;
  return reads ? human_rate(row.requests_per_second) : "";
}

// Which go first where there is no room, docs/operate.md says.
std::vector<Column> columns() {
  return {{"BACKEND"},
          {"STATE"},
          {"WEIGHT", Align::kRight, false, 10},
          {"SHARE", Align::kRight, false, 5},
          {"ACTUAL", Align::kRight, false, 4},
          {"RATIO", Align::kRight},
          {"FLOWS", Align::kRight},
          {"NEW/S", Align::kRight, false, 2},
          {"REQUESTS/S", Align::kRight, true, 1},
          {"ERRORS/S", Align::kRight, true},
          {"P50", Align::kRight, true, 6},
          {"P99", Align::kRight, true, 3},
          {"SESSIONS", Align::kRight, true, 1},
          {"PACKETS/S", Align::kRight, false, 9},
          {"IN", Align::kRight, false, 8},
          {"OUT", Align::kRight, false, 7}};
}

}  // namespace

std::string top_view(const std::vector<TopRow>& rows, const Paint& paint, const TopPlace& place) {
  Table table(columns());
  const std::size_t first = std::min(place.first, rows.size());
  const std::size_t count =
      place.rows == 0 ? rows.size() - first : std::min(place.rows, rows.size() - first);
  for (std::size_t i = first; i < first + count; ++i) {
    const TopRow& row = rows[i];
    table.add({Cell(row.service + "/" + row.name, Tone::kStrong),
               Cell(row.state, tone_of_state(row.state)), std::to_string(row.weight),
               human_share(row.share), human_share(row.actual_share), ratio_cell(row),
               human_count(row.flows), human_rate(row.new_flows_per_second), requests_text(row),
               errors_cell(row), time_text(row.response_p50, row.handshake_p50),
               time_text(row.response_p99, row.handshake_p99),
               row.live_sessions ? human_count(*row.live_sessions) : "",
               human_rate(row.packets_in_per_second + row.packets_out_per_second),
               human_bits(row.bits_in_per_second), human_bits(row.bits_out_per_second)});
  }
  std::string head = totals_line(rows);
  if (count < rows.size()) {
    head += fmt::format("   rows {} to {} of {}", first + 1, first + count, rows.size());
  }
  return head + "\n" + (table.empty() ? "no backends\n" : table.render(paint, place.columns));
}

}  // namespace hawser::ctl
