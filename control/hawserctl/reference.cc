// Writes the reference page.
#include "reference.h"

#include <fmt/format.h>

#include "commands.h"
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
  std::string out =
      "# hawserctl\n\n"
      "Made by `hawserctl reference` from the program's own tables; change those, not this "
      "page.\n\n"
      "`hawserctl [OPTIONS] VERB …` asks and tells hawserd over its socket. Every verb that "
      "changes "
      "something is idempotent: said twice, the second time changes nothing and succeeds; but for "
      "`keys rotate`, where a guard refuses the second time. Backends "
      "are named `SERVICE/BACKEND`, or `BACKEND` alone where that name is unique.\n\n"
      "## Options of every verb\n\nThey may stand before or after the verb.\n\n"
      "| option | meaning |\n| --- | --- |\n";
  out += option_rows(global_options());
  out += "\n## Exit codes\n\n| code | meaning |\n| --- | --- |\n";
  for (const ExitMeaning& exit : exit_meanings()) {
    out += fmt::format("| {} | {} |\n", exit.code, cell(exit.meaning));
  }
  out +=
      "\nErrors go to standard error as `hawserctl: what: what to do`; with `--json` as "
      "`{\"error\": {\"code\": 3, \"kind\": \"refused\", \"message\": …, \"advice\": …}}`, where "
      "kind "
      "is failed, usage, refused, timed_out or unreachable.\n\n"
      "## JSON\n\n"
      "Numbers are numbers, moments are seconds since 1970 (`…_unix`, 0: unknown), sizes are "
      "bytes, "
      "shares run from 0 to 1, and every key is always there. Keys are only ever added. Counters "
      "rise since the start of the dataplane.\n\n"
      "## Verbs\n\n";
  for (const Verb& verb : verbs()) {
    if (!verb.hidden) out += verb_part(verb);
  }
  out.pop_back();
  return out;
}

}  // namespace hawser::ctl
