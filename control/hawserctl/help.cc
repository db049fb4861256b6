// Renders --help from the table of commands.
#include "help.h"

#include <string_view>

#include <fmt/format.h>

namespace hawser::ctl {
namespace {

constexpr std::size_t kWidth = 88;

// `text` in lines of at most kWidth, each indented by `indent`; the first line is not.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (column > indent && column + 1 + word.size() > kWidth) {
      out.append(1, '\n').append(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

std::string row(std::string_view left, std::string_view right) {
  constexpr std::size_t kLeft = 24;
  const std::string gap = left.size() + 4 > kLeft ? std::string("\n") + std::string(kLeft, ' ')
                                                  : std::string(kLeft - left.size() - 2, ' ');
  return fmt::format("  {}{}{}\n", left, gap, wrapped(right, kLeft));
}

std::string option_syntax(const Option& option) {
  return option.metavar.empty() ? std::string(option.name)
                                : fmt::format("{} {}", option.name, option.metavar);
}

std::string options_text(std::string_view title, std::span<const Option> options) {
  if (options.empty()) return "";
  std::string out = fmt::format("\n{}:\n", title);
  for (const Option& option : options) out += row(option_syntax(option), option.help);
  return out;
}

}  // namespace

std::string usage_line(const Verb& verb) {
  std::string out = fmt::format("hawserctl {}", verb.name);
  for (const Positional& positional : verb.positionals) {
    out += fmt::format(fmt::runtime(positional.required ? " {}" : " [{}]"), positional.name);
  }
  for (const Option& option : verb.options) out += fmt::format(" [{}]", option_syntax(option));
  return out;
}

std::string general_help() {
  std::string out =
      "hawserctl administers Hawser, the load balancer, through hawserd.\n\n"
      "Usage: hawserctl [OPTIONS] VERB …\n\nVerbs:\n";
  for (const Verb& verb : verbs()) {
    if (!verb.hidden) out += row(verb.name, verb.summary);
  }
  out += options_text("Options, before or after the verb", global_options());
  out += "\nExit codes:\n";
  for (const ExitMeaning& exit : exit_meanings())
    out += row(std::to_string(exit.code), exit.meaning);
  return out + "\n\"hawserctl VERB --help\" explains a verb.\n";
}

std::string verb_help(const Verb& verb) {
  std::string out = fmt::format("{}\n\nUsage: {}\n\n{}\n", verb.summary,
                                wrapped(usage_line(verb), 9), wrapped(verb.details, 0));
  if (!verb.positionals.empty()) out += "\nArguments:\n";
  for (const Positional& positional : verb.positionals)
    out += row(positional.name, positional.help);
  out += options_text("Options", verb.options);
  out += options_text("Options of every verb", global_options());
  if (!verb.examples.empty()) out += "\nExamples:\n";
  for (const Example& example : verb.examples) {
    out += fmt::format("  {}\n      {}\n", example.command, example.meaning);
  }
  return out;
}

}  // namespace hawser::ctl
