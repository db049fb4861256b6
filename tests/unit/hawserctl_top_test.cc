// Tests of the view of `top`: what it says of each backend, and how it fits its place.
#include <string>

#include <gtest/gtest.h>

#include "commands.h"
#include "hawserctl_samples.h"
#include "terminal.h"
#include "top.h"

namespace hawser::ctl {
namespace {

const Paint kPlain{false};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::size_t widest_line(const std::string& text) {
  std::size_t widest = 0;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    widest = std::max(widest, display_width(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return widest;
}

TopRow full_row(const std::string& name) {
  TopRow row;
  row.service = "web";
  row.name = name;
  row.state = "ready";
  row.weight = 100;
  row.share = 0.5;
  row.actual_share = 0.7;
  row.ratio = 1.4;
  row.flows = 1000;
  row.new_flows_per_second = 12;
  row.requests_per_second = 340;
  row.errors_per_second = 2;
  row.response_p50 = 1100;
  row.response_p99 = 25'000;
  row.has_signals = true;
  row.live_sessions = 77;
  row.packets_in_per_second = 1000;
  row.packets_out_per_second = 1500;
  return row;
}

Sample at(int seconds, rpc::BackendsReply reply) {
  return {std::chrono::steady_clock::time_point(std::chrono::seconds(seconds)), std::move(reply)};
}

TEST(TopRows, ErrorsAreWhatClientsFelt) {
  rpc::BackendsReply before = two_backends();
  rpc::BackendsReply after = two_backends();
  rpc::BackendRow& row = *after.mutable_backends(0);
  row.set_refused(2);
  row.set_timed_out(4);
  row.set_reset(6);
  row.set_server_errors(8);
  row.set_aborted(1000);
  row.set_requests(50);
  row.set_has_signals(true);
  row.set_live_sessions(0);
  row.mutable_response()->set_p99_microseconds(900);
  const auto rows = top_rows(at(0, before), at(2, after));
  EXPECT_DOUBLE_EQ(rows[0].errors_per_second, 10);
  EXPECT_DOUBLE_EQ(rows[0].requests_per_second, 25);
  EXPECT_EQ(rows[0].response_p99, 900U);
  EXPECT_EQ(rows[0].live_sessions, 0U);
  EXPECT_FALSE(rows[1].live_sessions.has_value()) << "not counted, which is not none";
  EXPECT_FALSE(rows[1].has_signals);
}

TEST(TopRows, TheRatioIsThatOfTheShares) {
  rpc::BackendsReply reply = two_backends();
  reply.mutable_backends(0)->set_share(0.5);
  reply.mutable_backends(0)->set_flows(75);
  reply.mutable_backends(1)->set_flows(25);
  const auto rows = top_rows(at(0, reply), at(1, reply));
  EXPECT_DOUBLE_EQ(rows[0].ratio, 1.5);
  EXPECT_DOUBLE_EQ(rows[1].ratio, 0) << "a draining one has no share";
}

TEST(TopView, MarksWhoHasMoreThanItsShare) {
  TopRow hot = full_row("hot");
  TopRow fair = full_row("fair");
  fair.ratio = 1.25;
  TopRow small = full_row("small");
  small.flows = 15;
  const std::string text = top_view({hot, fair, small}, kPlain);
  EXPECT_TRUE(has(text, "1.40 !")) << text;
  EXPECT_TRUE(has(text, "1.25  ")) << text;
  EXPECT_EQ(text.find('!'), text.rfind('!')) << "in small numbers it is chance\n" << text;
}

TEST(TopView, SaysNothingWhereNothingIsKnown) {
  TopRow direct = full_row("direct");
  direct.has_signals = false;
  direct.requests_per_second = 0;
  direct.response_p50 = direct.response_p99 = 0;
  direct.live_sessions.reset();
  const std::string text = top_view({direct}, kPlain);
  for (const std::string_view title : {"ERRORS/S", "REQUESTS/S", "P50", "P99", "SESSIONS"}) {
    EXPECT_FALSE(has(text, title)) << title;
  }
}

TEST(TopView, LeavesOutTheLeastImportantColumnsWhereThereIsNoRoom) {
  const std::vector<TopRow> rows{full_row("b1"), full_row("b2")};
  const std::string whole = top_view(rows, kPlain);
  EXPECT_TRUE(has(whole, "WEIGHT"));
  const std::size_t natural = widest_line(whole.substr(whole.find('\n') + 1));
  const std::string all = top_view(rows, kPlain, {.columns = natural});
  EXPECT_TRUE(has(all, "WEIGHT")) << "it fits exactly";
  const std::string less = top_view(rows, kPlain, {.columns = natural - 1});
  EXPECT_FALSE(has(less, "WEIGHT"));
  EXPECT_TRUE(has(less, "PACKETS/S"));
  for (const std::size_t columns : {80U, 100U, 120U}) {
    const std::string text = top_view(rows, kPlain, {.columns = columns});
    EXPECT_LE(widest_line(text.substr(text.find('\n') + 1)), columns);
    for (const std::string_view title : {"BACKEND", "STATE", "RATIO", "FLOWS", "ERRORS/S"}) {
      EXPECT_TRUE(has(text, title)) << title << " at " << columns;
    }
  }
}

TEST(TopView, ShowsAWindowOfManyBackends) {
  std::vector<TopRow> rows;
  for (int i = 0; i < 1000; ++i) rows.push_back(full_row("b" + std::to_string(i)));
  const std::string text = top_view(rows, kPlain, {.columns = 200, .first = 990, .rows = 20});
  EXPECT_TRUE(has(text, "rows 991 to 1000 of 1000\n")) << text.substr(0, 200);
  EXPECT_TRUE(has(text, "web/b990 "));
  EXPECT_TRUE(has(text, "web/b999 "));
  EXPECT_FALSE(has(text, "web/b989 "));
  EXPECT_TRUE(text.starts_with("1.0 M flows, ")) << "totals are of all\n" << text.substr(0, 80);
}

TEST(TopView, FirstBeyondTheLastShowsNone) {
  EXPECT_TRUE(has(top_view({full_row("b1")}, kPlain, {.columns = 80, .first = 7, .rows = 3}),
                  "no backends"));
}

TEST(Keys, AreKnownByWhatTerminalsSend) {
  EXPECT_EQ(key_of("\x1b[A"), kKeyUp);
  EXPECT_EQ(key_of("\x1bOB"), kKeyDown);
  EXPECT_EQ(key_of("\x1b[5~"), kKeyPageUp);
  EXPECT_EQ(key_of("\x1b[6~"), kKeyPageDown);
  EXPECT_EQ(key_of("\x1b[1~"), kKeyHome);
  EXPECT_EQ(key_of("\x1b[F"), kKeyEnd);
  EXPECT_EQ(key_of("e"), 'e');
  EXPECT_EQ(key_of("\x1b"), 0);
  EXPECT_EQ(key_of("\x1b[Z"), 0);
  EXPECT_EQ(key_of(""), 0);
}

TEST(Keys, NoTwoSortKeysAreOneAndNoneIsTaken) {
  std::string taken = "rq";
  for (const SortKey& key : sort_keys()) {
    EXPECT_EQ(taken.find(key.key), std::string::npos) << key.word;
    taken += key.key;
  }
}

}  // namespace
}  // namespace hawser::ctl
