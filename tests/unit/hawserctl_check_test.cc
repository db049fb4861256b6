// `hawserctl check`: the same words as hawserd for every kind of fault, exit codes and JSON.
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "check.h"
#include "configuration_file.h"
#include "hawserctl_samples.h"
#include "run.h"
#include "scratch_directory.h"

namespace hawser::ctl {
namespace {

constexpr const char* kGood = R"([[port]]
name = "uplink"
device = "net_null0"
addresses = ["10.0.0.2/24"]
nat_addresses = ["10.0.0.3"]
[[prefix_list]]
name = "blocked"
prefixes = ["198.51.100.0/24"]
file = "@/list"
[[service]]
name = "web"
address = "10.0.0.100"
port = 80
forward = "splice"
protocol = "http"
deny = ["blocked"]
backend = [{ name = "b1", address = "10.0.0.11", port = 80 }]
[[service.rule]]
name = "admin"
path = { regex = "^/(\\w+)/secret$" }
deny = 403
)";

class CheckVerb : public testing::Test {
 protected:
  void SetUp() override {
    put("list", "192.0.2.0/24\n203.0.113.9\n");
    put("hawser.toml", good());
  }

  void put(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return directory_.path() + "/" + name;
  }
  [[nodiscard]] std::string good() const {
    std::string text = kGood;
    return text.replace(text.find('@'), 1, directory_.path());
  }
  // The good file with one text replaced.
  [[nodiscard]] std::string with(const std::string& text, const std::string& other) const {
    std::string file = good();
    return file.replace(file.find(text), text.size(), other);
  }

  // What `hawserctl check` says about the file in the directory, and with which exit code.
  std::string check(ExitCode expected, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"check", path("hawser.toml")};
    words.insert(words.end(), more.begin(), more.end());
    Capture capture;
    EXPECT_EQ(run(words, capture.console), expected);
    EXPECT_EQ(capture.err.str(), "");
    return capture.out.str();
  }

 private:
  control::ScratchDirectory directory_;
};

TEST_F(CheckVerb, AGoodFileIsToldInOneLine) {
  EXPECT_EQ(check(ExitCode::kOk), path("hawser.toml") +
                                      " is good: 1 port, 1 service, 1 backend, 1 rule, 1 prefix "
                                      "list with 3 prefixes\n");
}

TEST_F(CheckVerb, FaultsAreLinesWithPlaceAndAdvice) {
  put("hawser.toml", with("name = \"web\"", "nmae = \"web\""));
  const std::string file = path("hawser.toml");
  EXPECT_EQ(check(ExitCode::kUsage),
            file + ":10:1: service number 1: name is missing; write name = \"web\"\n" + file +
                ":11:1: service number 1: unknown key \"nmae\" (did you mean \"name\"?)\n");
}

TEST_F(CheckVerb, SaysWhatHawserdSaysOfEveryKindOfFault) {
  const std::vector<std::string> texts{
      with("[[port]]", "[[port]"),
      with("port = 80\n", ""),
      with("10.0.0.100", "10.0.0.2"),
      with("(\\\\w+)", "(\\\\w+"),
      with("/list\"", "/no such list\""),
      with("deny = [\"blocked\"]", "deny = [\"bloked\"]"),
      "",
      "\xff",
  };
  for (const std::string& text : texts) {
    put("hawser.toml", text);
    std::string lines;
    for (const auto& diagnostic : control::read_configuration(path("hawser.toml")).diagnostics) {
      lines += diagnostic.to_string() + "\n";
    }
    EXPECT_FALSE(lines.empty()) << text;
    EXPECT_EQ(check(ExitCode::kUsage), lines);
  }
}

TEST_F(CheckVerb, LooksIntoTheFilesOfPrefixLists) {
  put("list", "192.0.2.0/24\n192.0.2.300\n");
  EXPECT_EQ(check(ExitCode::kUsage).find(path("list") + ":2:1: \"192.0.2.300\" is no network"), 0U);
}

TEST_F(CheckVerb, AFileThatCannotBeReadIsBad) {
  Capture capture;
  const std::vector<std::string> words{"check", path("nothing")};
  EXPECT_EQ(run(words, capture.console), ExitCode::kUsage);
  EXPECT_EQ(capture.out.str(),
            path("nothing") + ":1:1: cannot be read: No such file or directory\n");
}

TEST_F(CheckVerb, AMissingFileNameIsAWrongCommandLine) {
  Capture capture;
  EXPECT_EQ(run(std::vector<std::string>{"check"}, capture.console), ExitCode::kUsage);
  EXPECT_EQ(capture.out.str(), "");
  EXPECT_NE(capture.err.str().find("FILE"), std::string::npos) << capture.err.str();
}

TEST_F(CheckVerb, ADashReadsStandardInput) {
  for (const bool bad : {false, true}) {
    std::istringstream in(bad ? with("port = 80\n", "port = 0\n") : good());
    std::ostringstream out;
    Console console{.out = out,
                    .err = out,
                    .terminal = false,
                    .no_color = true,
                    .socket = std::nullopt,
                    .author = "ada",
                    .now_unix = [] { return kNow; },
                    .in = in};
    EXPECT_EQ(run(std::vector<std::string>{"check", "-"}, console),
              bad ? ExitCode::kUsage : ExitCode::kOk);
    EXPECT_EQ(out.str().find(bad ? "<stdin>:13:8: service \"web\": port is 0" : "<stdin> is good"),
              0U)
        << out.str();
  }
}

TEST_F(CheckVerb, JsonHasEveryKeyInBothCases) {
  const Json good = Json::parse(check(ExitCode::kOk, {"--json"}));
  EXPECT_EQ(good["good"], true);
  EXPECT_EQ(good["diagnostics"].size(), 0U);
  EXPECT_EQ(good["prefixes"], 3);
  EXPECT_EQ(good["rules"], 1);
  put("hawser.toml", with("port = 80\n", "port = 0\n"));
  const Json bad = Json::parse(check(ExitCode::kUsage, {"--json"}));
  EXPECT_EQ(bad["good"], false);
  EXPECT_EQ(bad["services"], 0);
  ASSERT_EQ(bad["diagnostics"].size(), 1U);
  EXPECT_EQ(bad["diagnostics"][0]["file"], path("hawser.toml"));
  EXPECT_EQ(bad["diagnostics"][0]["line"], 13);
  EXPECT_EQ(bad["diagnostics"][0]["column"], 8);
  EXPECT_EQ(bad["diagnostics"][0]["message"], "service \"web\": port is 0, must be 1 to 65535");
}

}  // namespace
}  // namespace hawser::ctl
