// The command syntax as data: CLI set-up, --help, completion for three shells, the manual page and
// the reference page are all made from these tables.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace hawser::ctl {

enum class VerbId : std::uint8_t {
  kStatus,
  kServices,
  kBackends,
  kWeight,
  kDrain,
  kReady,
  kMaintenance,
  kCounters,
  kFlows,
  kTop,
  kReload,
  kPlan,
  kEvents,
  kCheck,
  kKeys,
  kHistory,
  kWhy,
  kTrace,
  kCapture,
  kVersion,
  kCompletion,
  kReference,
  kManual,
};

// What a value is: decides how it is checked and what the shell completes it with.
enum class Value : std::uint8_t {
  kFlag,  // no value
  kText,
  kNumber,    // whole, low..high
  kSeconds,   // decimal, above 0 and up to `high`
  kDuration,  // as in the configuration: 90s, 30m, 2h or whole seconds; low..high seconds
  kPath,
  kService,  // the name of a service
  kBackend,  // SERVICE/BACKEND, or BACKEND when the name is unique
  kTarget,   // SERVICE or SERVICE/BACKEND
  kSort,     // a word of sort_keys()
  kAction,   // the word "rotate"
  kPlanned,  // a verb that can be planned
  kShell,    // a shell that completion is written for
  kWord,     // no blanks, up to `high` bytes
  kMethod,   // of an HTTP request, as are the next three
  kRequestTarget,
  kHeader,    // Name: value
  kCookie,    // name=value
  kEndpoint,  // ADDRESS or ADDRESS:PORT
  kVerdict,   // a verdict's name, or a kind of them
  kSide,      // received, sent or both
  kSample,    // 1/N
};

struct Option {
  std::string_view name;     // --with-dashes
  std::string_view metavar;  // empty for a flag
  Value value = Value::kFlag;
  std::string_view help;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool repeats = false;  // may be given several times, and all count
};

struct Positional {
  std::string_view name;
  bool required = true;
  Value value = Value::kText;
  std::string_view help;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

struct Example {
  std::string_view command;
  std::string_view meaning;
};

struct Verb {
  VerbId id;
  std::string_view name;
  std::string_view summary;  // one line
  std::string_view details;  // a paragraph
  std::span<const Positional> positionals;
  std::span<const Option> options;
  std::span<const Example> examples;
  bool changes = false;  // needs the admin socket
  bool hidden = false;   // for the build, not for operators
};

// A column of `top` to sort by, and the key that selects it in the live view.
struct SortKey {
  std::string_view word;
  char key;
  std::string_view help;
};

struct ExitMeaning {
  int code;
  std::string_view meaning;
};

// Hidden verbs come last.
[[nodiscard]] std::span<const Verb> verbs() noexcept;
[[nodiscard]] std::span<const Option> global_options() noexcept;
[[nodiscard]] std::span<const SortKey> sort_keys() noexcept;
[[nodiscard]] std::span<const ExitMeaning> exit_meanings() noexcept;

// The words that a value is one of; none where it is no choice.
[[nodiscard]] std::span<const std::string_view> words_of(Value value) noexcept;

// Nothing when there is no such verb.
[[nodiscard]] const Verb* find_verb(std::string_view name) noexcept;

}  // namespace hawser::ctl
