// Report: rows of named values, one JSON object a line or an aligned table.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::bench {

// A row is put together in the order in which it is shown.
class Row {
 public:
  Row& text(std::string_view name, std::string_view value);
  Row& count(std::string_view name, std::uint64_t value);
  // With so many digits behind the point.
  Row& number(std::string_view name, double value, int digits);

 private:
  friend class Report;
  struct Cell {
    std::string name;
    std::string value;
    bool is_text = false;
  };
  Row& put(std::string_view name, std::string value, bool is_text);
  std::vector<Cell> cells_;
};

class Report {
 public:
  explicit Report(bool json) : json_(json) {}

  // JSON goes out at once; the table needs all rows for its widths.
  void add(Row row);
  // Prints the table. Rows with other columns than the one before begin a table of their own.
  void finish();

 private:
  void print_table(std::size_t begin, std::size_t end) const;

  bool json_;
  std::vector<Row> rows_;
};

}  // namespace hawser::bench
