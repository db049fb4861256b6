// Reads the [[service.rule]] tables of a service.
#include "read_rules.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "read_splice.h"

namespace hawser::model {
namespace {

constexpr std::string_view kPatternForms =
    "write a text, { prefix = \"...\" } or { regex = \"...\" }";

Result<bool> parse_rate_by(std::string_view word) {
  if (word == "rule") return false;
  if (word == "source") return true;
  return fail(fmt::format("\"{}\" must be \"rule\" or \"source\"", word));
}

// Targets are written without blanks, and nothing but these may follow a "$".
Result<void> check_location(std::string_view text) {
  const bool plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  const bool begins =
      text.starts_with("http://") || text.starts_with("https://") || text.starts_with('/');
  if (!plain || !begins) {
    return fail(
        "must be printable ASCII without blanks, and start with \"http://\", \"https://\" or "
        "\"/\"");
  }
  for (std::size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    const std::string_view rest = text.substr(at);
    if (!rest.starts_with("$host") && !rest.starts_with("$target")) {
      return fail("has a \"$\" that begins neither \"$host\" nor \"$target\"; write %24 for it");
    }
  }
  return {};
}

// Whether a literal could match at all; the field holds no more than its own part.
Result<void> check_literal(RuleField field, const RulePattern& pattern) {
  if (pattern.match == RuleMatch::kRegex || field != RuleField::kPath) return {};
  if (pattern.text.find('?') != std::string::npos) {
    return fail("contains \"?\", but a path is without its query; remove it");
  }
  const bool asterisk = pattern.match == RuleMatch::kExact && pattern.text == "*";
  const bool any = pattern.match == RuleMatch::kPrefix && pattern.text.empty();
  if (pattern.text.starts_with('/') || asterisk || any) return {};
  return fail("must start with \"/\"");
}

class RuleReader {
 public:
  RuleReader(const Node& table, std::string where, Rule& rule, RuleSource& source,
             Diagnostics& diagnostics)
      : reader_(table, where, diagnostics),
        where_(std::move(where)),
        rule_(rule),
        source_(source),
        diagnostics_(diagnostics) {}

  void read() {
    reader_.require("name", "\"admin\"");
    reader_.name(rule_.name);
    for (const RuleField field : {RuleField::kMethod, RuleField::kHost, RuleField::kPath,
                                  RuleField::kServerName, RuleField::kAlpn}) {
      read_field(field);
    }
    for (const RuleField field : {RuleField::kHeader, RuleField::kCookie}) read_named(field);
    reader_.name("generation", rule_.generation);
    reader_.flag("sticky", rule_.sticky);
    reader_.number("deny", rule_.deny, limits::kMinDenyStatus, limits::kMaxHttpStatus);
    if (const Node* redirect = reader_.table("redirect")) read_redirect(*redirect);
    if (const Node* rate = reader_.table("rate")) read_rate(*rate);
    reader_.finish();
  }

 private:
  // A text, a table, or an array of those: one of them must match.
  void read_field(RuleField field) {
    const std::string key(to_string(field));
    const Node* node = reader_.any(key);
    if (node == nullptr) return;
    RuleCondition condition{.field = field, .name = {}, .patterns = {}};
    std::vector<const Node*> places;
    if (node->type == NodeType::kArray) {
      if (node->items.empty()) {
        reader_.complain(*node, key + " is empty, so that no request would match; " +
                                    std::string(kPatternForms));
      }
      for (const Node& item : node->items) {
        const Node*& place = places.emplace_back(&item);
        condition.patterns.push_back(pattern_of(item, field, key, place));
      }
    } else {
      const Node*& place = places.emplace_back(node);
      condition.patterns.push_back(pattern_of(*node, field, key, place));
    }
    add(std::move(condition), std::move(places));
  }

  // A table with a name, or an array of those: all of them must match.
  void read_named(RuleField field) {
    const std::string key(to_string(field));
    const Node* node = reader_.any(key);
    if (node == nullptr) return;
    if (node->type != NodeType::kArray) {
      read_named(*node, field, key);
      return;
    }
    if (node->items.empty()) {
      reader_.complain(*node, key + " is empty and asks for nothing; remove it");
    }
    for (const Node& item : node->items) read_named(item, field, key);
  }

  void read_named(const Node& node, RuleField field, const std::string& key) {
    if (node.type != NodeType::kTable) {
      reader_.complain(node, fmt::format("{} must be a table such as {{ name = \"X\", exact = "
                                         "\"...\" }}, is {}",
                                         key, to_string(node.type)));
      return;
    }
    TableReader reader(node, where_ + ", " + key, diagnostics_);
    RuleCondition condition{.field = field, .name = {}, .patterns = {}};
    reader.require("name", field == RuleField::kHeader ? "\"X-Version\"" : "\"version\"");
    reader.text("name", condition.name, limits::kMaxFieldName);
    const Node* name = node.find("name");
    if (diagnostics_.usable(name) && !is_token(condition.name)) {
      reader.complain(*name,
                      fmt::format("name is \"{}\", which no {} is called; write letters, digits or "
                                  "some of !#$%&'*+-.^_`|~",
                                  condition.name, key));
    }
    const Node* place = &node;
    condition.patterns.push_back(read_match(reader, node, field, place));
    reader.finish();
    add(std::move(condition), {place});
  }

  // `place` becomes that of the pattern's text.
  RulePattern pattern_of(const Node& node, RuleField field, const std::string& key,
                         const Node*& place) {
    if (node.type == NodeType::kString) {
      RulePattern pattern{.match = RuleMatch::kExact, .text = node.text};
      judge(node, key, field, pattern);
      return pattern;
    }
    if (node.type == NodeType::kTable) {
      TableReader reader(node, where_ + ", " + key, diagnostics_);
      RulePattern pattern = read_match(reader, node, field, place);
      reader.finish();
      return pattern;
    }
    reader_.complain(node, fmt::format("{} is {}; {}", key, to_string(node.type), kPatternForms));
    return {};
  }

  // The one of exact, prefix and regex that is there.
  RulePattern read_match(TableReader& reader, const Node& table, RuleField field,
                         const Node*& place) {
    constexpr std::array<RuleMatch, 3> kMatches{RuleMatch::kExact, RuleMatch::kPrefix,
                                                RuleMatch::kRegex};
    RulePattern pattern;
    std::size_t given = 0;
    for (const RuleMatch match : kMatches) {
      const std::string key(to_string(match));
      const Node* node = reader.any(key);
      if (node == nullptr) continue;
      ++given;
      place = node;
      if (reader.value(key, NodeType::kString) == nullptr) continue;
      pattern = {.match = match, .text = node->text};
      judge(*node, key, field, pattern, &reader);
    }
    if (given != 1) {
      reader.complain(table.place,
                      given == 0 ? "nothing to compare with; write exact, prefix or regex = \"...\""
                                 : "exact, prefix and regex exclude each other; write one of them");
    }
    return pattern;
  }

  void judge(const Node& node, const std::string& key, RuleField field, const RulePattern& pattern,
             TableReader* reader = nullptr) {
    Result<void> sound = check_pattern(pattern);
    if (sound) sound = check_literal(field, pattern);
    if (sound) return;
    (reader == nullptr ? reader_ : *reader).complain(node, key + " " + sound.error().message);
  }

  void read_redirect(const Node& table) {
    constexpr std::array<std::uint16_t, 5> kStatuses{301, 302, 303, 307, 308};
    TableReader reader(table, where_ + ", redirect", diagnostics_);
    rule_.redirect = limits::kDefaultRedirect;
    reader.number("status", rule_.redirect, kStatuses.front(), kStatuses.back());
    if (std::find(kStatuses.begin(), kStatuses.end(), rule_.redirect) == kStatuses.end()) {
      reader.complain(*table.find("status"), fmt::format("status is {}, must be 301, 302, 303, 307 "
                                                         "or 308",
                                                         rule_.redirect));
    }
    reader.require("location", "\"https://$host$target\"");
    reader.text("location", rule_.location, limits::kMaxRuleLocation);
    const Node* location = table.find("location");
    if (diagnostics_.usable(location)) {
      const Result<void> sound = check_location(rule_.location);
      if (!sound) reader.complain(*location, "location " + sound.error().message);
    }
    reader.finish();
  }

  void read_rate(const Node& table) {
    TableReader reader(table, where_ + ", rate", diagnostics_);
    reader.require("per_second", "100");
    reader.number("per_second", rule_.rate.per_second, 1, limits::kMaxRuleRate);
    rule_.rate.burst = rule_.rate.per_second;
    reader.number("burst", rule_.rate.burst, 1, limits::kMaxRuleRate);
    reader.word("by", rule_.rate.by_source, parse_rate_by);
    reader.finish();
  }

  void add(RuleCondition condition, std::vector<const Node*> places) {
    rule_.conditions.push_back(std::move(condition));
    source_.patterns.push_back(std::move(places));
  }

  TableReader reader_;
  std::string where_;
  Rule& rule_;
  RuleSource& source_;
  Diagnostics& diagnostics_;
};

std::size_t pattern_count(const Rule& rule) {
  std::size_t count = 0;
  for (const RuleCondition& condition : rule.conditions) count += condition.patterns.size();
  return count;
}

}  // namespace

void read_rules(TableReader& service, const std::string& where, std::vector<Rule>& out,
                ServiceSource& source, Diagnostics& diagnostics) {
  std::map<std::string, Place> names;
  std::size_t patterns = 0;
  const std::size_t faults = diagnostics.count();
  for (const Node* table : service.tables("rule", "[[service.rule]]")) {
    if (out.size() == limits::kMaxRules) {
      service.complain(table->place,
                       fmt::format("there are more than {} rules", limits::kMaxRules));
      break;
    }
    Rule& rule = out.emplace_back();
    RuleSource& place = source.rules.emplace_back();
    place.table = table;
    RuleReader(*table, where + ", " + label("rule", name_of(*table), out.size() - 1), rule, place,
               diagnostics)
        .read();
    const Node* name = table->find("name");
    if (diagnostics.usable(name)) {
      const auto [first, inserted] = names.emplace(rule.name, name->place);
      if (!inserted) {
        diagnostics.add(*name, fmt::format("{}, {}: the name is already used at line {}; names are "
                                           "unique in a service",
                                           where, label("rule", rule.name, 0), first->second.line));
      }
    }
    patterns += pattern_count(rule);
    if (patterns > limits::kMaxRulePatterns) {
      service.complain(table->place, fmt::format("up to here the rules have {} patterns, must have "
                                                 "at most {}",
                                                 patterns, limits::kMaxRulePatterns));
      break;
    }
  }
  source.rules_sound = diagnostics.count() == faults;
}

void add_compiled_rules(Service& service, std::size_t index, const ServiceSource& source,
                        const RuleCompiler& compile, Diagnostics& diagnostics) {
  if (!source.rules_sound || service.splice.rules.empty()) return;
  CompiledRules compiled = compile(service.splice.rules);
  service.splice.rules_database = std::move(compiled.database);
  for (const RuleFault& fault : compiled.faults) {
    const Rule& rule = service.splice.rules[fault.rule];
    const Node* place = source.rules[fault.rule].patterns[fault.condition][fault.pattern];
    diagnostics.add(
        *place,
        fmt::format("{}, {}: \"{}\" cannot be compiled: {}", label("service", service.name, index),
                    label("rule", rule.name, fault.rule),
                    rule.conditions[fault.condition].patterns[fault.pattern].text, fault.reason));
  }
}

}  // namespace hawser::model
