// What is in force: the configuration, what operators changed at run time, what checks found.
//
// Plain state without threads, clock or disk; the controller guards it and keeps the journal.
// Copies share everything: a copy costs a pointer a service, a change copies one service.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hawser/base/result.h"
#include "hawser/model/configuration.h"
#include "hawser/model/desired.h"
#include "health.h"
#include "journal.h"
#include "runtime_index.h"
#include "service_state.h"

namespace hawser::control {

// What the agent of a backend said; none of it changes when it does not answer.
struct AgentWord {
  std::optional<Agent> agent;
  std::optional<std::uint32_t> percent;  // of the weight, 1..100
  std::string text;                      // its words, or why there are none
};

class Runtime {
 public:
  // A fresh start: backends count as serving until checks say otherwise. Intents of backends that
  // the configuration does not have are ignored.
  Runtime(model::Configuration configuration, const std::vector<Intent>& intents,
          std::uint64_t now_unix);

  // A reload: backends that are new, or have a new address, wait for their checks. The changes
  // that take intents of vanished backends back; the caller journals them.
  std::vector<IntentChange> replace(model::Configuration configuration, std::uint64_t now_unix);

  // Takes the intents of backends that are not in the configuration back.
  [[nodiscard]] std::vector<IntentChange> vanished(const std::vector<Intent>& intents,
                                                   std::uint64_t now_unix) const;

  // What a dataplane that kept running had down stays down until checks rise; slow starts go on,
  // and begin for backends it did not have. With `adopt_operators` (no journal), what it had
  // draining or down without checks is taken for an operator's wish; the caller journals the
  // changes.
  std::vector<IntentChange> adopt(const model::Desired& running, bool adopt_operators,
                                  std::uint64_t now_unix);

  void set_mode(const BackendRef& ref, Mode mode, const Terms& terms, const Authorship& by,
                std::uint64_t now_unix);
  void set_weight(const BackendRef& ref, std::optional<std::uint32_t> weight, const Authorship& by,
                  std::uint64_t now_unix);
  void note_check(const CheckReport& report, std::uint64_t now_unix);
  void note_agent(const std::string& service, const std::string& backend, const AgentWord& word,
                  std::uint64_t now_unix);
  // Until then, unless it is asked for again; a time that is past ends it.
  void eject(const BackendRef& ref, std::uint64_t until_unix, std::uint32_t ejections,
             const std::string& text, std::uint64_t now_unix);
  // What ends or grows by itself. Every second.
  void tick(std::uint64_t now_unix);

  // Maintenances whose term is over; the caller makes them ready and journals it.
  [[nodiscard]] std::vector<BackendRef> over(std::uint64_t now_unix) const;
  // What became different since the last call.
  [[nodiscard]] std::vector<Transition> take_transitions() {
    return std::exchange(transitions_, {});
  }

  // By service and backend name; the service may be empty when one service only has the backend.
  [[nodiscard]] Lookup find(std::string_view service, std::string_view backend) const {
    return index_->find(service, backend);
  }
  // The error names the nearest.
  [[nodiscard]] Result<const model::Service*> find_service(std::string_view name) const {
    return index_->find_service(name);
  }

  [[nodiscard]] const model::Configuration& configuration() const { return *configuration_; }
  // Of a service and a backend of configuration().
  [[nodiscard]] const ServiceState& state(const model::Service& service) const;
  [[nodiscard]] const BackendState& state(const model::Service& service,
                                          const model::Backend& backend) const;
  // What the dataplane should do: the configured services with weights and admissions in force.
  [[nodiscard]] model::ServiceList services() const;
  [[nodiscard]] std::vector<CheckTarget> check_targets() const;

 private:
  void set_configuration(model::Configuration configuration);
  // The service of the position, not shared with any copy.
  [[nodiscard]] ServiceState& own(std::size_t service);
  void apply_intent(const Intent& intent);

  std::shared_ptr<const model::Configuration> configuration_;
  std::shared_ptr<const RuntimeIndex> index_;
  std::vector<std::shared_ptr<ServiceState>> services_;  // as configured; may be shared with copies
  std::vector<Transition> transitions_;
};

}  // namespace hawser::control
