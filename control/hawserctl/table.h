// Text tables for terminals: aligned columns, colours that do not disturb the alignment.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::ctl {

// What a piece of text means, not how it looks.
enum class Tone : std::uint8_t { kPlain, kGood, kNotice, kBad, kFaint, kStrong };

// Turns tones into terminal colours, or leaves text alone.
class Paint {
 public:
  explicit Paint(bool enabled) : enabled_(enabled) {}
  [[nodiscard]] std::string operator()(Tone tone, std::string_view text) const;
  [[nodiscard]] bool enabled() const noexcept { return enabled_; }

 private:
  bool enabled_;
};

enum class Align : std::uint8_t { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kLeft;
  bool optional = false;  // left out while no row has a value in it
  // Left out where the table is too wide for its place, the largest first; 0: never.
  std::uint8_t spare = 0;
};

struct Cell {
  std::string text;
  Tone tone = Tone::kPlain;

  Cell(std::string words) : text(std::move(words)) {}  // NOLINT: implicit by design
  Cell(const char* words) : text(words) {}             // NOLINT: implicit by design
  Cell(std::string words, Tone meaning) : text(std::move(words)), tone(meaning) {}
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns, optional ones too; an empty one is shown as "-".
  void add(std::vector<Cell> cells);
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  // Title line and rows, each ending in a newline, without trailing blanks. `width`: characters of
  // the place; 0: as many as it takes.
  [[nodiscard]] std::string render(const Paint& paint, std::size_t width = 0) const;

 private:
  [[nodiscard]] bool is_shown(std::size_t column) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// Characters on a terminal: code points of UTF-8.
[[nodiscard]] std::size_t display_width(std::string_view text);

// Text from elsewhere with control characters replaced, so that it cannot steer the terminal.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace hawser::ctl
