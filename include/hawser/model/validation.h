// Checks of a configuration that look at more than one value.
#pragma once

#include <vector>

#include "hawser/model/address_plan.h"
#include "hawser/model/configuration.h"
#include "hawser/model/table_reader.h"

namespace hawser::model {

// Where each value of a configuration came from, parallel to Configuration::ports and ::services.
struct RuleSource {
  const Node* table = nullptr;
  std::vector<std::vector<const Node*>> patterns;  // by condition and pattern
};
struct ServiceSource {
  const Node* table = nullptr;
  std::vector<const Node*> backends;
  std::vector<RuleSource> rules;  // parallel to Splice::rules
  bool rules_sound = true;        // nothing was wrong with them when they were read
};
struct Sources {
  const Node* root = nullptr;
  std::vector<const Node*> ports;
  std::vector<ServiceSource> services;
  bool lists_read = false;  // the files of prefix lists were looked at
};

// Adds what is wrong with processes, sockets and ports. Returns whose the ports' addresses are.
Claims validate_ports(const Configuration& configuration, const Sources& sources,
                      Diagnostics& diagnostics);

// Adds what is wrong with services and backends, also against the ports and their `claims`.
void validate_services(const Configuration& configuration, const Sources& sources,
                       const Claims& claims, Diagnostics& diagnostics);

// How a port, service or backend is called in diagnostics: `service "web"`, or by its number in
// the file while it has no name.
[[nodiscard]] std::string label(std::string_view kind, const std::string& name, std::size_t index);

}  // namespace hawser::model
