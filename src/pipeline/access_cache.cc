// Builds prefix tables of allow and deny lists.
#include "hawser/pipeline/access_cache.h"

#include <algorithm>
#include <utility>

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
  if (!differs(lists)) return;
  tables_.clear();
  lists_ = lists;
}

AccessRules AccessCache::rules(const model::Protection& protection) {
  if (protection.allow.empty() && protection.deny.empty()) return {};
  std::weak_ptr<const table::PrefixTable>& known = tables_[{protection.allow, protection.deny}];
  std::shared_ptr<const table::PrefixTable> table = known.lock();
  if (table == nullptr) {
    std::vector<table::PrefixRule> rules;
    add(lists_, protection.allow, table::Access::kAllowed, rules);
    add(lists_, protection.deny, table::Access::kDenied, rules);
    table = table::PrefixTable::build(rules);
    known = table;
  }
  return {.table = std::move(table), .unlisted_denied = protection.deny.empty()};
}

void AccessCache::end() {
  std::erase_if(tables_, [](const auto& item) { return item.second.expired(); });
}

}  // namespace hawser::pipeline
