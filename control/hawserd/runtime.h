// What is in force: the configuration, what operators changed at run time, what checks found.
//
// Plain state without threads, clock or disk; the controller guards it and keeps the journal.
#pragma once

#include <cstdint>
#include <map>
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
#include "state_machine.h"

namespace hawser::control {

// A backend at run time.
struct BackendState {
  Mode mode = Mode::kReady;
  Authorship mode_by;                   // empty author: nobody changed it
  std::optional<std::uint32_t> weight;  // none: the file's
  Authorship weight_by;
  Health health = Health::kUnchecked;
  bool last_passed = true;
  std::string check_text;          // of the last check; empty: none yet
  std::uint64_t checked_unix = 0;  // of the last check; 0: none yet
  std::uint64_t since_unix = 0;    // in its present state
};

// A service and one of its backends in the configuration.
struct BackendRef {
  const model::Service* service;
  const model::Backend* backend;
};

// Why a name means no backend.
enum class LookupFailure : std::uint8_t { kUnknown, kAmbiguous };
struct Lookup {
  std::optional<BackendRef> found;
  LookupFailure failure = LookupFailure::kUnknown;
  std::string message;
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

  // What a dataplane that kept running had down stays down until checks rise. With
  // `adopt_operators` (no journal), what it had draining or down without checks is taken for an
  // operator's wish; the caller journals the changes.
  std::vector<IntentChange> adopt(const model::Desired& running, bool adopt_operators,
                                  std::uint64_t now_unix);

  void set_mode(const BackendRef& ref, Mode mode, const Authorship& by);
  void set_weight(const BackendRef& ref, std::optional<std::uint32_t> weight, const Authorship& by);
  // True when the state of the backend changed.
  bool note_check(const CheckReport& report, std::uint64_t now_unix);

  // By service and backend name; the service may be empty when one service only has the backend.
  [[nodiscard]] Lookup find(std::string_view service, std::string_view backend) const;
  // The error names the nearest.
  [[nodiscard]] Result<const model::Service*> find_service(std::string_view name) const;

  [[nodiscard]] const model::Configuration& configuration() const { return configuration_; }
  [[nodiscard]] const BackendState& state(const model::Service& service,
                                          const model::Backend& backend) const;
  // What the dataplane should do: the configured services with weights and admissions in force.
  [[nodiscard]] model::ServiceList services() const;
  [[nodiscard]] std::vector<CheckTarget> check_targets() const;

 private:
  using Key = std::pair<std::string, std::string>;  // service, backend

  // Where the names are in configuration_.services.
  struct Position {
    std::size_t service;
    std::size_t backend;
  };

  void index();
  [[nodiscard]] std::optional<BackendRef> locate(const std::string& service,
                                                 const std::string& backend) const;
  BackendState& state_of(const std::string& service, const std::string& backend);
  void apply_intent(const Intent& intent);
  // Moves the health on; true, and a new `since`, when the state changed by it.
  static bool advance(BackendState& state, Event event, std::uint64_t now_unix);

  model::Configuration configuration_;
  std::map<Key, Position> positions_;
  std::map<Key, BackendState> states_;
};

[[nodiscard]] Judgement judgement_of(const BackendState& state);
// Why the backend is in its state, for people: "operator", "check failed: connection refused".
[[nodiscard]] std::string cause_of(const BackendState& state);
[[nodiscard]] std::uint32_t weight_of(const BackendState& state, const model::Backend& backend);

}  // namespace hawser::control
