// Reloads of rules: compiled before anything changes, and not again without need.
#include "controller_fixture.h"

namespace hawser::control {
namespace {

constexpr const char* kSpliced = R"(
[[port]]
name = "uplink"
device = "net_null0"
addresses = ["10.0.0.2/24"]
nat_addresses = ["10.0.0.3"]
[[service]]
name = "web"
address = "10.0.0.100"
port = 80
forward = "splice"
protocol = "http"
backend = [{ name = "b1", address = "10.0.0.11", port = 80 }]
[[service.rule]]
name = "admin"
path = [{ prefix = "/admin/" }, { regex = "^/(\\w+)/secret$" }]
deny = 403
)";

// The file with a text in it replaced by another.
std::string with(const std::string& text, const std::string& other) {
  std::string file = kSpliced;
  file.replace(file.find(text), text.size(), other);
  return file;
}

TEST_F(ControllerTest, RulesAreCompiledForTheDataplane) {
  dataplane_->connect(1);
  write(kSpliced);
  const ReloadOutcome outcome =
      controller_->reload({.author = "ada", .reason = "", .dry_run = false});
  ASSERT_TRUE(outcome.diagnostics.empty()) << outcome.diagnostics.front();
  const model::Splice splice = dataplane_->running(outcome.change.epoch).services.at(0).splice;
  EXPECT_EQ(splice.rules.size(), 1U);
  EXPECT_FALSE(splice.rules_database.empty());
  EXPECT_TRUE(controller_->reload({.author = "ada", .reason = "", .dry_run = false})
                  .change.changes.empty());
  write(with("403", "404"));
  const ReloadOutcome changed =
      controller_->reload({.author = "ada", .reason = "", .dry_run = false});
  EXPECT_EQ(changed.change.changes,
            (std::vector<Change>{{"web", "", "rule admin",
                                  "path prefix /admin/ or regex ^/(\\w+)/secret$: deny 403",
                                  "path prefix /admin/ or regex ^/(\\w+)/secret$: deny 404"}}));
  EXPECT_EQ(dataplane_->running(changed.change.epoch).services.at(0).splice.rules_database,
            splice.rules_database);
}

TEST_F(ControllerTest, ARuleThatCannotBeCompiledChangesNothing) {
  dataplane_->connect(1);
  write(kSpliced);
  const std::uint64_t epoch =
      dataplane_
          ->running(
              controller_->reload({.author = "ada", .reason = "", .dry_run = false}).change.epoch)
          .epoch.value;
  write(with("(\\\\w+)", "(?=x)"));
  for (const bool dry_run : {true, false}) {
    const ReloadOutcome outcome =
        controller_->reload({.author = "ada", .reason = "", .dry_run = dry_run});
    ASSERT_EQ(outcome.diagnostics.size(), 1U);
    EXPECT_EQ(outcome.diagnostics[0].rfind(file_ + ":16:43: service \"web\", rule \"admin\": "
                                                   "\"^/(?=x)/secret$\" cannot be compiled: ",
                                           0),
              0U)
        << outcome.diagnostics[0];
    EXPECT_TRUE(outcome.change.changes.empty());
  }
  EXPECT_EQ(controller_->view().desired.value, epoch);
}

TEST_F(ControllerTest, RulesThatAreRunningAreNotCompiledAgain) {
  write(kSpliced);
  model::Configuration running = read_configuration(file_).configuration;
  running.services.at(0).splice.rules_database = "compiled before";
  write(with("port = 80\nforward", "port = 81\nforward"));
  const model::ParsedConfiguration same = read_configuration(file_, running);
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(same.configuration.services.at(0).splice.rules_database, "compiled before");
  write(with("/admin/", "/root/"));
  const model::ParsedConfiguration other = read_configuration(file_, running);
  ASSERT_TRUE(other.ok());
  EXPECT_NE(other.configuration.services.at(0).splice.rules_database, "compiled before");
}

}  // namespace
}  // namespace hawser::control
