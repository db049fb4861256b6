// Writes the reference page.
#include "reference.h"

#include <fmt/format.h>

#include "commands.h"
#include "general_texts.h"
#include "help.h"
#include "json_fields.h"

namespace hawser::ctl {
namespace {

// A cell must not end its table's row.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string option_rows(std::span<const Option> options) {
  std::string out;
  for (const Option& option : options) {
    out += fmt::format("| `{}{}{}` | {} |\n", option.name, option.metavar.empty() ? "" : " ",
                       option.metavar, cell(option.help));
  }
  return out;
}

std::string verb_part(const Verb& verb) {
  std::string out = fmt::format("### {}\n\n{}\n\n```\n{}\n```\n\n{}\n", verb.name, verb.summary,
                                usage_line(verb), verb.details);
  if (!verb.positionals.empty() || !verb.options.empty()) {
    out += "\n| argument | meaning |\n| --- | --- |\n";
    for (const Positional& positional : verb.positionals) {
      out += fmt::format("| `{}`{} | {} |\n", positional.name,
                         positional.required ? "" : " (optional)", cell(positional.help));
    }
    out += option_rows(verb.options);
  }
  for (const Example& example : verb.examples) {
    out += fmt::format("\n`{}`: {}.\n", example.command, example.meaning);
  }
  const std::span<const JsonField> fields = json_fields(verb.id);
  if (!fields.empty()) out += "\n`--json`:\n\n| key | type | meaning |\n| --- | --- | --- |\n";
  for (const JsonField& field : fields) {
    out += fmt::format("| `{}` | {} | {} |\n", field.key, field.type, cell(field.help));
  }
  return out + "\n";
}

}  // namespace

std::string reference_page() {
  std::string out = fmt::format(
      "# hawserctl\n\n"
      "Made by `hawserctl reference` from the program's own tables; change those, not this "
      "page.\n\n"
      "{}\n\n"
      "## Options of every verb\n\nThey may stand before or after the verb.\n\n"
      "| option | meaning |\n| --- | --- |\n",
      kIntroduction);
  out += option_rows(global_options());
  out += "\n## Exit codes\n\n| code | meaning |\n| --- | --- |\n";
  for (const ExitMeaning& exit : exit_meanings()) {
    out += fmt::format("| {} | {} |\n", exit.code, cell(exit.meaning));
  }
  out += fmt::format("\n{}\n\n## JSON\n\n{}\n\n## Verbs\n\n", kErrorsText, kJsonText);
  for (const Verb& verb : verbs()) {
    if (!verb.hidden) out += verb_part(verb);
  }
  out.pop_back();
  return out;
}

}  // namespace hawser::ctl
