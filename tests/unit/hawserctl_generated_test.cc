// What hawserctl writes about itself from its tables: pages and completion scripts.
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "arguments.h"
#include "commands.h"
#include "completion.h"
#include "hawser/model/configuration.h"
#include "hawserctl_samples.h"
#include "help.h"
#include "manual.h"
#include "reference.h"
#include "run.h"

namespace hawser::ctl {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string read_source(const std::string& path) {
  std::ifstream file(std::string(HAWSER_SOURCE_ROOT) + "/" + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// As roff writes it.
std::string in_roff(std::string_view name) {
  std::string out;
  for (const char letter : name) {
    if (letter == '-') out += '\\';
    out += letter;
  }
  return out;
}

TEST(Generated, WhatIsCommittedIsUpToDate) {
  struct Row {
    std::string path;
    std::vector<std::string> words;
  };
  const std::vector<Row> rows{
      {"docs/reference/hawserctl.md", {"reference"}},
      {"packaging/man/hawserctl.8", {"manual"}},
      {"packaging/bash-completion/hawserctl", {"completion"}},
      {"packaging/bash-completion/hawserctl", {"completion", "bash"}},
      {"packaging/zsh-completion/_hawserctl", {"completion", "zsh"}},
      {"packaging/fish-completion/hawserctl.fish", {"completion", "fish"}},
  };
  for (const Row& row : rows) {
    Capture capture;
    EXPECT_EQ(run(row.words, capture.console), ExitCode::kOk);
    EXPECT_GT(capture.out.str().size(), 1000U);
    EXPECT_EQ(read_source(row.path), capture.out.str())
        << "say: hawserctl " << row.words.front() << (row.words.size() > 1 ? " SHELL" : "") << " > "
        << row.path;
  }
}

TEST(Generated, EveryVerbAndOptionIsOnThePagesInTheHelpAndInTheCompletion) {
  const std::string page = reference_page();
  const std::string manual = manual_page();
  for (const Verb& verb : verbs()) {
    const std::string name(verb.name);
    EXPECT_EQ(contains(page, "### " + name + "\n"), !verb.hidden);
    EXPECT_EQ(contains(manual, ".SS " + in_roff(name) + "\n"), !verb.hidden);
    EXPECT_EQ(contains(zsh_completion(), "    '" + name + ":"), !verb.hidden);
    EXPECT_EQ(contains(fish_completion(), "_no_verb -a " + name + " -d"), !verb.hidden);
    if (verb.hidden) continue;
    EXPECT_TRUE(contains(general_help(), std::string(verb.summary).substr(0, 20))) << verb.name;
    for (const Option& option : verb.options) {
      const std::string word(option.name);
      EXPECT_TRUE(contains(page, "`" + word)) << word;
      EXPECT_TRUE(contains(manual, ".TP\n\\fB" + in_roff(word) + "\\fR")) << word;
      EXPECT_TRUE(contains(bash_completion(), word)) << word;
      EXPECT_TRUE(contains(zsh_completion(), word + (option.metavar.empty() ? "[" : "=["))) << word;
      EXPECT_TRUE(contains(fish_completion(), "_at " + name + "' -l " + word.substr(2))) << word;
      EXPECT_TRUE(contains(verb_help(verb), word)) << word;
    }
  }
}

// Places to be filled are written @LIKE@.
bool has_place(const std::string& script) {
  for (std::size_t at = script.find('@'); at != std::string::npos; at = script.find('@', at + 1)) {
    std::size_t end = at + 1;
    while (end < script.size() && script[end] >= 'A' && script[end] <= 'Z') ++end;
    if (end > at + 1 && end < script.size() && script[end] == '@') return true;
  }
  return false;
}

TEST(Generated, NoPlaceOfAScriptIsLeftEmpty) {
  EXPECT_TRUE(has_place("a b@VERBS@"));
  for (const std::string& script : {bash_completion(), zsh_completion(), fish_completion()}) {
    EXPECT_FALSE(has_place(script));
  }
}

TEST(Generated, AChoiceTakesItsWordsOnly) {
  for (const Value value : {Value::kSort, Value::kAction, Value::kPlanned, Value::kShell}) {
    EXPECT_FALSE(words_of(value).empty());
  }
  EXPECT_EQ(words_of(Value::kSort).size(), sort_keys().size());
  for (const std::string_view shell : words_of(Value::kShell)) {
    EXPECT_TRUE(Arguments::parse(std::vector<std::string>{"completion", std::string(shell)}));
  }
  const auto wrong = Arguments::parse(std::vector<std::string>{"completion", "fsih"});
  ASSERT_FALSE(wrong);
  EXPECT_TRUE(
      contains(wrong.failure().what, "must be one of bash, zsh, fish (did you mean \"fish\"?)"))
      << wrong.failure().what;
  const auto action = Arguments::parse(std::vector<std::string>{"keys", "rotat"});
  ASSERT_FALSE(action);
  EXPECT_TRUE(contains(action.failure().what, "must be rotate, or left out"));
}

TEST(Packaging, TheExampleConfigurationIsGood) {
  const auto parsed =
      model::parse_configuration(read_source("packaging/hawser.toml"), "hawser.toml");
  for (const model::Diagnostic& diagnostic : parsed.diagnostics) {
    ADD_FAILURE() << diagnostic.to_string();
  }
  EXPECT_EQ(parsed.configuration.services.size(), 2U);
}

TEST(Generated, ExamplesAreCommandLinesThatParse) {
  for (const Verb& verb : verbs()) {
    for (const Example& example : verb.examples) {
      std::istringstream words{std::string(example.command)};
      std::string word;
      words >> word;
      EXPECT_EQ(word, "hawserctl");
      words >> word;
      EXPECT_EQ(word, verb.name);
    }
  }
}

}  // namespace
}  // namespace hawser::ctl
