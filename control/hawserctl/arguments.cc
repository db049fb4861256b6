// Sets up CLI11 from the table of commands and checks what it found.
#include "arguments.h"

#include <charconv>
#include <optional>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "hawser/base/nearest.h"
#include "value_checks.h"

namespace hawser::ctl {
namespace {

Failure usage(std::string what, const Verb* verb) {
  return {ExitCode::kUsage, std::move(what),
          verb == nullptr ? "see \"hawserctl --help\""
                          : fmt::format("see \"hawserctl {} --help\"", verb->name)};
}

void add_options(CLI::App& app, std::span<const Option> options) {
  for (const Option& option : options) {
    const std::string name(option.name == "--help" ? "-h,--help" : option.name);
    if (option.value == Value::kFlag) {
      app.add_flag(name);
    } else if (option.repeats) {
      app.add_option(name)->expected(1)->take_all();
    } else {
      app.add_option(name)->expected(1)->take_last();
    }
  }
}

// Required positionals are checked by us: so that `--help` works without them, and in our words.
void add_positionals(CLI::App& app, std::span<const Positional> positionals) {
  for (const Positional& positional : positionals) {
    app.add_option(std::string(positional.name))->expected(1);
  }
}

Failure unexpected(const std::string& extra, const Verb* verb) {
  std::vector<std::string> known;
  if (extra.starts_with("-")) {
    const bool number = extra.size() > 1 && extra[1] >= '0' && extra[1] <= '9';
    if (number) return usage(fmt::format("{} is negative, which nothing here can be", extra), verb);
    for (const Option& option : global_options()) known.emplace_back(option.name);
    if (verb != nullptr) {
      for (const Option& option : verb->options) known.emplace_back(option.name);
    }
    return usage(fmt::format("unknown option {}{}", extra, suggestion(extra, known)), verb);
  }
  if (verb != nullptr) {
    return usage(fmt::format("\"{}\" is one argument too many", extra), verb);
  }
  for (const Verb& each : verbs()) {
    if (!each.hidden) known.emplace_back(each.name);
  }
  return usage(fmt::format("unknown verb \"{}\"{}", extra, suggestion(extra, known)), nullptr);
}

const Verb* chosen_verb(const CLI::App& app) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  return chosen.empty() ? nullptr : find_verb(chosen.front()->get_name());
}

// CLI11 refuses only what lacks its value, as "--socket: 1 required …".
Failure incomplete(const std::string& error, const Verb* verb) {
  const std::string name = error.substr(0, error.find(':'));
  const auto explain = [&](std::span<const Option> options) -> std::optional<Failure> {
    for (const Option& option : options) {
      if (option.name == name && option.value != Value::kFlag) {
        return usage(fmt::format("{} needs a value: {} {}", name, name, option.metavar), verb);
      }
      if (option.name == name) return usage(fmt::format("{} takes no value", name), verb);
    }
    return std::nullopt;
  };
  if (auto failure = explain(global_options())) return *failure;
  if (verb != nullptr) {
    if (auto failure = explain(verb->options)) return *failure;
  }
  return usage(error, verb);
}

std::optional<Failure> check_capture(const Verb& verb, const Arguments& arguments) {
  if (!arguments.has("--out")) {
    return usage("capture needs --out FILE; - is standard output", &verb);
  }
  if (arguments.text("--out") == "-" && arguments.has("--json")) {
    return usage("--json and --out - both want standard output", &verb);
  }
  return std::nullopt;
}

// WEIGHT is the one positional with a word of its own: 0 has an answer.
Failure bad_value(const std::string& name, const std::string& text, const std::string& wrong,
                  const Verb* verb) {
  Failure failure = usage(fmt::format("{} \"{}\" {}", name, text, wrong), verb);
  if (name == "WEIGHT" && text == "0") {
    failure.advice =
        "say \"hawserctl drain\" for no new flows, \"hawserctl maintenance\" for no traffic";
  }
  return failure;
}

// A request is described, or taken from a file whole.
std::optional<Failure> check_request(const Verb& verb, const Arguments& arguments) {
  const auto given = [&](std::initializer_list<const char*> names) -> std::string {
    for (const char* name : names) {
      if (arguments.has(name)) return name;
    }
    return {};
  };
  const std::string http = given({"PATH", "--method", "--host", "--header", "--cookie"});
  const std::string tls = given({"--sni", "--alpn"});
  if (arguments.has("--file") && !(http + tls).empty()) {
    return usage(fmt::format("--file holds the whole head, {} would be a part of it",
                             http.empty() ? tls : http),
                 &verb);
  }
  if (http.empty() || tls.empty()) return std::nullopt;
  return usage(
      fmt::format("{} is of an HTTP request, {} of a TLS client: give one kind", http, tls), &verb);
}

std::optional<Failure> check_verb(const Verb& verb, const Arguments& arguments) {
  for (const Positional& positional : verb.positionals) {
    if (positional.required && !arguments.has(positional.name)) {
      return usage(fmt::format("{} needs a {}: {}", verb.name, positional.name, positional.help),
                   &verb);
    }
  }
  if (verb.id == VerbId::kWeight && arguments.has("WEIGHT") == arguments.has("--file")) {
    return usage("weight needs either a WEIGHT or --file", &verb);
  }
  if (verb.id == VerbId::kDrain && !arguments.has("--by")) {
    for (const char* term : {"--jitter", "--forever"}) {
      if (arguments.has(term)) {
        return usage(fmt::format("{} is about a deadline, which --by sets", term), &verb);
      }
    }
  }
  if (arguments.has("--jitter") && arguments.has("--forever")) {
    return usage("--forever ends nothing, so there is nothing to spread by --jitter", &verb);
  }
  if (verb.id == VerbId::kKeys && !arguments.has("ACTION")) {
    for (const Option& option : verb.options) {
      if (arguments.has(option.name)) {
        return usage(fmt::format("{} is for keys rotate", option.name), &verb);
      }
    }
  }
  if (verb.id == VerbId::kCapture) return check_capture(verb, arguments);
  if (verb.id == VerbId::kWhy || verb.id == VerbId::kTrace) return check_request(verb, arguments);
  return std::nullopt;
}

bool repeats(const Option& option) {
  return option.repeats;
}
bool repeats(const Positional& /*positional*/) {
  return false;
}

// Collects the values of `rows` that `app` found; the first bad one ends it.
template <typename Row>
std::optional<Failure> collect(
    const CLI::App& app, std::span<const Row> rows, const Verb* verb,
    std::map<std::string, std::vector<std::string>, std::less<>>& values) {
  for (const Row& row : rows) {
    const std::string name(row.name);
    const CLI::Option* option = app.get_option(name);
    if (option->count() == 0) continue;
    std::vector<std::string> texts{""};
    if (row.value != Value::kFlag) texts = option->results();
    if (!repeats(row)) texts = {texts.back()};
    for (const std::string& text : texts) {
      if (const auto wrong = check_value(row.value, text, row.low, row.high)) {
        return bad_value(name, text, *wrong, verb);
      }
    }
    values[name] = std::move(texts);
  }
  return std::nullopt;
}

// The place of the verb in `args`; their number when there is none.
std::size_t place_of_verb(std::span<const std::string> args) {
  for (std::size_t at = 0; at < args.size(); ++at) {
    if (!args[at].starts_with("-")) return at;
    for (const Option& option : global_options()) {
      if (option.name == args[at] && option.value != Value::kFlag) ++at;
    }
  }
  return args.size();
}

// "plan drain web/b1" is "drain web/b1 --dry-run". What cannot be planned is left as it is.
std::vector<std::string> without_plan(std::span<const std::string> args) {
  std::vector<std::string> words(args.begin(), args.end());
  const std::size_t plan = place_of_verb(args);
  if (plan == args.size() || args[plan] != "plan") return words;
  const std::size_t verb = plan + 1 + place_of_verb(args.subspan(plan + 1));
  if (verb == args.size() || check_value(Value::kPlanned, args[verb], 0, 0)) return words;
  words.erase(words.begin() + static_cast<std::ptrdiff_t>(plan));
  words.insert(words.begin() + static_cast<std::ptrdiff_t>(verb), "--dry-run");
  return words;
}

}  // namespace

Outcome<Arguments> Arguments::parse(std::span<const std::string> args) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.require_subcommand(0, 1);
  add_options(app, global_options());
  for (const Verb& verb : verbs()) {
    CLI::App* sub = app.add_subcommand(std::string(verb.name));
    sub->set_help_flag();
    sub->fallthrough();
    sub->allow_extras();
    add_positionals(*sub, verb.positionals);
    add_options(*sub, verb.options);
  }
  Arguments result;
  try {
    const std::vector<std::string> words = without_plan(args);
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    return incomplete(error.what(), chosen_verb(app));
  }
  result.verb_ = chosen_verb(app);
  if (const auto extras = app.remaining(true); !extras.empty()) {
    return unexpected(extras.front(), result.verb_);
  }
  if (auto bad = collect(app, global_options(), result.verb_, result.values_)) return *bad;
  if (result.verb_ == nullptr) return result;
  const CLI::App& sub = *app.get_subcommands().front();
  if (auto bad = collect(sub, result.verb_->positionals, result.verb_, result.values_)) return *bad;
  if (auto bad = collect(sub, result.verb_->options, result.verb_, result.values_)) return *bad;
  if (result.has("--help")) return result;
  if (auto bad = check_verb(*result.verb_, result)) return *bad;
  return result;
}

bool Arguments::changes() const {
  return verb_ != nullptr && (verb_->changes || has("ACTION"));
}

std::string Arguments::text(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string() : found->second.back();
}

std::vector<std::string> Arguments::texts(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

std::uint64_t Arguments::number(std::string_view name, std::uint64_t otherwise) const {
  if (!has(name)) return otherwise;
  const std::string digits = text(name);
  std::uint64_t value = otherwise;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::chrono::milliseconds Arguments::seconds(std::string_view name,
                                             std::chrono::milliseconds otherwise) const {
  if (!has(name)) return otherwise;
  const std::string digits = text(name);
  double value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return std::chrono::milliseconds(static_cast<std::int64_t>(value * 1000));
}

std::uint64_t Arguments::duration(std::string_view name, std::uint64_t otherwise) const {
  return has(name) ? read_duration(text(name)).value_or(otherwise) : otherwise;
}

BackendName split_backend(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {"", std::string(text)};
  return {std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

}  // namespace hawser::ctl
