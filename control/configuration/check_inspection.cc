// Looks at what a health check names, before it is needed: files of TLS, the regular expression.
#include "check_inspection.h"

#include "body_pattern.h"
#include "health_tls.h"

namespace hawser::control {

std::vector<model::CheckFault> inspect_check(const model::Check& check) {
  std::vector<model::CheckFault> faults;
  const bool named = !check.tls.ca_file.empty() || !check.tls.client_certificate.empty();
  if (uses_tls(check.type) && named) {
    model::TlsCheck settings = check.tls;
    // What the system trusts takes a while to load, and is not the operator's mistake.
    settings.verify = !settings.ca_file.empty();
    const TlsContext context(settings);
    if (context.fault()) {
      faults.push_back({std::string(context.fault()->key), context.fault()->reason});
    }
  }
  if (asks_http(check.type) && !check.http.body_regex.empty()) {
    const auto compiled = BodyPattern::compile(check.http.body_regex);
    if (!compiled) faults.push_back({"body_regex", compiled.error().message});
  }
  return faults;
}

}  // namespace hawser::control
