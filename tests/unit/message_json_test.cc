// Messages as JSON: the same keys and values as hawserctl's, whatever the texts hold.
#include "message_json.h"

#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "control.pb.h"

namespace hawser::control {
namespace {

using nlohmann::json;

std::string text_of(const google::protobuf::Message& message, JsonFields fields) {
  std::string out;
  append_json(message, fields, out);
  return out;
}

v1::StatusReply status() {
  v1::StatusReply reply;
  reply.set_version("0.1.0");
  reply.set_dataplane_connected(true);
  reply.set_desired_epoch(std::numeric_limits<std::uint64_t>::max());
  reply.mutable_dataplane()->add_workers()->set_busy_permille(7);
  reply.add_problems()->set_message("one");
  reply.add_problems()->set_message("two");
  return reply;
}

TEST(MessageJson, WritesEveryFieldInItsOrder) {
  const std::string text = text_of(status(), JsonFields::kAll);
  const json value = json::parse(text);
  EXPECT_EQ(value["version"], "0.1.0");
  EXPECT_EQ(value["dataplane_connected"], true);
  EXPECT_EQ(value["desired_epoch"], std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(value["applied_epoch"], 0);
  EXPECT_EQ(value["dataplane_error"], "");
  EXPECT_EQ(value["dataplane"]["workers"][0]["busy_permille"], 7);
  EXPECT_EQ(value["problems"].size(), 2U);
  EXPECT_EQ(value["problems"][1]["message"], "two");
  EXPECT_EQ(value["drift"], json::array());
  EXPECT_EQ(static_cast<int>(value.size()), v1::StatusReply::descriptor()->field_count());
  EXPECT_LT(text.find("version"), text.find("uptime_seconds"));
}

TEST(MessageJson, LeavesOutWhatIsNotSet) {
  EXPECT_EQ(text_of(v1::StatusReply(), JsonFields::kSet), "{}");
  const json value = json::parse(text_of(status(), JsonFields::kSet));
  EXPECT_EQ(value.count("applied_epoch"), 0U);
  EXPECT_EQ(value.count("drift"), 0U);
  EXPECT_EQ(value["problems"][0], json({{"message", "one"}}));
}

TEST(MessageJson, NumbersStayWhatTheyAre) {
  v1::BackendRow row;
  row.set_share(1.0 / 3);
  EXPECT_EQ(json::parse(text_of(row, JsonFields::kAll))["share"].get<double>(), 1.0 / 3);
  row.set_share(std::numeric_limits<double>::infinity());
  EXPECT_EQ(json::parse(text_of(row, JsonFields::kAll))["share"], nullptr);
  v1::SetModeRequest request;
  request.set_mode(v1::DRAIN);
  EXPECT_EQ(json::parse(text_of(request, JsonFields::kSet))["mode"], "DRAIN");
}

TEST(MessageJson, KeepsEveryTextWhole) {
  std::string every;
  for (char c = 0; c >= 0 && c < 127; ++c) every += c;
  for (const std::string& text :
       {every, std::string("\"quoted\" \\ back"), std::string("a\nb\tc\x01\x7f"),
        std::string("\u202E\u00E4\U0001F6F3"), std::string("</script>"), std::string()}) {
    std::string out;
    append_json(text, out);
    EXPECT_EQ(json::parse(out).get<std::string>(), text);
    EXPECT_EQ(out.find('\n'), std::string::npos);
  }
}

TEST(MessageJson, ReplacesWhatIsNoText) {
  for (const std::string text : {"\xff", "a\xc3", "\xed\xa0\x80z", "\xf8\x88\x80\x80\x80"}) {
    std::string out;
    append_json(text, out);
    EXPECT_NE(json::parse(out).get<std::string>().find("\uFFFD"), std::string::npos) << out;
  }
}

}  // namespace
}  // namespace hawser::control
