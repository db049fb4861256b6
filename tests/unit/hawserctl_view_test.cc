// Tests of what hawserctl prints: verdict, views, top, JSON, and the pages made from its tables.
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "check.h"
#include "commands.h"
#include "hawserctl_samples.h"
#include "json.h"
#include "json_fields.h"
#include "table.h"
#include "top.h"
#include "verdict.h"
#include "views.h"

namespace hawser::ctl {
namespace {

const Paint kPlainPaint(false);

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// --- verdict and views ---------------------------------------------------------------------------

TEST(Verdict, TheWorstProblemDecides) {
  EXPECT_EQ(headline(good_status()), "OK: 1 service, 2 of 2 backends serve, 24 flows");
  EXPECT_EQ(headline(bad_status()), "CRITICAL: 1 critical problem, 1 warning");
  rpc::StatusReply warning = good_status();
  warning.add_problems()->set_severity("warning");
  EXPECT_EQ(headline(warning), "WARNING: 1 problem");
}

TEST(Verdict, ADataplaneThatIsNotConnectedIsCriticalAlsoUnsaid) {
  rpc::StatusReply status = good_status();
  status.set_dataplane_connected(false);
  EXPECT_EQ(severity_of(status), Severity::kCritical);
  EXPECT_EQ(headline(status), "CRITICAL: the dataplane is not connected");
}

TEST(Views, StatusSaysTheVerdictFirstAndTheWorstProblemNext) {
  const std::string text = status_view(bad_status(), one_service(), kPlainPaint, kNow);
  EXPECT_TRUE(
      text.starts_with("CRITICAL: 1 critical problem, 1 warning\n"
                       "  critical  service web has no backend that serves: check the backends\n"
                       "  warning   web/b2 differs from the file: say ready when done\n\n"))
      << text;
  EXPECT_TRUE(contains(text, "hawserd     0.1.0, up 2 h 5 min, /etc/hawser/hawser.toml\n"));
  EXPECT_TRUE(
      contains(text, "dataplane   0.1.0, up 3 d 4 h, epoch 17, 1 worker (poll), huge pages\n"))
      << text;
  EXPECT_TRUE(contains(text, "load        24 of 1.0 M flows, busiest worker 34.2 %\n"));
  EXPECT_TRUE(contains(text, "neighbours  1 resolved, 10.0.1.3 failed\n"));
  EXPECT_TRUE(contains(text, "uplink  0000:3b:00.0   100  up    02:00:00:00:00:01    1.5 MB"))
      << text;
  EXPECT_TRUE(contains(text, "web/b2             mode  ready  drain  ada  3 min ago  disk swap\n"))
      << text;
}

TEST(Views, StatusWithoutADataplaneSaysWhy) {
  rpc::StatusReply status = good_status();
  status.set_dataplane_connected(false);
  status.set_dataplane_error("connection refused");
  const std::string text = status_view(status, {}, kPlainPaint, kNow);
  EXPECT_TRUE(contains(text, "dataplane   not connected: connection refused\n")) << text;
  EXPECT_FALSE(contains(text, "PORT"));
}

TEST(Views, BackendsShowWeightsThatDifferAndWhoDidIt) {
  const std::string text = backends_view(two_backends(), kPlainPaint, kNow);
  EXPECT_TRUE(contains(text, "50 (file 100)")) << text;
  EXPECT_TRUE(contains(text, "operator (ada): disk swap\n")) << text;
  EXPECT_TRUE(contains(text, "up: 200 in 3 ms"));
  EXPECT_TRUE(contains(text, "1.2 M"));
}

TEST(Views, AColumnThatNobodyNeedsIsLeftOut) {
  Table table({{"A", Align::kLeft, true}, {"B"}, {"C", Align::kRight, true}});
  table.add({"", "one", ""});
  EXPECT_EQ(table.render(kPlainPaint), "B\none\n");
  table.add({"", "two", "2"});
  EXPECT_EQ(table.render(kPlainPaint), "B    C\none  -\ntwo  2\n");
  table.add({"x", "", ""});
  EXPECT_EQ(table.render(kPlainPaint), "A  B    C\n-  one  -\n-  two  2\nx  -    -\n");
}

TEST(Views, GenerationsAndReadingAreShownWhereThereAreAny) {
  rpc::BackendsReply backends = two_backends();
  EXPECT_FALSE(contains(backends_view(backends, kPlainPaint, kNow), "GENERATION"));
  backends.mutable_backends(1)->set_generation("v42");
  const std::string rows = backends_view(backends, kPlainPaint, kNow);
  EXPECT_TRUE(contains(rows, "BACKEND  ADDRESS        GENERATION  STATE")) << rows;
  EXPECT_TRUE(contains(rows, "web/b1   10.0.1.1:8080  -           ready")) << rows;
  EXPECT_TRUE(contains(rows, "web/b2   10.0.1.1:8080  v42         draining")) << rows;

  rpc::ServicesReply services = one_service();
  EXPECT_FALSE(contains(settings_view(services, kPlainPaint), "READING"));
  services.mutable_services(0)->set_splice("head timeout 10s, h2c refuse, 2 rules");
  const std::string settings = settings_view(services, kPlainPaint);
  EXPECT_TRUE(contains(settings, "DENY  READING\n")) << settings;
  EXPECT_TRUE(contains(settings, "-     head timeout 10s, h2c refuse, 2 rules\n")) << settings;
}

TEST(Views, ServicesShowWhatTheyBearAndWhomTheyLetIn) {
  rpc::ServicesReply reply = one_service();
  EXPECT_TRUE(
      contains(settings_view(reply, kPlainPaint),
               "\nweb      reset    none                    0.25        off          off  off "
               "        -      -\n"))
      << settings_view(reply, kPlainPaint);
  rpc::ServiceRow& row = *reply.mutable_services(0);
  row.set_forward("dsr-gue");
  row.set_gue_port(6080);
  row.set_bounded_load(0);
  row.set_max_flows(100'000);
  row.set_new_flow_rate(5000);
  row.set_source_rate(50);
  row.set_source_burst(100);
  row.set_source_ipv4_prefix(24);
  row.set_source_ipv6_prefix(56);
  row.set_quic("config 0, server id 8, nonce 8, encrypted");
  for (const char* name : {"blocked", "bogons"}) {
    rpc::ListUse& use = *row.add_lists();
    use.set_name(name);
    use.set_rule("deny");
    use.set_prefixes(100'000);
  }
  EXPECT_TRUE(contains(services_view(reply, kPlainPaint), "dsr-gue :6080"));
  const std::string text = settings_view(reply, kPlainPaint);
  EXPECT_TRUE(contains(text,
                       "off    100.0 k         5000  50/s, burst 100, /24 /56  -      blocked "
                       "(100.0 k), bogons (100.0 k)  config 0, server id 8, nonce 8, encrypted\n"))
      << text;
}

TEST(Views, CountersHideZeroesUnlessAsked) {
  rpc::CountersReply reply;
  path::NamedCounter& counter = *reply.mutable_counters()->add_verdicts();
  counter.set_name("forwarded");
  counter.set_kind("forward");
  EXPECT_EQ(counters_view(reply, false, kPlainPaint), "no packets yet\n");
  EXPECT_TRUE(contains(counters_view(reply, true, kPlainPaint), "forwarded"));
}

TEST(Views, AChangeThatWasSoAlreadySaysSo) {
  EXPECT_EQ(change_view({}, "web/b1: weight is 50", kPlainPaint),
            "web/b1: weight is 50 already; nothing to change\n");
}

TEST(Views, AChangeShowsBeforeAfterAndConfirmation) {
  rpc::ChangeReply reply;
  rpc::Change& change = *reply.add_changes();
  change.set_service("web");
  change.set_backend("b1");
  change.set_field("weight");
  change.set_before("100");
  change.set_after("50");
  reply.set_epoch(18);
  EXPECT_EQ(change_view(reply, "", kPlainPaint),
            "web/b1: weight 100 -> 50\nconfirmed by the dataplane, epoch 18\n");
  reply.set_dry_run(true);
  EXPECT_EQ(change_view(reply, "", kPlainPaint),
            "would change web/b1: weight 100 -> 50\ndry run: nothing was changed\n");
}

// --- top -----------------------------------------------------------------------------------------

Sample sample_at(int seconds, rpc::BackendsReply reply) {
  return {std::chrono::steady_clock::time_point(std::chrono::seconds(seconds)), std::move(reply)};
}

TEST(Top, RatesComeFromTwoSamples) {
  rpc::BackendsReply later = two_backends();
  later.mutable_backends(0)->set_bytes_in(64000 + 2000);
  later.mutable_backends(0)->set_new_flows(1234567 + 10);
  later.mutable_backends(0)->set_flows(36);
  const auto rows = top_rows(sample_at(0, two_backends()), sample_at(2, later));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_DOUBLE_EQ(rows[0].bits_in_per_second, 8000);
  EXPECT_DOUBLE_EQ(rows[0].new_flows_per_second, 5);
  EXPECT_DOUBLE_EQ(rows[0].actual_share, 0.75);
  EXPECT_DOUBLE_EQ(rows[1].bits_in_per_second, 0);
}

TEST(Top, CountersThatFellAndNewBackendsHaveNoRate) {
  rpc::BackendsReply later = two_backends();
  later.mutable_backends(0)->set_bytes_in(10);
  *later.add_backends() = backend_row("web", "b3");
  const auto rows = top_rows(sample_at(0, two_backends()), sample_at(1, later));
  EXPECT_DOUBLE_EQ(rows[0].bits_in_per_second, 0);
  EXPECT_DOUBLE_EQ(rows[2].bits_in_per_second, 0);
}

TEST(Top, EverySortKeySortsAndReverses) {
  std::vector<TopRow> rows(3);
  rows[0].name = "a";
  rows[0].state = "ready";
  rows[1].name = "b";
  rows[1].state = "down";
  rows[1].flows = 5;
  rows[1].actual_share = 1;
  rows[1].new_flows_per_second = rows[1].packets_in_per_second = rows[1].bits_out_per_second = 9;
  rows[1].requests_per_second = rows[1].errors_per_second = rows[1].ratio = 9;
  rows[1].response_p99 = 9;
  rows[1].live_sessions = 9;
  rows[2].name = "c";
  rows[2].state = "ready";
  for (const SortKey& key : sort_keys()) {
    sort_rows(rows, key.word, false);
    EXPECT_EQ(rows[0].name, key.word == "name" ? "a" : "b") << key.word;
    sort_rows(rows, key.word, true);
    EXPECT_EQ(rows[0].name, "c") << key.word;
  }
}

TEST(Top, ShowsTotalsAndShareAgainstWeight) {
  const auto rows = top_rows(sample_at(0, two_backends()), sample_at(1, two_backends()));
  const std::string text = top_view(rows, kPlainPaint);
  EXPECT_TRUE(text.starts_with("24 flows, 0 new/s, 0 packets/s, 0 bit/s in, 0 bit/s out\n"))
      << text;
  EXPECT_TRUE(contains(text, "web/b1   ready        100  50.0 %  50.0 %")) << text;
}

// --- JSON ----------------------------------------------------------------------------------------

// Gives every field of a message a value, one element for each repeated one.
void fill(google::protobuf::Message& message) {
  const auto& descriptor = *message.GetDescriptor();
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const auto* field = descriptor.field(i);
    if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) {
      fill(field->is_repeated() ? *reflection.AddMessage(&message, field)
                                : *reflection.MutableMessage(&message, field));
    } else if (field->is_repeated()) {
      reflection.AddString(&message, field, "text");  // no other repeated scalars here
    }
  }
}

template <typename Message>
Message filled() {
  Message message;
  fill(message);
  return message;
}

std::string type_of(const Json& json) {
  return json.is_string() ? "string" : json.is_boolean() ? "boolean" : "number";
}

// Every leaf as "path type".
void flatten(const Json& json, const std::string& path, std::set<std::string>& out) {
  if (path == "service_list") {
    out.insert("service_list[] object");
  } else if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      std::string inner = path;
      if (!inner.empty()) inner += ".";
      inner += key;
      flatten(value, inner, out);
    }
  } else if (json.is_array()) {
    for (const Json& value : json) flatten(value, path + "[]", out);
  } else {
    out.insert(path + " " + type_of(json));
  }
}

void expect_documented(VerbId verb, const Json& json) {
  std::set<std::string> found;
  flatten(json, "", found);
  std::set<std::string> documented;
  for (const JsonField& field : json_fields(verb)) {
    documented.insert(std::string(field.key) + " " + std::string(field.type));
  }
  EXPECT_EQ(found, documented);
}

TEST(JsonViews, EveryKeyIsDocumentedAndNoOther) {
  expect_documented(VerbId::kStatus,
                    status_json(filled<rpc::StatusReply>(), filled<rpc::ServicesReply>()));
  expect_documented(VerbId::kServices, to_json(filled<rpc::ServicesReply>()));
  expect_documented(VerbId::kBackends, backends_json(filled<rpc::BackendsReply>()));
  expect_documented(VerbId::kWeight, change_json(filled<rpc::ChangeReply>()));
  expect_documented(VerbId::kReload, reload_json(filled<rpc::ReloadReply>()));
  expect_documented(VerbId::kCounters, to_json(filled<rpc::CountersReply>())["counters"]);
  expect_documented(VerbId::kKeys, rotation_json(filled<rpc::RotateKeysReply>()));
  expect_documented(VerbId::kEvents, to_json(filled<rpc::Event>()));
  expect_documented(VerbId::kHistory, to_json(filled<rpc::HistoryReply>()));
  expect_documented(VerbId::kWhy, to_json(filled<path::ExplainReply>()));
  expect_documented(VerbId::kFlows, flows_json(filled<path::FlowsReply>()));
  expect_documented(VerbId::kTop, top_json({TopRow{}}));
  expect_documented(VerbId::kCheck, check_json("f", model::parse_configuration("", "f")));
  expect_documented(VerbId::kVersion, version_json(filled<rpc::VersionReply>()));
}

TEST(JsonViews, NumbersAreNumbersAndKeepAllTheirDigits) {
  rpc::BackendsReply reply = two_backends();
  reply.mutable_backends(0)->set_bytes_in(18'446'744'073'709'551'615ULL);
  const Json json = Json::parse(dump(backends_json(reply)));
  EXPECT_EQ(json["backends"][0]["bytes_in"].get<std::uint64_t>(), 18'446'744'073'709'551'615ULL);
  EXPECT_EQ(json["backends"][0]["id"], "web/b1");
  EXPECT_DOUBLE_EQ(json["backends"][0]["share"].get<double>(), 0.5);
}

TEST(JsonViews, StatusHasTheVerdictAndTheServices) {
  const Json json = status_json(bad_status(), one_service());
  EXPECT_EQ(json.items().begin().key(), "verdict");
  EXPECT_EQ(json["verdict"], "critical");
  EXPECT_EQ(json["service_list"][0]["name"], "web");
}

}  // namespace
}  // namespace hawser::ctl
