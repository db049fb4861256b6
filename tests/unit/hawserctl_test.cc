// Tests of what hawserctl reads and how it fails: units, tables, arguments, errors.
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "arguments.h"
#include "errors.h"
#include "hawserctl_samples.h"
#include "json.h"
#include "run.h"
#include "table.h"
#include "units.h"

namespace hawser::ctl {
namespace {

const Paint kPlainPaint(false);

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// --- units ---------------------------------------------------------------------------------------

TEST(Units, CountsAreExactBelowTenThousandAndScaledAbove) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(9999), "9999");
  EXPECT_EQ(human_count(10'000), "10.0 k");
  EXPECT_EQ(human_count(1'234'567), "1.2 M");
  EXPECT_EQ(human_count(999'950), "1.0 M");  // never 1000.0 k
  EXPECT_EQ(human_count(18'446'744'073'709'551'615ULL), "18.4 E");
}

TEST(Units, RatesBytesAndBits) {
  EXPECT_EQ(human_rate(0), "0");
  EXPECT_EQ(human_rate(0.5), "0.5");
  EXPECT_EQ(human_rate(42.4), "42");
  EXPECT_EQ(human_rate(1'200'000), "1.2 M");
  EXPECT_EQ(human_bytes(512), "512 B");
  EXPECT_EQ(human_bytes(1500), "1.5 kB");
  EXPECT_EQ(human_bits(3.4e9), "3.4 Gbit/s");
  EXPECT_EQ(human_bits(-1), "0 bit/s");
  EXPECT_EQ(human_share(0.4273), "42.7 %");
}

TEST(Units, DurationsShowTheTwoLargestUnits) {
  EXPECT_EQ(human_duration(0), "0 s");
  EXPECT_EQ(human_duration(59), "59 s");
  EXPECT_EQ(human_duration(61), "1 min");
  EXPECT_EQ(human_duration(7200), "2 h");
  EXPECT_EQ(human_duration(7500), "2 h 5 min");
  EXPECT_EQ(human_duration(3 * 86400 + 4 * 3600), "3 d 4 h");
}

TEST(Units, AgoKnowsUnknownAndFuture) {
  EXPECT_EQ(human_ago(0, kNow), "-");
  EXPECT_EQ(human_ago(kNow + 5, kNow), "just now");
  EXPECT_EQ(human_ago(kNow - 180, kNow), "3 min ago");
}

TEST(Units, NounsArePluralUnlessOne) {
  EXPECT_EQ(counted(1, "flow"), "1 flow");
  EXPECT_EQ(counted(0, "flow"), "0 flows");
}

// --- tables --------------------------------------------------------------------------------------

TEST(Tables, ColumnsAlignAndLinesHaveNoTrailingBlanks) {
  Table table({{"NAME"}, {"FLOWS", Align::kRight}, {"WHY"}});
  table.add({"b1", "7", "fine"});
  table.add({"longer", "1234", ""});
  EXPECT_EQ(table.render(kPlainPaint),
            "NAME    FLOWS  WHY\n"
            "b1          7  fine\n"
            "longer   1234  -\n");
}

TEST(Tables, WidthCountsCharactersAndNotBytes) {
  Table table({{"WHY"}, {"N"}});
  table.add({"größe", "1"});
  table.add({"x", "2"});
  EXPECT_EQ(table.render(kPlainPaint), "WHY    N\ngröße  1\nx      2\n");
}

TEST(Tables, ColoursDoNotDisturbTheAlignment) {
  Table table({{"STATE"}, {"N"}});
  table.add({Cell("down", Tone::kBad), "1"});
  const std::string text = table.render(Paint(true));
  EXPECT_TRUE(contains(text, "\x1b[1;31mdown\x1b[0m   1")) << text;
}

TEST(Tables, TextFromElsewhereCannotSteerTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\nc\x7f"), "a?[2Jb?c?");
  EXPECT_EQ(printable("x\xc2\x9b"
                      "31m"),
            "x?31m");  // U+009B: CSI in one character
  EXPECT_EQ(printable("größe"), "größe");
}

// --- arguments -----------------------------------------------------------------------------------

Outcome<Arguments> parse(std::vector<std::string> args) {
  return Arguments::parse(args);
}

TEST(Arguments, GlobalOptionsStandBeforeOrAfterTheVerb) {
  for (const auto& args : {std::vector<std::string>{"--json", "--timeout", "3", "status"},
                           std::vector<std::string>{"status", "--json", "--timeout", "3"},
                           std::vector<std::string>{"--json", "status", "--timeout=3"}}) {
    const auto arguments = parse(args);
    ASSERT_TRUE(arguments) << arguments.failure().what;
    EXPECT_EQ(arguments->verb()->name, "status");
    EXPECT_TRUE(arguments->has("--json"));
    EXPECT_EQ(arguments->seconds("--timeout", {}), std::chrono::seconds(3));
  }
}

TEST(Arguments, ABackendMayBeCalledLikeAVerb) {
  const auto arguments = parse({"drain", "status"});
  ASSERT_TRUE(arguments);
  EXPECT_EQ(arguments->verb()->name, "drain");
  EXPECT_EQ(arguments->text("BACKEND"), "status");
}

TEST(Arguments, BackendsAreNamedWithOrWithoutTheirService) {
  EXPECT_EQ(split_backend("web/b1").service, "web");
  EXPECT_EQ(split_backend("web/b1").backend, "b1");
  EXPECT_EQ(split_backend("b1").service, "");
  EXPECT_EQ(split_backend("b1").to_string(), "b1");
}

TEST(Arguments, MistakesAreExplained) {
  struct Row {
    std::vector<std::string> args;
    std::string words;  // what the message must contain
  };
  const std::vector<Row> rows{
      {{"drian", "web/b1"}, R"(unknown verb "drian" (did you mean "drain"?))"},
      {{"status", "--jsno"}, R"((did you mean "--json"?))"},
      {{"status", "now"}, "one argument too many"},
      {{"weight", "web/b1"}, "either a WEIGHT or --file"},
      {{"weight", "web/b1", "50", "--file"}, "either a WEIGHT or --file"},
      {{"weight", "web/b1", "1001"}, "from 1 to 1000"},
      {{"weight", "web/b1", "-5"}, "from 1 to 1000"},
      {{"weight", "web/b1", "5x"}, "from 1 to 1000"},
      {{"weight"}, "needs a BACKEND"},
      {{"drain", "web/"}, "must be SERVICE/BACKEND"},
      {{"drain", "/b1"}, "must be SERVICE/BACKEND"},
      {{"drain", "a/b/c"}, "must be SERVICE/BACKEND"},
      {{"status", "--timeout", "0"}, "above 0"},
      {{"status", "--timeout", "nan"}, "above 0"},
      {{"status", "--timeout"}, "--timeout needs a value"},
      {{"top", "--sort", "bit"}, R"((did you mean "bits"?))"},
      {{"flows", "--limit", "0"}, "whole number from 1"},
  };
  for (const Row& row : rows) {
    const auto arguments = parse(row.args);
    ASSERT_FALSE(arguments) << row.words;
    EXPECT_EQ(arguments.failure().code, ExitCode::kUsage);
    EXPECT_TRUE(contains(arguments.failure().what, row.words)) << arguments.failure().what;
  }
}

TEST(Arguments, WeightZeroIsAnsweredWithTheVerbsThatMeanIt) {
  const auto arguments = parse({"weight", "web/b1", "0"});
  ASSERT_FALSE(arguments);
  EXPECT_TRUE(contains(arguments.failure().advice, "hawserctl drain"));
}

TEST(Arguments, HelpNeedsNothingElse) {
  Capture capture;
  const std::vector<std::string> args{"weight", "--help"};
  EXPECT_EQ(run(args, capture.console), ExitCode::kOk);
  EXPECT_TRUE(contains(capture.out.str(), "Usage: hawserctl weight BACKEND [WEIGHT]"));
}

TEST(Arguments, NoVerbIsAUsageErrorWithHelp) {
  Capture capture;
  EXPECT_EQ(run({}, capture.console), ExitCode::kUsage);
  EXPECT_TRUE(contains(capture.err.str(), "Verbs:"));
}

// --- errors --------------------------------------------------------------------------------------

TEST(Errors, EachStatusHasItsExitCode) {
  using enum grpc::StatusCode;
  const std::vector<std::pair<grpc::StatusCode, ExitCode>> rows{
      {INVALID_ARGUMENT, ExitCode::kUsage},      {NOT_FOUND, ExitCode::kFailed},
      {FAILED_PRECONDITION, ExitCode::kRefused}, {DEADLINE_EXCEEDED, ExitCode::kTimedOut},
      {UNAVAILABLE, ExitCode::kUnreachable},     {PERMISSION_DENIED, ExitCode::kFailed},
      {UNIMPLEMENTED, ExitCode::kFailed},        {INTERNAL, ExitCode::kFailed},
  };
  for (const auto& [status, code] : rows) {
    EXPECT_EQ(failure_of(grpc::Status(status, "text"), "/s").code, code) << status;
  }
}

TEST(Errors, AChangeOnTheReadOnlySocketSaysWhichSocketIsNeeded) {
  const Failure failure = failure_of(grpc::Status(grpc::UNIMPLEMENTED, ""), "/run/h-ro.sock");
  EXPECT_TRUE(contains(failure.what, "/run/h-ro.sock"));
  EXPECT_TRUE(contains(failure.advice, "admin socket"));
}

TEST(Errors, AreOneLineForPeopleAndAnObjectForPrograms) {
  const Failure failure{ExitCode::kRefused, "no", "wait"};
  EXPECT_EQ(render(failure, false), "hawserctl: no: wait\n");
  const Json json = Json::parse(render(failure, true));
  EXPECT_EQ(json["error"]["code"], 3);
  EXPECT_EQ(json["error"]["kind"], "refused");
  EXPECT_EQ(json["error"]["message"], "no");
  EXPECT_EQ(json["error"]["advice"], "wait");
}

TEST(Errors, NobodyAtTheSocketIsUnreachable) {
  const auto failure = probe("/nonexistent/hawserd.sock");
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, ExitCode::kUnreachable);
  EXPECT_EQ(probe(std::string(200, 'x'))->code, ExitCode::kUsage);
}

}  // namespace
}  // namespace hawser::ctl
