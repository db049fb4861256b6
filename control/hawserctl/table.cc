// Lays out text tables.
#include "table.h"

#include <algorithm>

namespace hawser::ctl {
namespace {

constexpr std::string_view kGap = "  ";

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

void append_row(std::string& out, const std::vector<Column>& columns,
                const std::vector<std::size_t>& widths, const std::vector<Cell>& cells,
                const Paint& paint) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string blanks(widths[i] - display_width(cells[i].text), ' ');
    const bool last = i + 1 == cells.size();
    if (columns[i].align == Align::kRight) out += blanks;
    out += paint(cells[i].tone, cells[i].text);
    if (columns[i].align == Align::kLeft && !last) out += blanks;
    if (!last) out += kGap;
  }
  out += '\n';
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
    cell.text = cell.text.empty() ? "-" : printable(cell.text);
  }
  rows_.push_back(std::move(cells));
}

std::string Table::render(const Paint& paint) const {
  std::vector<std::size_t> widths;
  std::vector<Cell> titles;
  for (const Column& column : columns_) {
    widths.push_back(display_width(column.title));
    titles.emplace_back(column.title, Tone::kStrong);
  }
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i].text));
    }
  }
  std::string out;
  append_row(out, columns_, widths, titles, paint);
  for (const auto& row : rows_) append_row(out, columns_, widths, row, paint);
  return out;
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
