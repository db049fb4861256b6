// A TOML document as a tree of values, each with its place in the text.
//
// Keeps toml++ out of every other file. A tree owns its nodes; they do not move once parsed, so
// readers may keep pointers into it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hawser/base/result.h"

namespace hawser::model {

// Counted from 1.
struct Place {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  friend constexpr auto operator<=>(const Place&, const Place&) = default;
};

enum class NodeType : std::uint8_t { kTable, kArray, kString, kInteger, kFloat, kBoolean, kTime };

struct Entry;

// One value. Which members count depends on the type; those of other types are empty.
struct Node {
  NodeType type = NodeType::kTable;
  Place place;
  std::string text;            // kString
  std::int64_t integer = 0;    // kInteger
  double decimal = 0;          // kFloat
  bool flag = false;           // kBoolean
  std::vector<Node> items;     // kArray
  std::vector<Entry> entries;  // kTable, in the order of keys

  // The value of `key` in a table, or null.
  [[nodiscard]] const Node* find(std::string_view key) const noexcept;
};

struct Entry {
  std::string key;
  Place place;  // of the key
  Node value;
};

// "a whole number", "an array", ...: what a value of this type is called in a diagnostic.
[[nodiscard]] std::string_view to_string(NodeType type) noexcept;

struct ParsedDocument {
  Node root;
  std::string error;  // empty: the text is TOML
  Place error_place;
};

[[nodiscard]] ParsedDocument parse_document(std::string_view text);

}  // namespace hawser::model
