// Settings of health checks and agents: what is read, what is refused and in which words.
#include <gtest/gtest.h>

#include "configuration_rows.h"

namespace hawser::model {
namespace {

// Line 11 is the first of `settings`.
std::string web(const std::string& settings) {
  return std::string(kPort) + kService + settings + "\n" + kBackend;
}

Service read(const std::string& settings) {
  const ParsedConfiguration parsed = parse_configuration(web(settings), "f");
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.diagnostics.front().to_string());
  return parsed.configuration.services.empty() ? Service{} : parsed.configuration.services[0];
}

TEST(CheckSettings, ReadsAllOfHttps) {
  const Service service = read(
      "check = { type = \"https\", method = \"OPTIONS\", host = \"web.example:8443\", "
      "request_header = [{ name = \"X-Check\", value = \"1\" }], "
      "header = { name = \"X-Ready\", value = \"yes\" }, body_regex = \"^ok$\", "
      "ca_file = \"/etc/ca.pem\", server_name = \"web.example\", expires_within = \"30d\", "
      "client_certificate = \"/c.pem\", client_key = \"/k.pem\" }");
  const Check& check = service.check;
  EXPECT_EQ(check.type, CheckType::kHttps);
  EXPECT_EQ(check.http.method, HttpMethod::kOptions);
  EXPECT_EQ(check.http.host, "web.example:8443");
  EXPECT_EQ(check.http.headers, (std::vector<HeaderField>{{"X-Check", "1"}}));
  EXPECT_EQ(check.http.header, (HeaderField{"X-Ready", "yes"}));
  EXPECT_EQ(check.http.body_regex, "^ok$");
  EXPECT_TRUE(check.tls.verify);
  EXPECT_EQ(check.tls.ca_file, "/etc/ca.pem");
  EXPECT_EQ(check.tls.server_name, "web.example");
  EXPECT_EQ(check.tls.expires_within_seconds, 30U * 86'400);
  EXPECT_EQ(check.tls.client_certificate, "/c.pem");
  EXPECT_EQ(check.tls.client_key, "/k.pem");
}

TEST(CheckSettings, ReadsBytesAndAgents) {
  const Service service = read(
      "check = { type = \"tcp\", send = \"PING\\r\\n\", expect = \"+PONG\" }\n"
      "agent = { port = 9999, interval = \"5s\", timeout = \"500ms\", send = \"web\\n\" }");
  EXPECT_EQ(service.check.send, "PING\r\n");
  EXPECT_EQ(service.check.expect, "+PONG");
  EXPECT_EQ(service.agent, (AgentCheck{9999, 5000, 500, "web\n"}));
  EXPECT_EQ(read("").agent.port, 0);
}

TEST(CheckSettings, ChecksSpeakProxyWhereTheServiceDoes) {
  const std::string proxy = "client_address = \"proxy-v2\"\n";
  EXPECT_FALSE(read("").check.proxy_protocol);
  EXPECT_TRUE(read(proxy).check.proxy_protocol);
  EXPECT_TRUE(read(proxy + "check = { type = \"http\" }").check.proxy_protocol);
  EXPECT_FALSE(read(proxy + "check = { port = 81 }").check.proxy_protocol);
  EXPECT_TRUE(read(proxy + "check = { port = 81, proxy_protocol = true }").check.proxy_protocol);
  EXPECT_FALSE(read(proxy + "check = { proxy_protocol = false }").check.proxy_protocol);
  EXPECT_TRUE(read("check = { proxy_protocol = true }").check.proxy_protocol);
}

const std::vector<ConfigurationRow>& rows() {
  static const std::vector<ConfigurationRow> all{
      {"what has no effect is refused",
       web("check = { type = \"tcp\", path = \"/\", ca_file = \"/ca\" }"),
       {"11:32: service \"web\", check: path has no effect with type \"tcp\"; write type = "
        "\"http\" or \"https\" or remove it",
        "11:47: service \"web\", check: ca_file has no effect with type \"tcp\"; write type = "
        "\"https\" or \"tls\" or remove it"}},
      {"bytes are not for http",
       web("check = { type = \"http\", send = \"x\" }"),
       {"11:33: service \"web\", check: send has no effect with type \"http\"; write type = "
        "\"tcp\" or \"tls\" or remove it"}},
      {"a key needs its certificate, and authorities need to be asked",
       web("check = { type = \"tls\", verify = false, ca_file = \"/ca\", client_key = \"/k\" }"),
       {"11:51: service \"web\", check: ca_file has no effect with verify = false; remove one of "
        "them",
        "11:71: service \"web\", check: client_key needs client_certificate"}},
      {"values that are none",
       web("check = { type = \"https\", method = \"PUT\", expires_within = \"11y\", ca_file = "
           "\"ca.pem\", header = { name = \"a b\" }, request_header = [{ name = \"host\" }] }"),
       {"11:36: service \"web\", check: method \"PUT\" must be \"GET\", \"HEAD\", \"OPTIONS\" or "
        "\"POST\"",
        "11:60: service \"web\", check: expires_within is \"11y\", which is no duration; write it "
        "like \"500ms\", \"2s\", \"5m\", \"1h\" or \"7d\"",
        "11:77: service \"web\", check: ca_file is \"ca.pem\", must be an absolute path",
        "11:105: service \"web\", check, header: name is \"a b\", which is no name of a header",
        "11:141: service \"web\", check, request_header: Host is not to be set; write host"}},
      {"a HEAD has no body to look at",
       web("check = { type = \"http\", method = \"HEAD\", body = \"ok\" }"),
       {"11:50: service \"web\", check: body has no effect with method \"HEAD\", whose answer has "
        "no body"}},
      {"an agent needs a port",
       web("agent = { interval = \"1s\" }"),
       {"11:9: service \"web\", agent: port is missing; write port = 9999"}},
  };
  return all;
}

class CheckSettingsRow : public testing::TestWithParam<ConfigurationRow> {};

TEST_P(CheckSettingsRow, GetsItsDiagnostics) {
  EXPECT_EQ(diagnose(GetParam().text), GetParam().diagnostics);
}

INSTANTIATE_TEST_SUITE_P(Rows, CheckSettingsRow, testing::ValuesIn(rows()));

TEST(CheckSettings, WhatTheInspectorFindsIsToldWithItsPlace) {
  const CheckInspector inspect = [](const Check& check) {
    return check.type == CheckType::kHttp
               ? std::vector<CheckFault>{{"body_regex", "Missing close parenthesis"}}
               : std::vector<CheckFault>{};
  };
  const ParsedConfiguration parsed = parse_configuration(
      web("check = { type = \"http\", body_regex = \"(\" }"), "f", {}, {}, inspect);
  ASSERT_EQ(parsed.diagnostics.size(), 1U);
  EXPECT_EQ(parsed.diagnostics[0].to_string(),
            "f:11:39: service \"web\", check: body_regex: Missing close parenthesis");
  EXPECT_TRUE(parse_configuration(web(""), "f", {}, {}, inspect).ok());
}

}  // namespace
}  // namespace hawser::model
