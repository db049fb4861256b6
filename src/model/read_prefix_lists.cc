// Reads the [[prefix_list]] tables and the files they name.
#include "read_prefix_lists.h"

#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "hawser/model/validation.h"

namespace hawser::model {
namespace {

constexpr std::string_view kBlanks = " \t\r";

// Files may hold anything; a message holds one short line of text.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, limits::kMaxPrefixText));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return out;
}

// An address alone is a prefix of full length. Bits beyond the length do not count.
Result<net::Prefix> parse_entry(std::string_view text) {
  const Result<net::Prefix> parsed = net::parse_prefix(text);
  if (!parsed || text.size() > limits::kMaxPrefixText) {
    return fail(
        fmt::format("\"{}\" is no network; write it like 192.0.2.0/24, 2001:db8::/32 or, "
                    "for one address, 192.0.2.7",
                    shown(text)));
  }
  return net::Prefix{net::masked(parsed->address, parsed->length), parsed->length};
}

class ListReader {
 public:
  ListReader(const Node& table, std::size_t index, Diagnostics& diagnostics)
      : table_(table),
        reader_(table, label("prefix list", name_of(table), index), diagnostics),
        diagnostics_(diagnostics) {}

  [[nodiscard]] PrefixList read(const FileReader& read_file) {
    PrefixList list;
    reader_.require("name", "\"blocked\"");
    reader_.name(list.name);
    read_entries();
    std::string path;
    reader_.path("file", path, limits::kMaxPath);
    if (!path.empty() && read_file) read_from(path, read_file);
    reader_.finish();
    if (table_.find("prefixes") == nullptr && table_.find("file") == nullptr) {
      reader_.complain(table_.place,
                       "has no prefixes; write prefixes = [\"192.0.2.0/24\"] or file = "
                       "\"/etc/hawser/list\"");
    }
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    list.prefixes = std::make_shared<const std::vector<net::Prefix>>(std::move(found_));
    return list;
  }

 private:
  void read_entries() {
    const Node* list = reader_.value("prefixes", NodeType::kArray);
    if (list == nullptr) return;
    std::vector<std::string> texts;
    reader_.texts("prefixes", texts, limits::kMaxPrefixes);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const Node& item = list->items[i];
      if (!diagnostics_.usable(&item)) continue;
      const Result<net::Prefix> parsed = parse_entry(texts[i]);
      if (parsed) {
        found_.push_back(*parsed);
      } else {
        reader_.complain(item, "prefixes: " + parsed.error().message);
      }
    }
  }

  void read_from(const std::string& path, const FileReader& read_file) {
    const Node& node = *table_.find("file");
    const Result<std::string> text = read_file(path);
    if (!text) {
      reader_.complain(node, fmt::format("{} cannot be read: {}", path, text.error().message));
    } else if (text->size() > limits::kMaxPrefixFile) {
      reader_.complain(node,
                       fmt::format("{} must have at most {} bytes", path, limits::kMaxPrefixFile));
    } else {
      read_lines(path, *text);
    }
  }

  // One prefix a line; what follows a # is a comment.
  void read_lines(const std::string& path, std::string_view text) {
    std::size_t mistakes = 0;
    std::uint32_t number = 0;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      ++number;
      const std::string_view entry = line.substr(0, line.find('#'));
      const std::size_t first = entry.find_first_not_of(kBlanks);
      if (first == std::string_view::npos) continue;
      const std::size_t last = entry.find_last_not_of(kBlanks);
      const Result<net::Prefix> parsed = parse_entry(entry.substr(first, last + 1 - first));
      if (parsed) {
        found_.push_back(*parsed);
        continue;
      }
      const Place place{number, static_cast<std::uint32_t>(first + 1)};
      diagnostics_.add(path, place, parsed.error().message);
      if (++mistakes < limits::kMaxPrefixFileErrors) continue;
      diagnostics_.add(path, place, "too many mistakes; the rest of the file is not read");
      return;
    }
  }

  const Node& table_;
  TableReader reader_;
  Diagnostics& diagnostics_;
  std::vector<net::Prefix> found_;
};

void check_names(const std::vector<const Node*>& tables, const std::vector<PrefixList>& lists,
                 Diagnostics& diagnostics) {
  std::map<std::string, Place> names;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const Node* name = tables[i]->find("name");
    if (!diagnostics.usable(name)) continue;
    const auto [first, inserted] = names.emplace(lists[i].name, name->place);
    if (inserted) continue;
    diagnostics.add(*name, fmt::format("{}: the name is already used at line {}; names are unique",
                                       label("prefix list", lists[i].name, i), first->second.line));
  }
}

}  // namespace

std::vector<PrefixList> read_prefix_lists(const std::vector<const Node*>& tables,
                                          const FileReader& read_file, Diagnostics& diagnostics) {
  std::vector<PrefixList> lists;
  std::size_t prefixes = 0;
  for (const Node* table : tables) {
    if (lists.size() == limits::kMaxPrefixLists) {
      diagnostics.add(table->place, fmt::format("there are {} prefix lists, must be at most {}",
                                                tables.size(), limits::kMaxPrefixLists));
      break;
    }
    lists.push_back(ListReader(*table, lists.size(), diagnostics).read(read_file));
    prefixes += lists.back().prefixes->size();
    if (prefixes > limits::kMaxPrefixes) {
      diagnostics.add(table->place,
                      fmt::format("{}: with it there are {} prefixes in all lists, must be at most "
                                  "{}; leave out what larger networks contain",
                                  label("prefix list", lists.back().name, lists.size() - 1),
                                  prefixes, limits::kMaxPrefixes));
      break;
    }
  }
  if (lists.size() == tables.size()) check_names(tables, lists, diagnostics);
  return lists;
}

}  // namespace hawser::model
