// Looks names up.
#include "dataplane/names.h"

#include <vector>

#include "hawser/base/nearest.h"

namespace hawser::dataplane {

Result<ServiceId> find_service(const std::string& name, const pipeline::Snapshot& snapshot) {
  std::set<std::string> known;
  for (std::size_t id = 1; id < snapshot.service_names.size(); ++id) {
    const std::string& other = snapshot.service_names[id];
    if (other.empty()) continue;
    if (other == name) return ServiceId(static_cast<std::uint16_t>(id));
    known.insert(other);
  }
  return unknown_name("service", name, known);
}

Error unknown_name(const char* what, const std::string& name, const std::set<std::string>& known) {
  const std::vector<std::string> words(known.begin(), known.end());
  return fail("there is no " + std::string(what) + " \"" + name + "\"" + suggestion(name, words));
}

}  // namespace hawser::dataplane
