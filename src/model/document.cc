// Turns TOML text into a tree of values with places; the only file that knows toml++.
#include "hawser/model/document.h"

#include <array>

#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
// toml++ 3.3 asserts that a key begins well just before it handles that it does not. The assertion
// is off, and must not become an assumption as NDEBUG would make it, so that the error is reported.
#undef NDEBUG
#define TOML_ASSERT(expression) static_cast<void>(0)
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace hawser::model {
namespace {

Place place_of(const toml::source_region& source) {
  return {static_cast<std::uint32_t>(source.begin.line),
          static_cast<std::uint32_t>(source.begin.column)};
}

NodeType type_of(toml::node_type type) {
  switch (type) {
    case toml::node_type::table:
      return NodeType::kTable;
    case toml::node_type::array:
      return NodeType::kArray;
    case toml::node_type::string:
      return NodeType::kString;
    case toml::node_type::integer:
      return NodeType::kInteger;
    case toml::node_type::floating_point:
      return NodeType::kFloat;
    case toml::node_type::boolean:
      return NodeType::kBoolean;
    case toml::node_type::none:
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return NodeType::kTime;
  }
  return NodeType::kTime;
}

// As deep as the TOML text nests, which toml++ bounds.
Node convert(const toml::node& source) {  // NOLINT(misc-no-recursion)
  Node node;
  node.type = type_of(source.type());
  node.place = place_of(source.source());
  if (const toml::value<std::string>* text = source.as_string()) node.text = text->get();
  if (const toml::value<std::int64_t>* integer = source.as_integer()) node.integer = integer->get();
  if (const toml::value<double>* decimal = source.as_floating_point()) {
    node.decimal = decimal->get();
  }
  if (const toml::value<bool>* flag = source.as_boolean()) node.flag = flag->get();
  if (const toml::array* array = source.as_array()) {
    node.items.reserve(array->size());
    for (const toml::node& item : *array) node.items.push_back(convert(item));
  }
  if (const toml::table* table = source.as_table()) {
    node.entries.reserve(table->size());
    for (const auto& [key, value] : *table) {
      node.entries.push_back({std::string(key.str()), place_of(key.source()), convert(value)});
    }
  }
  return node;
}

}  // namespace

const Node* Node::find(std::string_view key) const noexcept {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::string_view to_string(NodeType type) noexcept {
  constexpr std::array<std::string_view, 7> kNames{"a table",         "an array",  "a string",
                                                   "a whole number",  "a decimal", "true or false",
                                                   "a date or a time"};
  return kNames[static_cast<std::size_t>(type)];
}

ParsedDocument parse_document(std::string_view text) {
  ParsedDocument document;
  const toml::parse_result result = toml::parse(text);
  if (result) {
    document.root = convert(result.table());
  } else {
    document.error = std::string(result.error().description());
    document.error_place = place_of(result.error().source());
  }
  return document;
}

}  // namespace hawser::model
