// Looks names up.
#include "dataplane/names.h"

#include <algorithm>
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

Result<std::vector<bool>> find_backends(ServiceId service, const std::string& backend,
                                        const pipeline::Snapshot& snapshot) {
  std::vector<bool> wanted;
  if (backend.empty()) return wanted;
  wanted.resize(std::max<std::size_t>(1, snapshot.backends.size()));
  std::set<std::string> backends;
  bool found = false;
  for (std::size_t id = 1; id < snapshot.backends.size(); ++id) {
    const ServiceId of = snapshot.backends[id].service;
    if (of == ServiceId() || (service != ServiceId() && of != service)) continue;
    const std::string& name = snapshot.backend_names[id];
    backends.insert(name);
    if (name != backend) continue;
    wanted[id] = true;
    found = true;
  }
  if (!found) return unknown_name("backend", backend, backends);
  return wanted;
}

Error unknown_name(const char* what, const std::string& name, const std::set<std::string>& known) {
  const std::vector<std::string> words(known.begin(), known.end());
  return fail("there is no " + std::string(what) + " \"" + name + "\"" + suggestion(name, words));
}

}  // namespace hawser::dataplane
