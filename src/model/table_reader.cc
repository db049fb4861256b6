// Reads one table of a document key by key, noting everything wrong with it.
#include "hawser/model/table_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <tuple>

#include <fmt/format.h>

#include "hawser/base/duration.h"
#include "hawser/base/hex.h"
#include "hawser/base/limits.h"
#include "hawser/base/nearest.h"

namespace hawser::model {

void Diagnostics::add(Place place, std::string message) {
  found_.push_back({file_, place.line, place.column, std::move(message)});
}

void Diagnostics::add(const std::string& file, Place place, std::string message) {
  found_.push_back({file, place.line, place.column, std::move(message)});
}

void Diagnostics::add(const Node& node, std::string message) {
  unusable_.insert(&node);
  add(node.place, std::move(message));
}

bool Diagnostics::usable(const Node* node) const {
  return node != nullptr && unusable_.count(node) == 0;
}

std::vector<Diagnostic> Diagnostics::take() && {
  const auto ours_end = std::stable_partition(
      found_.begin(), found_.end(), [&](const Diagnostic& found) { return found.file == file_; });
  std::stable_sort(found_.begin(), ours_end, [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return std::move(found_);
}

void TableReader::complain(Place place, const std::string& message) {
  diagnostics_.add(place, where_.empty() ? message : where_ + ": " + message);
}

void TableReader::complain(const Node& node, const std::string& message) {
  diagnostics_.add(node, where_.empty() ? message : where_ + ": " + message);
}

const Node* TableReader::find(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  return table_.find(key);
}

bool TableReader::check_type(const Node& node, const std::string& what, NodeType type) {
  if (node.type == type) return true;
  complain(node, fmt::format("{} must be {}, is {}", what, to_string(type), to_string(node.type)));
  return false;
}

const Node* TableReader::value(std::string_view key, NodeType type) {
  const Node* node = find(key);
  if (node == nullptr || !check_type(*node, std::string(key), type)) return nullptr;
  return node;
}

std::optional<std::uint64_t> TableReader::whole(std::string_view key, std::uint64_t low,
                                                std::uint64_t high, std::string_view advice) {
  const Node* node = value(key, NodeType::kInteger);
  if (node == nullptr) return std::nullopt;
  const auto number = static_cast<std::uint64_t>(node->integer);
  if (node->integer >= 0 && number >= low && number <= high) return number;
  complain(*node,
           fmt::format("{} is {}, must be {} to {}{}", key, node->integer, low, high, advice));
  return std::nullopt;
}

std::optional<std::uint64_t> TableReader::milliseconds(std::string_view key, std::uint64_t low_ms,
                                                       std::uint64_t high_ms,
                                                       std::uint64_t unit_ms) {
  const Node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (node->type != NodeType::kString && node->type != NodeType::kInteger) {
    complain(*node, fmt::format("{} must be a duration such as \"2s\" or a whole number of "
                                "seconds, is {}",
                                key, to_string(node->type)));
    return std::nullopt;
  }
  const std::string shown = node->type == NodeType::kString ? fmt::format("\"{}\"", node->text)
                                                            : fmt::format("{}", node->integer);
  const std::string digits =
      node->type == NodeType::kString ? node->text : fmt::format("{}s", node->integer);
  const std::optional<std::uint64_t> parsed = parse_duration(digits);
  if (!parsed && node->type == NodeType::kString) {
    complain(*node, fmt::format("{} is {}, which is no duration; write it like \"500ms\", \"2s\", "
                                "\"5m\", \"1h\" or \"7d\"",
                                key, shown));
    return std::nullopt;
  }
  if (!parsed || *parsed < low_ms || *parsed > high_ms) {
    complain(*node, fmt::format("{} is {}, must be {} to {}", key, shown, duration_text(low_ms),
                                duration_text(high_ms)));
    return std::nullopt;
  }
  if (*parsed % unit_ms != 0) {
    complain(*node,
             fmt::format("{} is {}, must be a multiple of {}", key, shown, duration_text(unit_ms)));
    return std::nullopt;
  }
  return parsed;
}

void TableReader::text(std::string_view key, std::string& out, std::size_t max_bytes) {
  const Node* node = value(key, NodeType::kString);
  if (node == nullptr) return;
  const bool control = std::any_of(node->text.begin(), node->text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (control) {
    complain(*node, fmt::format("{} contains a control character; remove it", key));
  } else if (node->text.size() > max_bytes) {
    complain(*node, fmt::format("{} has {} bytes, must have at most {}", key, node->text.size(),
                                max_bytes));
  } else {
    out = node->text;
  }
}

void TableReader::thousandths(std::string_view key, std::uint32_t& out,
                              std::uint32_t high_permille) {
  const Node* node = find(key);
  if (node == nullptr) return;
  const bool whole = node->type == NodeType::kInteger;
  if (!whole && node->type != NodeType::kFloat) {
    complain(*node, fmt::format("{} must be a number, is {}", key, to_string(node->type)));
    return;
  }
  const double value = whole ? static_cast<double>(node->integer) : node->decimal;
  const double permille = std::round(value * 1000);
  // Written so that what is no number fails too.
  if (!(value >= 0 && permille <= high_permille)) {
    complain(*node, fmt::format("{} is {}, must be 0 to {}", key, value, high_permille / 1000));
  } else if (std::abs(value * 1000 - permille) > 1e-6) {
    complain(*node, fmt::format("{} is {}, must have at most three decimals", key, value));
  } else {
    out = static_cast<std::uint32_t>(permille);
  }
}

void TableReader::flag(std::string_view key, bool& out) {
  const Node* node = value(key, NodeType::kBoolean);
  if (node != nullptr) out = node->flag;
}

void TableReader::name(std::string_view key, std::string& out) {
  const Node* node = value(key, NodeType::kString);
  if (node == nullptr) return;
  const Result<void> checked = check_name(node->text);
  if (checked) {
    out = node->text;
  } else {
    complain(*node, checked.error().message);
  }
}

void TableReader::path(std::string_view key, std::string& out, std::size_t max_bytes) {
  const Node* node = value(key, NodeType::kString);
  if (node == nullptr) return;
  if (node->text.empty() || node->text.front() != '/') {
    complain(*node, fmt::format("{} is \"{}\", must be an absolute path", key, node->text));
  } else if (node->text.size() > max_bytes) {
    complain(*node, fmt::format("{} has {} bytes, must have at most {}", key, node->text.size(),
                                max_bytes));
  } else {
    out = node->text;
  }
}

void TableReader::hexadecimal(std::string_view key, std::string& out, std::size_t max_bytes) {
  const Node* node = value(key, NodeType::kString);
  if (node == nullptr) return;
  std::vector<std::uint8_t> bytes(max_bytes);
  const Result<std::size_t> length = parse_hex(node->text, bytes);
  if (length) {
    out.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(*length));
  } else {
    complain(*node, fmt::format("{}: {}", key, length.error().message));
  }
}

void TableReader::address(std::string_view key, net::IpAddress& out) {
  const Node* node = value(key, NodeType::kString);
  if (node == nullptr) return;
  const Result<net::IpAddress> parsed = net::parse_address(node->text);
  if (parsed) {
    out = *parsed;
  } else {
    complain(*node, fmt::format("{}: {}", key, parsed.error().message));
  }
}

const Node* TableReader::list(std::string_view key, std::size_t max) {
  const Node* node = value(key, NodeType::kArray);
  if (node == nullptr) return nullptr;
  if (node->items.size() <= max) return node;
  complain(*node,
           fmt::format("{} has {} entries, must have at most {}", key, node->items.size(), max));
  return nullptr;
}

// Calls read(item, entry of `out`) for each string of a list; `out` has an entry for every item.
template <typename T, typename Read>
void TableReader::strings(std::string_view key, std::vector<T>& out, std::size_t max, Read&& read) {
  const Node* node = list(key, max);
  if (node == nullptr) return;
  out.assign(node->items.size(), {});
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const Node& item = node->items[i];
    if (check_type(item, fmt::format("an entry of {}", key), NodeType::kString)) read(item, out[i]);
  }
}

void TableReader::addresses(std::string_view key, std::vector<net::IpAddress>& out,
                            std::size_t max) {
  strings(key, out, max, [&](const Node& item, net::IpAddress& address) {
    const Result<net::IpAddress> parsed = net::parse_address(item.text);
    if (parsed) {
      address = *parsed;
    } else {
      complain(item, fmt::format("{}: {}", key, parsed.error().message));
    }
  });
}

void TableReader::prefixes(std::string_view key, std::vector<net::Prefix>& out, std::size_t max) {
  strings(key, out, max, [&](const Node& item, net::Prefix& prefix) {
    const Result<net::Prefix> parsed = net::parse_prefix(item.text);
    if (!parsed) {
      complain(item, fmt::format("{}: {}", key, parsed.error().message));
    } else if (item.text.find('/') == std::string::npos) {
      complain(item, fmt::format("{}: \"{}\" has no prefix length; write it like {}/{}", key,
                                 item.text, item.text, parsed->address.is_ipv4() ? 24 : 64));
    } else {
      prefix = *parsed;
    }
  });
}

void TableReader::texts(std::string_view key, std::vector<std::string>& out, std::size_t max) {
  strings(key, out, max, [](const Node& item, std::string& text) { text = item.text; });
}

void TableReader::numbers(std::string_view key, std::vector<std::uint32_t>& out, std::size_t max,
                          std::uint64_t low, std::uint64_t high) {
  const Node* node = list(key, max);
  if (node == nullptr) return;
  out.assign(node->items.size(), 0);
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const Node& item = node->items[i];
    const std::string what = fmt::format("an entry of {}", key);
    if (!check_type(item, what, NodeType::kInteger)) continue;
    const auto number = static_cast<std::uint64_t>(item.integer);
    if (item.integer < 0 || number < low || number > high) {
      complain(item, fmt::format("{} is {}, must be {} to {}", what, item.integer, low, high));
    } else {
      out[i] = static_cast<std::uint32_t>(number);
    }
  }
}

std::vector<const Node*> TableReader::tables(std::string_view key, std::string_view header) {
  std::vector<const Node*> found;
  const Node* node = find(key);
  if (node == nullptr) return found;
  if (node->type != NodeType::kArray) {
    complain(*node, fmt::format("{} must be an array of tables, is {}; write {}", key,
                                to_string(node->type), header));
    return found;
  }
  for (const Node& item : node->items) {
    if (check_type(item, fmt::format("an entry of {}", key), NodeType::kTable)) {
      found.push_back(&item);
    }
  }
  return found;
}

void TableReader::require(std::string_view key, std::string_view example) {
  if (table_.find(key) != nullptr) return;
  complain(table_.place, fmt::format("{} is missing; write {} = {}", key, key, example));
}

void TableReader::finish() {
  for (const Entry& entry : table_.entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    std::string advice = suggestion(entry.key, known_);
    if (advice.empty()) advice = fmt::format("; known here: {}", fmt::join(known_, ", "));
    complain(entry.place, fmt::format("unknown key \"{}\"{}", entry.key, advice));
  }
}

std::string name_of(const Node& table) {
  const Node* node = table.find("name");
  return node != nullptr && node->type == NodeType::kString ? node->text : std::string();
}

}  // namespace hawser::model
