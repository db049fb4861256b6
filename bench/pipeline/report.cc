// Prints rows as JSON lines or as tables.
#include "report.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace hawser::bench {

Row& Row::put(std::string_view name, std::string value, bool is_text) {
  cells_.push_back({.name = std::string(name), .value = std::move(value), .is_text = is_text});
  return *this;
}
Row& Row::text(std::string_view name, std::string_view value) {
  return put(name, std::string(value), true);
}
Row& Row::count(std::string_view name, std::uint64_t value) {
  return put(name, std::to_string(value), false);
}
Row& Row::number(std::string_view name, double value, int digits) {
  return put(name, fmt::format("{:.{}f}", value, digits), false);
}

void Report::add(Row row) {
  if (!json_) {
    rows_.push_back(std::move(row));
    return;
  }
  // Names and texts are words of this program: nothing in them needs escaping.
  std::string line;
  for (const Row::Cell& cell : row.cells_) {
    const std::string_view quote = cell.is_text ? "\"" : "";
    line += fmt::format("{}\"{}\": {}{}{}", line.empty() ? "{" : ", ", cell.name, quote, cell.value,
                        quote);
  }
  fmt::print("{}}}\n", line);
  std::fflush(stdout);
}

void Report::finish() {
  const auto same_columns = [](const Row& a, const Row& b) {
    return std::equal(a.cells_.begin(), a.cells_.end(), b.cells_.begin(), b.cells_.end(),
                      [](const Row::Cell& x, const Row::Cell& y) { return x.name == y.name; });
  };
  std::size_t begin = 0;
  while (begin < rows_.size()) {
    std::size_t end = begin + 1;
    while (end < rows_.size() && same_columns(rows_[begin], rows_[end])) ++end;
    print_table(begin, end);
    begin = end;
  }
  rows_.clear();
}

void Report::print_table(std::size_t begin, std::size_t end) const {
  const std::vector<Row::Cell>& first = rows_[begin].cells_;
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < first.size(); ++column) {
    std::size_t width = first[column].name.size();
    for (std::size_t row = begin; row < end; ++row) {
      width = std::max(width, rows_[row].cells_[column].value.size());
    }
    widths.push_back(width);
  }
  const auto print_line = [&](const Row& row, bool heading) {
    std::string line;
    for (std::size_t column = 0; column < row.cells_.size(); ++column) {
      const Row::Cell& cell = row.cells_[column];
      const std::string& shown = heading ? cell.name : cell.value;
      if (!line.empty()) line += "  ";
      line += cell.is_text ? fmt::format("{:<{}}", shown, widths[column])
                           : fmt::format("{:>{}}", shown, widths[column]);
    }
    fmt::print("{}\n", line);
  };
  print_line(rows_[begin], true);
  for (std::size_t row = begin; row < end; ++row) print_line(rows_[row], false);
}

}  // namespace hawser::bench
