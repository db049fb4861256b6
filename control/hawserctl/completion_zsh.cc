// Writes the zsh completion script.
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "commands.h"
#include "completion.h"
#include "completion_parts.h"

namespace hawser::ctl {
namespace {

// @WORDS@ are filled in from the tables. The output of `hawserctl backends --json`, which the
// helper reads, has one key a line.
constexpr std::string_view kScript =
    R"ZSH(#compdef hawserctl
# zsh completion for hawserctl; printed by "hawserctl completion zsh". Do not edit.

# Names of services, of backends, or of both (target), as hawserd knows them.
_hawserctl_names() {
  local -a ask answer names expl
  local -i i
  ask=(hawserctl)
  for ((i = 1; i < $#_hawserctl_line; i++)); do
    [[ $_hawserctl_line[i] == --socket ]] && ask+=(--socket ${(Q)_hawserctl_line[i+1]})
    [[ $_hawserctl_line[i] == --socket=* ]] && ask+=(${(Q)_hawserctl_line[i]})
  done
  answer=(${(f)"$($ask --timeout 1 --json backends 2>/dev/null)"})
  [[ $1 != backend ]] && names+=(${${(M)answer:# #\"service\": \"*}/(#b) #\"service\": \"(*)\",/$match[1]})
  [[ $1 != service ]] && names+=(${${(M)answer:# #\"id\": \"*}/(#b) #\"id\": \"(*)\",/$match[1]})
  names=(${(u)names})
  _wanted names expl $1 compadd -a names
}

_hawserctl() {
  local context state state_descr line curcontext=$curcontext
  typeset -A opt_args
  local -a _hawserctl_line=("${words[@]}")
  local -a verbs=(
@VERBS@  )
  local -a options=(
@OPTIONS@  )

  _arguments -C $options '(-): :->verb' '(-)*:: :->argument' && return 0
  case $state in
    verb) _describe -t verbs verb verbs ;;
    argument)
      # What is planned is completed as if it were done.
      if [[ $words[1] == plan ]] && (( CURRENT > 2 )); then
        shift words
        (( CURRENT-- ))
      fi
      case $words[1] in
@CASES@        *) return 1 ;;
      esac
      ;;
  esac
}

_hawserctl "$@"
)ZSH";

// `text` inside single quotes, with a backslash before each of `special`.
std::string quoted_part(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (c == '\\' || special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string action(Value value) {
  const std::string words = words_text(value);
  if (!words.empty()) return fmt::format("({})", words);
  const std::string_view kind = kind_of(value);
  if (kind == "path") return "_files";
  if (kind == "none") return " ";  // the message alone
  return fmt::format("{{_hawserctl_names {}}}", kind);
}

std::string option_spec(const Option& option) {
  const bool flag = option.value == Value::kFlag;
  std::string out = fmt::format("'{}{}{}[{}]", option.repeats ? "*" : "", option.name,
                                flag ? "" : "=", quoted_part(option.help, "[]:"));
  if (!flag) {
    out += fmt::format(":{}:{}", quoted_part(option.metavar, ":"), action(option.value));
  }
  return out + "'";
}

std::string verb_case(const Verb& verb) {
  std::string out = fmt::format("        {})\n          _arguments $options", verb.name);
  for (const Option& option : verb.options) {
    out += " \\\n            " + option_spec(option);
  }
  int place = 0;
  for (const Positional& positional : verb.positionals) {
    out += fmt::format(" \\\n            '{}:{}{}:{}'", ++place, positional.required ? "" : ":",
                       quoted_part(positional.name, ":"), action(positional.value));
  }
  return out + "\n          ;;\n";
}

}  // namespace

std::string zsh_completion() {
  std::string verb_rows;
  std::string cases;
  for (const Verb& verb : shown_verbs()) {
    verb_rows += fmt::format("    '{}:{}'\n", verb.name, quoted_part(verb.summary, ":"));
    cases += verb_case(verb);
  }
  std::string option_rows;
  for (const Option& option : global_options()) option_rows += "    " + option_spec(option) + "\n";
  const std::vector<std::pair<std::string_view, std::string>> fills{
      {"@VERBS@", verb_rows}, {"@OPTIONS@", option_rows}, {"@CASES@", cases}};
  return fill_in(kScript, fills);
}

}  // namespace hawser::ctl
