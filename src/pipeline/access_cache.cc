// Builds prefix tables of allow and deny lists.
#include "hawser/pipeline/access_cache.h"

#include <algorithm>

namespace hawser::pipeline {
namespace {

void add(const std::vector<model::PrefixList>& lists, const std::vector<std::string>& names,
         table::Access access, std::vector<table::PrefixRule>& rules) {
  for (const model::PrefixList& list : lists) {
    if (std::find(names.begin(), names.end(), list.name) == names.end()) continue;
    for (const net::Prefix& prefix : *list.prefixes) rules.push_back({prefix, access});
  }
}

}  // namespace

void AccessCache::begin(const std::vector<model::PrefixList>& lists) {
  if (lists != lists_) tables_.clear();
  lists_ = lists;
  for (auto& [names, entry] : tables_) entry.used = false;
}

AccessRules AccessCache::rules(const model::Protection& protection) {
  if (protection.allow.empty() && protection.deny.empty()) return {};
  Entry& entry = tables_[{protection.allow, protection.deny}];
  entry.used = true;
  if (entry.table == nullptr) {
    std::vector<table::PrefixRule> rules;
    add(lists_, protection.allow, table::Access::kAllowed, rules);
    add(lists_, protection.deny, table::Access::kDenied, rules);
    entry.table = table::PrefixTable::build(rules);
  }
  return {.table = entry.table, .unlisted_denied = protection.deny.empty()};
}

void AccessCache::end() {
  std::erase_if(tables_, [](const auto& item) { return !item.second.used; });
}

}  // namespace hawser::pipeline
