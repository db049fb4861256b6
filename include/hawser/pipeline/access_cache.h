// AccessCache: prefix tables made of prefix lists, built anew only when a list has changed.
//
// Building one of 100 000 prefixes takes longer than all the rest of a snapshot, and most snapshots
// change none. Main core only; allocates.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hawser/model/service.h"
#include "hawser/pipeline/snapshot.h"

namespace hawser::pipeline {

class AccessCache {
 public:
  [[nodiscard]] bool differs(const std::vector<model::PrefixList>& lists) const {
    return lists != lists_;
  }
  // The lists of the next snapshot; every name that services use is among them.
  void begin(const std::vector<model::PrefixList>& lists);
  [[nodiscard]] AccessRules rules(const model::Protection& protection);
  // Forgets tables that nobody has any more.
  void end();

 private:
  using ListNames = std::pair<std::vector<std::string>, std::vector<std::string>>;  // allow, deny

  std::vector<model::PrefixList> lists_;
  std::map<ListNames, std::weak_ptr<const table::PrefixTable>> tables_;
};

}  // namespace hawser::pipeline
