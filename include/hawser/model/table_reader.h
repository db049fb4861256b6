// Reads one table of a document key by key, noting everything wrong with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "hawser/base/result.h"
#include "hawser/model/configuration.h"
#include "hawser/model/document.h"
#include "hawser/net/address.h"

namespace hawser::model {

// What is wrong so far, and with which values, so that one mistake is told once.
class Diagnostics {
 public:
  explicit Diagnostics(std::string file) : file_(std::move(file)) {}

  void add(Place place, std::string message);
  // In another file, which the configuration names.
  void add(const std::string& file, Place place, std::string message);
  // Also marks `node` as not usable for further checks.
  void add(const Node& node, std::string message);
  // The value is there and nothing was wrong with it so far.
  [[nodiscard]] bool usable(const Node* node) const;
  [[nodiscard]] std::size_t count() const noexcept { return found_.size(); }
  // All of them in the order of the file, those in other files after them.
  [[nodiscard]] std::vector<Diagnostic> take() &&;

 private:
  std::string file_;
  std::vector<Diagnostic> found_;
  std::unordered_set<const Node*> unusable_;
};

// Every reading function leaves `out` as it is when the key is absent or its value is bad.
class TableReader {
 public:
  // `where` names the table in diagnostics (`service "web"`); empty for the whole file.
  TableReader(const Node& table, std::string where, Diagnostics& diagnostics)
      : table_(table), where_(std::move(where)), diagnostics_(diagnostics) {}

  template <typename T>
  void number(std::string_view key, T& out, std::uint64_t low, std::uint64_t high,
              std::string_view advice = {}) {
    const std::optional<std::uint64_t> value = whole(key, low, high, advice);
    if (value) out = static_cast<T>(*value);
  }
  // Durations are "500ms", "2s", "5m", "1h", "7d" or whole seconds; low and high in milliseconds.
  // `unit_ms` is what `out` counts in; a duration that is no multiple of it is refused.
  template <typename T>
  void duration(std::string_view key, T& out, std::uint64_t low_ms, std::uint64_t high_ms,
                std::uint64_t unit_ms) {
    const std::optional<std::uint64_t> value = milliseconds(key, low_ms, high_ms, unit_ms);
    if (value) out = static_cast<T>(*value / unit_ms);
  }
  template <typename E>
  void word(std::string_view key, E& out, Result<E> (*parse)(std::string_view)) {
    const Node* node = value(key, NodeType::kString);
    if (node == nullptr) return;
    const Result<E> parsed = parse(node->text);
    if (parsed) {
      out = *parsed;
    } else {
      complain(*node, std::string(key) + " " + parsed.error().message);
    }
  }
  // A number of up to three decimals between 0 and `high_permille` thousandths; `out` in
  // thousandths.
  void thousandths(std::string_view key, std::uint32_t& out, std::uint32_t high_permille);
  void text(std::string_view key, std::string& out, std::size_t max_bytes);
  // A name, with the rules of check_name.
  void name(std::string& out) { name("name", out); }
  void name(std::string_view key, std::string& out);
  void flag(std::string_view key, bool& out);
  // An absolute path.
  void path(std::string_view key, std::string& out, std::size_t max_bytes);
  // Bytes in hexadecimal digits, at most `max_bytes`. Diagnostics never quote them: they may be a
  // key.
  void hexadecimal(std::string_view key, std::string& out, std::size_t max_bytes);
  void address(std::string_view key, net::IpAddress& out);
  // Lists keep an entry, of default value, for each bad item, so that indexes match the nodes'.
  void addresses(std::string_view key, std::vector<net::IpAddress>& out, std::size_t max);
  void prefixes(std::string_view key, std::vector<net::Prefix>& out, std::size_t max);
  void texts(std::string_view key, std::vector<std::string>& out, std::size_t max);
  void numbers(std::string_view key, std::vector<std::uint32_t>& out, std::size_t max,
               std::uint64_t low, std::uint64_t high);

  // A table under `key`, or null.
  [[nodiscard]] const Node* table(std::string_view key) { return value(key, NodeType::kTable); }
  // The tables of an array of tables; `header` is how to write one.
  [[nodiscard]] std::vector<const Node*> tables(std::string_view key, std::string_view header);
  // The value under `key` if it has this type; a wrong type is a diagnostic.
  [[nodiscard]] const Node* value(std::string_view key, NodeType type);

  // The value under `key`, of whichever type, or null.
  [[nodiscard]] const Node* any(std::string_view key) { return find(key); }

  // Says that `key`, which must be there, is not.
  void require(std::string_view key, std::string_view example);
  void complain(const Node& node, const std::string& message);
  void complain(Place place, const std::string& message);
  // After the last key was read: every other key of the table is unknown.
  void finish();

 private:
  std::optional<std::uint64_t> whole(std::string_view key, std::uint64_t low, std::uint64_t high,
                                     std::string_view advice);
  std::optional<std::uint64_t> milliseconds(std::string_view key, std::uint64_t low_ms,
                                            std::uint64_t high_ms, std::uint64_t unit_ms);
  const Node* find(std::string_view key);
  const Node* list(std::string_view key, std::size_t max);
  template <typename T, typename Read>
  void strings(std::string_view key, std::vector<T>& out, std::size_t max, Read&& read);
  bool check_type(const Node& node, const std::string& what, NodeType type);

  const Node& table_;
  std::string where_;
  Diagnostics& diagnostics_;
  std::vector<std::string> known_;
};

// The name alone, to call the table by it in diagnostics before it is read.
[[nodiscard]] std::string name_of(const Node& table);

}  // namespace hawser::model
