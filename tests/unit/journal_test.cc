// The journal: what is recorded is there after a restart, and only one process has it.
#include "journal.h"

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <span>
#include <thread>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "scratch_directory.h"

namespace hawser::control {
namespace {

const Intent kDrain{"web", "b1", "mode", "drain", {"ann", "disk swap", 100}};
const Intent kWeight{"web", "b2", "weight", "50", {"bob", "", 200}};

class JournalTest : public testing::Test {
 protected:
  std::unique_ptr<Journal> open() {
    Result<std::unique_ptr<Journal>> journal = Journal::open(directory_);
    EXPECT_TRUE(journal.has_value()) << (journal ? "" : journal.error().message);
    return journal ? *std::move(journal) : nullptr;
  }

  ScratchDirectory scratch_;
  std::string directory_ = scratch_.path() + "/a/state";
};

TEST_F(JournalTest, ANewOneIsEmptyAndPrivate) {
  const std::unique_ptr<Journal> journal = open();
  EXPECT_TRUE(journal->intents()->empty());
  EXPECT_TRUE(journal->history({}, 10)->empty());
  EXPECT_FALSE(journal->flow_key()->has_value());
  EXPECT_EQ(*journal->reserved_epoch(), Epoch(0));
  struct stat status {};
  ASSERT_EQ(stat(directory_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST_F(JournalTest, IntentsSurviveARestart) {
  const std::vector<IntentChange> changes{{kDrain, "ready", "drain", kDrain.by},
                                          {kWeight, "100", "50", kWeight.by}};
  ASSERT_TRUE(open()->record(changes).has_value());
  EXPECT_EQ(*open()->intents(), (std::vector<Intent>{kDrain, kWeight}));
}

// What is in the database file alone, without its log.
std::size_t intents_without_the_log(const std::string& directory, const std::string& copy) {
  std::filesystem::create_directories(copy);
  std::filesystem::copy_file(directory + "/journal.sqlite", copy + "/journal.sqlite",
                             std::filesystem::copy_options::overwrite_existing);
  Result<std::unique_ptr<Journal>> journal = Journal::open(copy);
  return journal ? (*journal)->intents()->size() : 0;
}

TEST_F(JournalTest, TheLogMovesIntoTheDatabaseWhileTheJournalIsOpen) {
  const std::unique_ptr<Journal> journal = open();
  const std::vector<IntentChange> changes{{kDrain, "ready", "drain", kDrain.by}};
  ASSERT_TRUE(journal->record(changes).has_value());
  std::size_t moved = 0;
  for (int i = 0; i < 600 && moved == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    moved = intents_without_the_log(directory_, scratch_.path() + "/copy");
  }
  EXPECT_EQ(moved, 1U);
}

TEST_F(JournalTest, ALaterIntentReplacesTheEarlier) {
  const std::unique_ptr<Journal> journal = open();
  Intent later = kDrain;
  later.value = "maintenance";
  const std::vector<IntentChange> changes{{kDrain, "ready", "drain", kDrain.by},
                                          {later, "drain", "maintenance", later.by}};
  ASSERT_TRUE(journal->record(changes).has_value());
  EXPECT_EQ(*journal->intents(), std::vector<Intent>{later});
}

TEST_F(JournalTest, AnEmptyValueTakesTheIntentBackAndHistoryKeepsBoth) {
  const std::unique_ptr<Journal> journal = open();
  Intent back = kDrain;
  back.value.clear();
  const Authorship carl{"carl", "done", 300};
  const std::vector<IntentChange> changes{{kDrain, "ready", "drain", kDrain.by},
                                          {back, "drain", "ready", carl}};
  ASSERT_TRUE(journal->record(changes).has_value());
  EXPECT_TRUE(journal->intents()->empty());
  const std::vector<HistoryEntry> history = *journal->history({}, 10);
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history[0].after, "ready");
  EXPECT_EQ(history[0].by, carl);
  EXPECT_EQ(history[1].after, "drain");
  EXPECT_EQ(history[1].by, kDrain.by);
  EXPECT_EQ(journal->history({}, 1)->size(), 1U);
}

// "service/backend" of the entries that pass, with the number that is their reason.
std::vector<std::string> passing(Journal& journal, const HistoryFilter& filter,
                                 std::uint32_t limit = 10) {
  std::vector<std::string> found;
  const Result<std::vector<HistoryEntry>> entries = journal.history(filter, limit);
  EXPECT_TRUE(entries.has_value());
  if (!entries) return found;
  for (const HistoryEntry& entry : *entries) {
    found.push_back(entry.service + "/" + entry.backend + " " + entry.by.reason);
  }
  return found;
}

TEST_F(JournalTest, HistoryIsFilteredByNamesAndByNumberNewestFirst) {
  using Names = std::vector<std::string>;
  const std::vector<std::pair<std::string, std::string>> names{
      {"web", "b1"}, {"web", "b2"}, {"api", "b1"}, {"web", "b1"}, {"it's", "b%"}};
  {
    const std::unique_ptr<Journal> journal = open();
    std::vector<IntentChange> changes;
    for (const auto& [service, backend] : names) {
      const Authorship by{"ann", std::to_string(changes.size()), 100};
      changes.push_back({{service, backend, "weight", "5", by}, "1", "5", by});
    }
    ASSERT_TRUE(journal->record(changes).has_value());
    const HistoryEntry rotation{"", "", "cookie_key", "0", "1", {"ann", "5", 100}};
    ASSERT_TRUE(journal->set_cookie_keys({}, rotation).has_value());
  }
  // Also after a restart, and in spite of the same second for all.
  const std::unique_ptr<Journal> journal = open();
  EXPECT_EQ(passing(*journal, {}),
            (Names{"/ 5", "it's/b% 4", "web/b1 3", "api/b1 2", "web/b2 1", "web/b1 0"}));
  EXPECT_EQ(passing(*journal, {}, 2), (Names{"/ 5", "it's/b% 4"}));
  EXPECT_EQ(passing(*journal, {"web", ""}), (Names{"web/b1 3", "web/b2 1", "web/b1 0"}));
  EXPECT_EQ(passing(*journal, {"web", ""}, 2), (Names{"web/b1 3", "web/b2 1"}));
  EXPECT_EQ(passing(*journal, {"", "b1"}), (Names{"web/b1 3", "api/b1 2", "web/b1 0"}));
  EXPECT_EQ(passing(*journal, {"web", "b1"}), (Names{"web/b1 3", "web/b1 0"}));
  EXPECT_EQ(passing(*journal, {"web", "b1"}, 1), Names{"web/b1 3"});
  EXPECT_EQ(passing(*journal, {"it's", "b%"}), Names{"it's/b% 4"});
  EXPECT_EQ(passing(*journal, {"api", "b2"}), Names{});
  EXPECT_EQ(passing(*journal, {"we", ""}), Names{});
  EXPECT_EQ(passing(*journal, {}, 0), Names{});
}

TEST_F(JournalTest, KeyAndEpochSurviveARestart) {
  model::FlowKey key{};
  key[0] = 7;
  key[31] = 9;
  {
    const std::unique_ptr<Journal> journal = open();
    ASSERT_TRUE(journal->set_flow_key(key).has_value());
    ASSERT_TRUE(journal->reserve_epoch(Epoch(41)).has_value());
    ASSERT_TRUE(journal->reserve_epoch(Epoch(42)).has_value());
  }
  const std::unique_ptr<Journal> journal = open();
  EXPECT_EQ(**journal->flow_key(), key);
  EXPECT_EQ(*journal->reserved_epoch(), Epoch(42));
}

TEST_F(JournalTest, ASecondOneIsRefusedUntilTheFirstIsGone) {
  std::unique_ptr<Journal> first = open();
  const Result<std::unique_ptr<Journal>> second = Journal::open(directory_);
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().message.find("another hawserd (process "), std::string::npos)
      << second.error().message;
  EXPECT_NE(second.error().message.find(directory_), std::string::npos);
  first.reset();
  EXPECT_NE(open(), nullptr);
}

TEST_F(JournalTest, ADamagedDatabaseIsAnErrorWithItsName) {
  open().reset();
  std::ofstream(directory_ + "/journal.sqlite", std::ios::trunc) << std::string(4096, 'x');
  const Result<std::unique_ptr<Journal>> journal = Journal::open(directory_);
  ASSERT_FALSE(journal.has_value());
  EXPECT_NE(journal.error().message.find("journal.sqlite"), std::string::npos);
}

// As the first hawserd made it, with what was in it.
void make_first_version(const std::string& path) {
  constexpr const char* kTables = R"(
CREATE TABLE intent (
  service TEXT NOT NULL, backend TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,
  author TEXT NOT NULL, reason TEXT NOT NULL, since_unix INTEGER NOT NULL,
  PRIMARY KEY (service, backend, field)) WITHOUT ROWID;
CREATE TABLE history (
  id INTEGER PRIMARY KEY, at_unix INTEGER NOT NULL, service TEXT NOT NULL, backend TEXT NOT NULL,
  field TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, author TEXT NOT NULL,
  reason TEXT NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO intent VALUES ('web', 'b1', 'mode', 'drain', 'ann', 'disk swap', 100);
INSERT INTO history VALUES (1, 100, 'web', 'b1', 'mode', 'ready', 'drain', 'ann', 'disk swap');
INSERT INTO meta VALUES ('epoch', 77);
)";
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, kTables, nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
}

TEST_F(JournalTest, AnOlderOneIsTakenOverWithAllThatIsInIt) {
  open().reset();
  const std::string path = directory_ + "/journal.sqlite";
  std::filesystem::remove(path);
  make_first_version(path);
  Intent later = kDrain;
  later.terms = {.until_unix = 900, .jitter_seconds = 30, .keep_flows = true};
  later.by.forced = true;
  {
    const std::unique_ptr<Journal> journal = open();
    EXPECT_EQ(*journal->intents(), std::vector<Intent>{kDrain});
    EXPECT_EQ(*journal->reserved_epoch(), Epoch(77));
    const std::vector<HistoryEntry> history = *journal->history({}, 10);
    ASSERT_EQ(history.size(), 1U);
    EXPECT_EQ(history[0].after, "drain");
    EXPECT_FALSE(history[0].by.forced);
    const IntentChange change{later, "drain", "drain until", later.by};
    ASSERT_TRUE(journal->record(std::span(&change, 1)).has_value());
  }
  const std::unique_ptr<Journal> again = open();  // not taken over twice
  EXPECT_EQ(again->intents()->front().terms, later.terms);
  EXPECT_TRUE(again->history({}, 10)->front().by.forced);
}

TEST_F(JournalTest, ANewerOneIsLeftAlone) {
  open().reset();
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((directory_ + "/journal.sqlite").c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, "PRAGMA user_version = 99", nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  const Result<std::unique_ptr<Journal>> journal = Journal::open(directory_);
  ASSERT_FALSE(journal.has_value());
  EXPECT_NE(journal.error().message.find("written by a newer hawserd (version 99"),
            std::string::npos);
}

TEST_F(JournalTest, ADirectoryThatCannotBeMadeIsAnError) {
  std::ofstream(scratch_.path() + "/file") << "x";
  const Result<std::unique_ptr<Journal>> journal = Journal::open(scratch_.path() + "/file/state");
  ASSERT_FALSE(journal.has_value());
  EXPECT_NE(journal.error().message.find("cannot create the directory"), std::string::npos);
}

}  // namespace
}  // namespace hawser::control
