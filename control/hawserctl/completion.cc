// Writes the bash completion script.
#include "completion.h"

#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "commands.h"
#include "completion_parts.h"

namespace hawser::ctl {
namespace {

// @WORDS@ are filled in from the tables. The output of `hawserctl backends --json`, which the
// helpers read, has one key a line.
constexpr std::string_view kScript =
    R"BASH(# bash completion for hawserctl; printed by "hawserctl completion". Do not edit.

_hawserctl_ask() {
  local -a socket=()
  local i
  for ((i = 1; i + 1 < ${#COMP_WORDS[@]}; i++)); do
    [[ ${COMP_WORDS[i]} == --socket ]] && socket=(--socket "${COMP_WORDS[i + 1]}")
  done
  hawserctl "${socket[@]}" --timeout 1 --json backends 2>/dev/null
}

_hawserctl_backends() { _hawserctl_ask | sed -n 's/^ *"id": "\(.*\)",$/\1/p'; }
_hawserctl_services() { _hawserctl_ask | sed -n 's/^ *"service": "\(.*\)",$/\1/p' | sort -u; }

_hawserctl_complete() {
  case $1 in
    path) COMPREPLY=($(compgen -f -- "$cur")) ;;
    service) COMPREPLY=($(compgen -W "$(_hawserctl_services)" -- "$cur")) ;;
    backend) COMPREPLY=($(compgen -W "$(_hawserctl_backends)" -- "$cur")) ;;
    target) COMPREPLY=($(compgen -W "$(_hawserctl_services; _hawserctl_backends)" -- "$cur")) ;;
    words:*) local words=${1#words:}; COMPREPLY=($(compgen -W "${words//,/ }" -- "$cur")) ;;
  esac
}

# What the value of an option is, of all verbs or of this one; nothing for a flag.
_hawserctl_value_of() {
  case "$1 $2" in
@VALUES@  esac
}

_hawserctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} verb= position=0 kind= i
  local verbs="@VERBS@"
  local options="@OPTIONS@"
  local -a values=()
  COMPREPLY=()

  # Find the verb, and how many of its arguments lie before the cursor.
  for ((i = 1; i < COMP_CWORD; i++)); do
    kind=$(_hawserctl_value_of "$verb" "${COMP_WORDS[i]}")
    if [[ -n $kind ]]; then
      ((++i < COMP_CWORD)) && continue
      _hawserctl_complete "$kind"
      return
    fi
    [[ ${COMP_WORDS[i]} == -* ]] && continue
    # What is planned is completed as if it were done.
    if [[ -z $verb || $verb == plan ]]; then verb=${COMP_WORDS[i]}; else ((++position)); fi
  done

  case $verb in
@CASES@  esac

  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [[ -z $verb ]]; then
    COMPREPLY=($(compgen -W "$verbs" -- "$cur"))
  else
    _hawserctl_complete "${values[position]-}"
  fi
}

complete -F _hawserctl hawserctl
)BASH";

// A word that _hawserctl_complete understands; a choice is its words, with commas between.
std::string bash_kind(Value value) {
  const std::string words = words_text(value, ",");
  return words.empty() ? std::string(kind_of(value)) : "words:" + words;
}

std::string names_of(std::span<const Option> options) {
  return joined(options, [](const Option& option) { return option.name; });
}

// Options that take a value, by what completes it: *" --socket" -> path, "why --file" -> path. The
// same name may be a flag of another verb.
std::string value_cases() {
  std::map<std::string, std::string> kinds;
  const auto add = [&](std::string_view pattern, std::span<const Option> options) {
    for (const Option& option : options) {
      if (option.value == Value::kFlag) continue;
      kinds[fmt::format(fmt::runtime(pattern), option.name)] = bash_kind(option.value);
    }
  };
  add("*\" {}\"", global_options());
  for (const Verb& verb : verbs()) add(fmt::format("\"{} {{}}\"", verb.name), verb.options);
  std::string out;
  for (const auto& [name, kind] : kinds) out += fmt::format("    {}) echo {} ;;\n", name, kind);
  return out;
}

std::string verb_cases() {
  std::string out;
  for (const Verb& verb : shown_verbs()) {
    const std::string values =
        joined(verb.positionals, [](const Positional& each) { return bash_kind(each.value); });
    const std::string options = names_of(verb.options);
    out += fmt::format("    {})\n", verb.name);
    if (!options.empty()) out += fmt::format("      options+=\" {}\"\n", options);
    if (!values.empty()) out += fmt::format("      values=({})\n", values);
    out += "      ;;\n";
  }
  return out;
}

}  // namespace

std::string bash_completion() {
  const std::vector<std::pair<std::string_view, std::string>> fills{
      {"@VALUES@", value_cases()},
      {"@VERBS@", joined(shown_verbs(), [](const Verb& verb) { return verb.name; })},
      {"@OPTIONS@", names_of(global_options())},
      {"@CASES@", verb_cases()}};
  return fill_in(kScript, fills);
}

}  // namespace hawser::ctl
