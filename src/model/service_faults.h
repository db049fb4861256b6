// ServiceFaults: what the checks of one service share, and how a fault is told.
#pragma once

#include <string>
#include <utility>

#include "hawser/model/validation.h"

namespace hawser::model {

// A base of checks. What it is made with outlives it.
class ServiceFaults {
 public:
  // `where` is how the service is called in diagnostics.
  ServiceFaults(const Service& service, const ServiceSource& source, std::string where,
                Diagnostics& diagnostics)
      : service_(service),
        source_(source),
        table_(*source.table),
        where_(std::move(where)),
        diagnostics_(diagnostics) {}

 protected:
  // Absent, or without fault.
  [[nodiscard]] bool sound(const char* key) const {
    const Node* node = table_.find(key);
    return node == nullptr || diagnostics_.usable(node);
  }

  void complain(const Node& node, const std::string& message) {
    diagnostics_.add(node, where_ + ": " + message);
  }

  const Service& service_;
  const ServiceSource& source_;
  const Node& table_;
  std::string where_;
  Diagnostics& diagnostics_;
};

}  // namespace hawser::model
