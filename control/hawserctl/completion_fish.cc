// Writes the fish completion script.
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
// helpers read, has one key a line.
constexpr std::string_view kScript =
    R"FISH(# fish completion for hawserctl; printed by "hawserctl completion fish". Do not edit.

function __hawserctl_ask
    set -l words (commandline -opc)
    set -l socket
    for i in (seq 2 (math (count $words) - 1))
        test "$words[$i]" = --socket; and set socket --socket $words[(math $i + 1)]
    end
    hawserctl $socket --timeout 1 --json backends 2>/dev/null
end

function __hawserctl_backend
    __hawserctl_ask | string replace -rf '^ *"id": "(.*)",$' '$1'
end

function __hawserctl_service
    __hawserctl_ask | string replace -rf '^ *"service": "(.*)",$' '$1' | sort -u
end

function __hawserctl_target
    __hawserctl_service
    __hawserctl_backend
end

# Whether an option of all verbs, or of this one, is followed by its value.
function __hawserctl_takes_value
    switch "$argv[1] $argv[2]"
        case @VALUES@
            return 0
    end
    return 1
end

# The verb and its arguments before the cursor, a line each, without options.
function __hawserctl_words
    set -l words (commandline -opc)
    set -l verb ''
    set -l value no
    for word in $words[2..-1]
        if test $value = yes
            set value no
        else if string match -q -- '-*' $word
            __hawserctl_takes_value "$verb" $word; and set value yes
        else
            # What is planned is completed as if it were done.
            test -z "$verb" -o "$verb" = plan; and set verb $word
            echo $word
        end
    end
end

# Whether no verb is there yet.
function __hawserctl_no_verb
    test (count (__hawserctl_words)) -eq 0
end

# Whether this is the verb, and where a number is given: whether that argument of it comes next.
function __hawserctl_at
    set -l words (__hawserctl_words)
    test "$words[1]" = plan -a (count $words) -gt 1; and set -e words[1]
    test "$words[1]" = $argv[1]; or return 1
    test (count $argv) -eq 1; or test (count $words) -eq $argv[2]
end

complete -c hawserctl -f
@COMPLETIONS@)FISH";

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// What offers values of a kind, with a blank before it; nothing where none can be offered.
std::string offer(Value value) {
  const std::string words = words_text(value);
  if (!words.empty()) return " -a " + quoted(words);
  const std::string_view kind = kind_of(value);
  if (kind == "path") return " -F";
  if (kind == "none") return "";
  return fmt::format(" -a '(__hawserctl_{})'", kind);
}

// `when` is a condition with a blank before it, or empty.
std::string option_line(const Option& option, const std::string& when) {
  std::string out = fmt::format("complete -c hawserctl{} -l {}", when,
                                option.name.substr(option.name.find_first_not_of('-')));
  if (option.value != Value::kFlag) {
    out += kind_of(option.value) == "path" ? " -r" : " -x";
    out += offer(option.value);
  }
  return out + fmt::format(" -d {}\n", quoted(option.help));
}

std::string verb_lines(const Verb& verb) {
  std::string out;
  for (const Option& option : verb.options) {
    out += option_line(option, fmt::format(" -n '__hawserctl_at {}'", verb.name));
  }
  int place = 0;
  for (const Positional& positional : verb.positionals) {
    ++place;
    const std::string values = offer(positional.value);
    if (values.empty()) continue;
    out += fmt::format("complete -c hawserctl -n '__hawserctl_at {} {}'{} -d {}\n", verb.name,
                       place, values, quoted(positional.name));
  }
  return out;
}

// Patterns of "VERB OPTION" for options that take a value; those of all verbs fit any verb.
std::string value_patterns() {
  std::vector<std::string> patterns;
  const auto add = [&](std::string_view verb, std::span<const Option> options) {
    for (const Option& option : options) {
      if (option.value == Value::kFlag) continue;
      patterns.push_back(quoted(fmt::format("{} {}", verb, option.name)));
    }
  };
  add("*", global_options());
  for (const Verb& verb : shown_verbs()) add(verb.name, verb.options);
  return joined(
      patterns, [](const std::string& pattern) { return pattern; }, " \\\n            ");
}

}  // namespace

std::string fish_completion() {
  std::string completions;
  for (const Option& option : global_options()) completions += option_line(option, "");
  for (const Verb& verb : shown_verbs()) {
    completions += fmt::format("complete -c hawserctl -n __hawserctl_no_verb -a {} -d {}\n",
                               verb.name, quoted(verb.summary));
  }
  for (const Verb& verb : shown_verbs()) completions += verb_lines(verb);
  const std::vector<std::pair<std::string_view, std::string>> fills{{"@VALUES@", value_patterns()},
                                                                    {"@COMPLETIONS@", completions}};
  return fill_in(kScript, fills);
}

}  // namespace hawser::ctl
