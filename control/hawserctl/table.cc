// Lays out text tables.
#include "table.h"

#include <algorithm>

namespace hawser::ctl {
namespace {

constexpr std::string_view kGap = "  ";
constexpr std::string_view kNothing = "-";

std::string_view escape_of(Tone tone) {
  switch (tone) {
    case Tone::kPlain:
      return "";
    case Tone::kGood:
      return "\x1b[32m";
    case Tone::kNotice:
      return "\x1b[33m";
    case Tone::kBad:
      return "\x1b[1;31m";
    case Tone::kFaint:
      return "\x1b[2m";
    case Tone::kStrong:
      return "\x1b[1m";
  }
  return "";
}

// A column as it is shown, and which one of the table it is.
struct Shown {
  std::size_t index = 0;
  Align align = Align::kLeft;
  std::size_t width = 0;
};

void append_row(std::string& out, const std::vector<Shown>& columns, const std::vector<Cell>& cells,
                const Paint& paint) {
  for (const Shown& column : columns) {
    const Cell& cell = cells[column.index];
    const std::string blanks(column.width - display_width(cell.text), ' ');
    const bool last = &column == &columns.back();
    if (column.align == Align::kRight) out += blanks;
    out += paint(cell.tone, cell.text);
    if (column.align == Align::kLeft && !last) out += blanks;
    if (!last) out += kGap;
  }
  out += '\n';
}

std::size_t width_of(const std::vector<Shown>& columns) {
  std::size_t width = 0;
  for (const Shown& column : columns) width += column.width + kGap.size();
  return width == 0 ? 0 : width - kGap.size();
}

// Takes out the column that is missed least; false when none may go.
bool leave_one_out(std::vector<Shown>& columns, const std::vector<Column>& all) {
  const auto least = std::max_element(
      columns.begin(), columns.end(),
      [&](const Shown& a, const Shown& b) { return all[a.index].spare < all[b.index].spare; });
  if (least == columns.end() || all[least->index].spare == 0) return false;
  columns.erase(least);
  return true;
}

}  // namespace

std::string Paint::operator()(Tone tone, std::string_view text) const {
  const std::string_view escape = enabled_ ? escape_of(tone) : "";
  if (escape.empty()) return std::string(text);
  return std::string(escape) + std::string(text) + "\x1b[0m";
}

void Table::add(std::vector<Cell> cells) {
  cells.resize(columns_.size(), Cell(""));
  for (Cell& cell : cells) {
    cell.text = cell.text.empty() ? std::string(kNothing) : printable(cell.text);
  }
  rows_.push_back(std::move(cells));
}

std::string Table::render(const Paint& paint, std::size_t width) const {
  std::vector<Shown> shown;
  std::vector<Cell> titles;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    titles.emplace_back(columns_[i].title, Tone::kStrong);
    if (!is_shown(i)) continue;
    std::size_t widest = display_width(columns_[i].title);
    for (const auto& row : rows_) widest = std::max(widest, display_width(row[i].text));
    shown.push_back({i, columns_[i].align, widest});
  }
  while (width != 0 && width_of(shown) > width && leave_one_out(shown, columns_)) {
  }
  std::string out;
  append_row(out, shown, titles, paint);
  for (const auto& row : rows_) append_row(out, shown, row, paint);
  return out;
}

bool Table::is_shown(std::size_t column) const {
  return !columns_[column].optional ||
         std::any_of(rows_.begin(), rows_.end(),
                     [column](const auto& row) { return row[column].text != kNothing; });
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;  // not a continuation byte
  }));
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : '\0');
    const bool c1 = byte == 0xc2U && next >= 0x80U && next <= 0x9fU;  // U+0080..U+009F
    if (c1) ++i;
    out += c1 || byte < 0x20U || byte == 0x7fU ? '?' : text[c1 ? i - 1 : i];
  }
  return out;
}

}  // namespace hawser::ctl
