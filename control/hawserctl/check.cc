// Checks a configuration file with what hawserd checks it with, and prints the verdict.
#include "check.h"

#include "configuration_file.h"
#include "hawser/base/limits.h"
#include "table.h"

namespace hawser::ctl {
namespace {

constexpr const char* kStandardInput = "<stdin>";

// As much of it as the longest configuration has, and one byte more.
Result<std::string> read_input(std::istream& in) {
  std::string text(limits::kMaxConfigurationBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return fail("standard input failed");
  return text;
}

}  // namespace

Json check_json(const std::string& name, const model::ParsedConfiguration& parsed) {
  Json json;
  json["file"] = name;
  json["good"] = parsed.ok();
  json["diagnostics"] = Json::array();
  for (const model::Diagnostic& diagnostic : parsed.diagnostics) {
    json["diagnostics"].push_back({{"file", diagnostic.file},
                                   {"line", diagnostic.line},
                                   {"column", diagnostic.column},
                                   {"message", diagnostic.message}});
  }
  const control::Holdings holdings =
      parsed.ok() ? control::holdings_of(parsed.configuration) : control::Holdings{};
  json["ports"] = holdings.ports;
  json["services"] = holdings.services;
  json["backends"] = holdings.backends;
  json["rules"] = holdings.rules;
  json["prefix_lists"] = holdings.prefix_lists;
  json["prefixes"] = holdings.prefixes;
  return json;
}

ExitCode check_file(const std::string& file, bool json, Console& console) {
  const bool input = file == "-";
  const std::string name = input ? kStandardInput : file;
  const model::ParsedConfiguration parsed =
      input ? control::judge_configuration(read_input(console.in), name)
            : control::read_configuration(file);
  if (json) {
    console.out << dump(check_json(name, parsed));
  } else if (parsed.ok()) {
    console.out << printable(control::good_news(name, parsed.configuration)) << "\n";
  } else {
    for (const model::Diagnostic& diagnostic : parsed.diagnostics) {
      console.out << printable(diagnostic.to_string()) << "\n";
    }
  }
  return parsed.ok() ? ExitCode::kOk : ExitCode::kUsage;
}

}  // namespace hawser::ctl
