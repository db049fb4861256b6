// Writes the manual page.
#include "manual.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

#include "client.h"
#include "commands.h"
#include "general_texts.h"
#include "help.h"

namespace hawser::ctl {
namespace {

struct Surrounding {
  std::string_view name;
  std::string_view meaning;
};

// Read in main.cc.
constexpr std::array kEnvironment{
    Surrounding{"HAWSER_SOCKET", "socket of hawserd, where `--socket` does not say it"},
    Surrounding{"NO_COLOR", "no colours, when it is set and not empty"},
    Surrounding{"SUDO_USER", "who is written down as the author of a change, under sudo"}};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// A character as it was written, so that commands can be copied from the page.
std::string literal(char c) {
  switch (c) {
    case '\\':
      return "\\e";
    case '-':
      return "\\-";
    case '\'':
      return "\\(aq";
    case '`':
      return "\\(ga";
    case '^':
      return "\\(ha";
    case '~':
      return "\\(ti";
  }
  return {c};
}

std::string code(std::string_view text) {
  std::string out;
  for (const char c : text) out += literal(c);
  return out;
}

// Prose: what is in backticks is bold, literal and not hyphenated (\%), each sentence begins a
// line, and hyphens that begin an option stay what they are.
std::string prose(std::string_view text) {
  std::string out;
  bool bold = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool in_word = i > 0 && is_word(text[i - 1]);
    if (c == '`') {
      bold = !bold;
      out += bold ? "\\fB\\%" : "\\fR";
    } else if (bold && c == ' ') {
      out += " \\%";
    } else if (bold || c == '\\' || (c == '-' && !in_word)) {
      out += literal(c);
    } else if (c == ' ' && i > 0 && (text[i - 1] == '.' || text[i - 1] == '?')) {
      out += '\n';
    } else {
      out += c;
    }
  }
  return out;
}

// A line that begins with a dot or a quote would be a request. \& is an empty character.
std::string lines(const std::string& text) {
  std::string out;
  bool begins = true;
  for (const char c : text) {
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    out += c;
    begins = c == '\n';
  }
  return out + "\n";
}

std::string paragraph(std::string_view text) {
  return ".PP\n" + lines(prose(text));
}

std::string row(const std::string& label, std::string_view meaning) {
  return ".TP\n" + lines(label) + lines(prose(meaning));
}

std::string option_rows(std::span<const Option> options) {
  std::string out;
  for (const Option& option : options) {
    const std::string value =
        option.metavar.empty() ? "" : fmt::format(" \\fI{}\\fR", code(option.metavar));
    out += row(fmt::format("\\fB{}\\fR{}", code(option.name), value), option.help);
  }
  return out;
}

std::string verb_part(const Verb& verb) {
  std::string out = fmt::format(".SS {}\n", code(verb.name)) + lines(prose(verb.summary));
  out += ".PP\n.nh\n.na\n" + lines(code(usage_line(verb))) + ".ad\n.hy\n";
  out += paragraph(verb.details);
  for (const Positional& positional : verb.positionals) {
    out += row(fmt::format("\\fI{}\\fR{}", code(positional.name),
                           positional.required ? "" : " (optional)"),
               positional.help);
  }
  out += option_rows(verb.options);
  if (verb.examples.empty()) return out;
  out += verb.examples.size() == 1 ? ".PP\nExample:\n" : ".PP\nExamples:\n";
  for (const Example& example : verb.examples) {
    out += ".PP\n.RS 4\n.nf\n" + lines(code(example.command)) + ".fi\n";
    out += lines(prose(example.meaning)) + ".RE\n";
  }
  return out;
}

std::string files_part() {
  const std::string socket(kDefaultSocket);
  const auto path = [](const std::string& name) { return "\\fI" + code(name) + "\\fR"; };
  return ".SH FILES\n" + row(path(socket), "admin socket of hawserd") +
         row(path(read_only_twin(socket)), "its read-only twin, for everybody") +
         row(path("/etc/hawser/hawser.toml"), "configuration of both daemons, which reload reads");
}

}  // namespace

std::string manual_page() {
  std::string out =
      ".\\\" Printed by \"hawserctl manual\". Do not edit.\n"
      ".TH HAWSERCTL 8 \"\" Hawser \"Administering Hawser\"\n"
      ".SH NAME\nhawserctl \\- administer Hawser, the load balancer\n"
      ".SH SYNOPSIS\n\\fBhawserctl\\fR [\\fIOPTIONS\\fR] \\fIVERB\\fR …\n"
      ".SH DESCRIPTION\n";
  out += lines(prose(kIntroduction));
  out += ".SH OPTIONS\nThey may stand before or after the verb.\n";
  out += option_rows(global_options());
  out += ".SH VERBS\n";
  for (const Verb& verb : verbs()) {
    if (!verb.hidden) out += verb_part(verb);
  }
  out += ".SH EXIT STATUS\n";
  for (const ExitMeaning& exit : exit_meanings()) {
    out += row(fmt::format("\\fB{}\\fR", exit.code), exit.meaning);
  }
  out += paragraph(kErrorsText);
  out += ".SH JSON\n" + lines(prose(kJsonText));
  out += paragraph("The keys of each verb are in reference/hawserctl.md of the documentation.");
  out += ".SH ENVIRONMENT\n";
  for (const Surrounding& each : kEnvironment) {
    out += row(fmt::format("\\fB{}\\fR", each.name), each.meaning);
  }
  out += files_part();
  out += ".SH SEE ALSO\n.BR hawser.toml (5),\n.BR hawserd (8),\n.BR hawser\\-dataplane (8)\n";
  return out;
}

}  // namespace hawser::ctl
