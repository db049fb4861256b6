// The configuration file: syntax, keys, types and the ranges of single values.
#include "configuration_rows.h"

namespace hawser::model {
namespace {

// Long lines are broken into adjacent literals on purpose.
// NOLINTBEGIN(bugprone-suspicious-missing-comma)
const std::vector<ConfigurationRow> kRows{
    {"a service with one backend is good", std::string(kPort) + kService + kBackend, {}},
    {"all keys at once are good",
     std::string(kPort) + R"([dataplane]
main_core = 0
workers = [1, 2]
idle = "adaptive"
flows_ipv4 = 2_000_000
flows_ipv6 = 500_000
rx_descriptors = 512
tx_descriptors = 512
mbufs = 65536
socket = "/run/hawser/dataplane.sock"
socket_group = "hawser"
eal = ["--no-huge"]
[control]
socket = "/run/hawser/hawserd.sock"
socket_group = "hawser"
state_directory = "/var/lib/hawser"
http = "[::1]:9465"
[[service]]
name = "web"
address = "10.0.0.100"
port = 80
protocol = "tcp"
forward = "nat"
on_down = "rehome"
affinity = { by = "source", ipv4_prefix = 24, ipv6_prefix = 56 }
timeouts = { established = "15m", handshake = 30, closing = "10s", udp = 60 }
table_slots = 65537
check = { type = "http", path = "/up", host = "web.example", status = 204, body = "ok", interval = "500ms", timeout = 1, rise = 1, fall = 2, port = 8081 }
backend = [{ name = "b1", address = "10.0.0.11", port = 8080, weight = 1000 }]
)",
     {}},
    {"broken TOML is told with its place",
     std::string(kPort) + R"(service = [
)",
     {"7:13: this is no TOML: Error while parsing array: encountered end-of-file"}},
    {"a misspelt table is told with the nearest",
     std::string(kPort) + R"([dataplan]
)",
     {"7:2: unknown key \"dataplan\" (did you mean \"dataplane\"?)"}},
    {"a key that resembles nothing is told with what is known",
     std::string(kPort) + R"([control]
colour = "red"
)",
     {"8:1: [control]: unknown key \"colour\"; known here: socket, socket_group, "
      "state_directory, http"}},
    {"a misspelt key of a service",
     std::string(kPort) + kService + R"(protocl = "tcp"
)" + kBackend,
     {"11:1: service \"web\": unknown key \"protocl\" (did you mean \"protocol\"?)"}},
    {"a misspelt key of a backend",
     std::string(kPort) + kService + kBackend + R"(wieght = 10
)",
     {"15:1: service \"web\", backend \"b1\": unknown key \"wieght\" (did you mean "
      "\"weight\"?)"}},
    {"a misspelt key of a check",
     std::string(kPort) + kService + R"(check = { intervall = "2s" }
)" + kBackend,
     {"11:11: service \"web\", check: unknown key \"intervall\" (did you mean \"interval\"?)"}},
    {"a misspelt key of affinity and of timeouts",
     std::string(kPort) + kService + R"(affinity = { buy = "flow" }
timeouts = { estabished = 3 }
)" + kBackend,
     {"11:14: service \"web\", affinity: unknown key \"buy\" (did you mean \"by\"?)",
      "12:14: service \"web\", timeouts: unknown key \"estabished\" (did you mean "
      "\"established\"?)"}},
    {"a misspelt word of an enumeration",
     std::string(kPort) + kService + R"(forward = "nta"
protocol = "tpc"
on_down = "reste"
affinity = { by = "sorce" }
check = { type = "htp" }
)" + kBackend,
     {"11:11: service \"web\": forward \"nta\" must be \"nat\", \"dsr-l2\", \"dsr-ipip\", "
      "\"dsr-gue\" or \"splice\" (did you mean \"nat\"?)",
      "12:12: service \"web\": protocol \"tpc\" must be \"tcp\", \"udp\", \"http\" or \"tls\" (did "
      "you mean \"tcp\"?)",
      "13:11: service \"web\": on_down \"reste\" must be \"reset\" or \"rehome\" (did you mean "
      "\"reset\"?)",
      "14:19: service \"web\", affinity: by \"sorce\" must be \"flow\", \"source\", \"quic-cid\", "
      "\"none\", \"cookie\", \"app-cookie\", \"header\", \"query\" or \"sni\" (did you mean "
      "\"source\"?)",
      "15:18: service \"web\", check: type \"htp\" must be \"none\", \"tcp\", \"http\", "
      "\"https\" or \"tls\" (did you mean \"http\"?)"}},
    {"a misspelt word for idle",
     std::string(kPort) + R"([dataplane]
idle = "adaptve"
)",
     {"8:8: [dataplane]: idle \"adaptve\" must be \"poll\" or \"adaptive\" (did you mean "
      "\"adaptive\"?)"}},
    {"wrong types",
     std::string(kPort) + R"([dataplane]
main_core = "0"
workers = 1
idle = true
flows_ipv4 = 1.5
eal = [1]
socket = 1979-05-27
)",
     {"8:13: [dataplane]: main_core must be a whole number, is a string",
      "9:11: [dataplane]: workers must be an array, is a whole number",
      "10:8: [dataplane]: idle must be a string, is true or false",
      "11:14: [dataplane]: flows_ipv4 must be a whole number, is a decimal",
      "12:8: [dataplane]: an entry of eal must be a string, is a whole number",
      "13:10: [dataplane]: socket must be a string, is a date or a time"}},
    {"a wrong type does not cause further errors",
     std::string(kPort) + R"([[service]]
name = "web"
address = 10
port = "80"
)" + kBackend,
     {"9:11: service \"web\": address must be a string, is a whole number",
      "10:8: service \"web\": port must be a whole number, is a string"}},
    {"a service written as a table",
     std::string(kPort) + R"([service]
name = "web"
)",
     {"7:1: service must be an array of tables, is a table; write [[service]]"}},
    {"backends written as strings",
     std::string(kPort) + kService + R"(backend = ["10.0.0.11:80"]
)",
     {"11:12: service \"web\": an entry of backend must be a table, is a string"}},
    {"no port at all",
     std::string(kService) + kBackend,
     {"1:1: there is no port; add a [[port]] with name, device and addresses"}},
    {"a port without anything",
     std::string(R"([[port]]
)"),
     {"1:1: port number 1: name is missing; write name = \"uplink\"",
      "1:1: port number 1: device is missing; write device = \"0000:3b:00.0\" or a vdev such as "
      "\"net_af_packet0,iface=eth0\"",
      "1:1: port number 1: addresses is missing; write addresses = [\"10.0.0.2/24\"]"}},
    {"a service without anything",
     std::string(kPort) + R"([[service]]
)",
     {"7:1: service number 1: name is missing; write name = \"web\"",
      "7:1: service number 1: address is missing; write address = \"10.0.0.1\"",
      "7:1: service number 1: port is missing; write port = 80",
      "7:1: service number 1: there is no backend; add a [[service.backend]]"}},
    {"a service without a backend",
     std::string(kPort) + kService,
     {"7:1: service \"web\": there is no backend; add a [[service.backend]]"}},
    {"a service with an empty list of backends",
     std::string(kPort) + kService + R"(backend = []
)",
     {"11:11: service \"web\": there is no backend; add a [[service.backend]]"}},
    {"weight 0",
     std::string(kPort) + kService + kBackend + R"(weight = 0
)",
     {"15:10: service \"web\", backend \"b1\": weight is 0, must be 1 to 1000; to take a backend "
      "out of service use `hawserctl drain` or `hawserctl maintenance`"}},
    {"a weight too large and a negative one",
     std::string(kPort) + kService + kBackend + R"(weight = 1001
)" + R"([[service.backend]]
name = "b2"
address = "10.0.0.12"
port = 8080
weight = -1
)",
     {"15:10: service \"web\", backend \"b1\": weight is 1001, must be 1 to 1000; to take a "
      "backend out of service use `hawserctl drain` or `hawserctl maintenance`",
      "20:10: service \"web\", backend \"b2\": weight is -1, must be 1 to 1000; to take a "
      "backend out of service use `hawserctl drain` or `hawserctl maintenance`"}},
    {"ports out of range",
     std::string(kPort) + R"([[service]]
name = "web"
address = "10.0.0.100"
port = 0
[[service.backend]]
name = "b1"
address = "10.0.0.11"
port = 65536
)",
     {"10:8: service \"web\": port is 0, must be 1 to 65535",
      "14:8: service \"web\", backend \"b1\": port is 65536, must be 1 to 65535"}},
    {"an MTU, a tap and a device that cannot be",
     std::string(R"([[port]]
name = "uplink"
device = ""
tap = "a/b"
mtu = 900
addresses = ["10.0.0.2/24"]
)"),
     {"3:10: port \"uplink\": device is empty; write a PCI address or a vdev string",
      "4:7: port \"uplink\": tap \"a/b\" cannot be the name of an interface",
      "5:7: port \"uplink\": mtu is 900, must be 1280 to 9000"}},
    {"a tap name too long for the kernel",
     std::string(R"([[port]]
name = "uplink"
device = "0000:3b:00.0"
tap = "hawser-exception0"
addresses = ["10.0.0.2/24"]
)"),
     {"4:7: port \"uplink\": tap has 17 bytes, must have at most 15"}},
    {"a worker on the main core, and one twice",
     std::string(kPort) + R"([dataplane]
main_core = 2
workers = [1, 2, 1]
)",
     {"9:15: [dataplane]: core 2 is the main core and a worker's; give each its own",
      "9:18: [dataplane]: core 1 is listed twice in workers"}},
    {"a main core that is the default worker's",
     std::string(kPort) + R"([dataplane]
main_core = 1
)",
     {"8:13: [dataplane]: core 1 is the main core and a worker's; give each its own"}},
    {"no worker, and a core that no machine has",
     std::string(kPort) + R"([dataplane]
workers = []
main_core = 5000
)",
     {"8:11: [dataplane]: workers is empty; name at least one core",
      "9:13: [dataplane]: main_core is 5000, must be 0 to 127"}},
    {"sizes out of range",
     std::string(kPort) + R"([dataplane]
flows_ipv4 = 10
flows_ipv6 = 99_999_999_999
rx_descriptors = 1
mbufs = 0
)",
     {"8:14: [dataplane]: flows_ipv4 is 10, must be 1024 to 67108864",
      "9:14: [dataplane]: flows_ipv6 is 99999999999, must be 1024 to 67108864",
      "10:18: [dataplane]: rx_descriptors is 1, must be 64 to 32768",
      "11:9: [dataplane]: mbufs is 0, must be 1024 to 16777216; leave it out for an automatic "
      "number"}},
    {"sockets that cannot be",
     std::string(kPort) + R"([dataplane]
socket = "dataplane.sock"
[control]
socket = "/run/hawser/hawserd"
state_directory = "state"
)",
     {"8:10: [dataplane]: socket is \"dataplane.sock\", must be an absolute path",
      "10:10: [control]: socket is \"/run/hawser/hawserd\", must end in .sock (its read-only "
      "twin ends in -ro.sock)",
      "11:19: [control]: state_directory is \"state\", must be an absolute path"}},
    {"the same socket for both daemons",
     std::string(kPort) + R"([dataplane]
socket = "/run/hawser.sock"
[control]
socket = "/run/hawser.sock"
)",
     {"10:10: [control]: socket \"/run/hawser.sock\" is also the socket of the other daemon; "
      "give each its own"}},
    {"keys of an http check for a tcp check",
     std::string(kPort) + kService +
         R"(check = { path = "/", status = 200, host = "a", body = "b" }
)" + kBackend,
     {"11:18: service \"web\", check: path has no effect with type \"tcp\"; write type = "
      "\"http\" or \"https\" or remove it",
      "11:32: service \"web\", check: status has no effect with type \"tcp\"; write type = "
      "\"http\" or \"https\" or remove it",
      "11:44: service \"web\", check: host has no effect with type \"tcp\"; write type = "
      "\"http\" or \"https\" or remove it",
      "11:56: service \"web\", check: body has no effect with type \"tcp\"; write type = "
      "\"http\" or \"https\" or remove it"}},
    {"durations",
     std::string(kPort) + kService + R"(check = { interval = "2x", timeout = "2h" }
timeouts = { established = "9h", handshake = 0, closing = "1500ms", udp = 1.5 }
)" + kBackend,
     {"11:22: service \"web\", check: interval is \"2x\", which is no duration; write it like "
      "\"500ms\", \"2s\", \"5m\", \"1h\" or \"7d\"",
      "11:38: service \"web\", check: timeout is \"2h\", must be 50ms to 1h",
      "12:28: service \"web\", timeouts: established is \"9h\", must be 1s to 8h",
      "12:46: service \"web\", timeouts: handshake is 0, must be 1s to 8h",
      "12:59: service \"web\", timeouts: closing is \"1500ms\", must be a multiple of 1s",
      "12:75: service \"web\", timeouts: udp must be a duration such as \"2s\" or a whole number "
      "of seconds, is a decimal"}},
    {"a check's counts, port, path and status",
     std::string(kPort) + kService +
         R"(check = { type = "http", rise = 0, fall = 101, port = 70000, path = "up", status = [399, 200] }
)" + kBackend,
     {"11:33: service \"web\", check: rise is 0, must be 1 to 100",
      "11:43: service \"web\", check: fall is 101, must be 1 to 100",
      "11:55: service \"web\", check: port is 70000, must be 1 to 65535",
      "11:69: service \"web\", check: path is \"up\", must start with \"/\" and contain no blank",
      "11:84: service \"web\", check: status must be [lowest, highest], such as [200, 399]"}},
    {"a status of one and of three numbers",
     std::string(kPort) + kService + R"(check = { type = "http", status = [200] }
)" + kBackend +
         R"([[service]]
name = "api"
address = "10.0.0.101"
port = 80
check = { type = "http", status = [200, 300, 400] }
)" + kBackend,
     {"11:35: service \"web\", check: status must be [lowest, highest], such as [200, 399]",
      "20:35: service \"api\", check: status has 3 entries, must have at most 2"}},
    {"a line break in a header",
     std::string(kPort) + kService + R"(check = { type = "http", host = "a\r\nb" }
)" + kBackend,
     {"11:33: service \"web\", check: host contains a control character; remove it"}},
    {"prefixes of affinity out of range",
     std::string(kPort) + kService +
         R"(affinity = { by = "source", ipv4_prefix = 33, ipv6_prefix = 0 }
)" + kBackend,
     {"11:43: service \"web\", affinity: ipv4_prefix is 33, must be 1 to 32",
      "11:61: service \"web\", affinity: ipv6_prefix is 0, must be 1 to 128"}},
    {"many errors are told at once, in the order of the file",
     std::string(kPort) + R"([dataplane]
idel = "poll"
[[service]]
name = "web"
address = "10.0.0.100"
port = 80000
forward = "dsr"
[[service.backend]]
name = "b1"
address = "10.0.0"
port = 8080
weight = 5000
)",
     {"8:1: [dataplane]: unknown key \"idel\" (did you mean \"idle\"?)",
      "12:8: service \"web\": port is 80000, must be 1 to 65535",
      "13:11: service \"web\": forward \"dsr\" must be \"nat\", \"dsr-l2\", \"dsr-ipip\", "
      "\"dsr-gue\" or \"splice\"",
      "16:11: service \"web\", backend \"b1\": address: \"10.0.0\" is no IP address; write it "
      "like 10.0.0.1 or fd00::1",
      "18:10: service \"web\", backend \"b1\": weight is 5000, must be 1 to 1000; to take a "
      "backend out of service use `hawserctl drain` or `hawserctl maintenance`"}},
};
// NOLINTEND(bugprone-suspicious-missing-comma)

class ConfigurationFile : public testing::TestWithParam<ConfigurationRow> {};

TEST_P(ConfigurationFile, GetsExactlyTheseDiagnostics) {
  EXPECT_EQ(diagnose(GetParam().text), GetParam().diagnostics);
}

INSTANTIATE_TEST_SUITE_P(Rows, ConfigurationFile, testing::ValuesIn(kRows));

TEST(ConfigurationValues, AreReadWithTheirUnits) {
  const std::string text = std::string(kPort) + kService + R"(
affinity = { by = "source", ipv4_prefix = 24 }
timeouts = { established = "15m", handshake = 30, udp = "1h" }
check = { type = "http", status = 204, interval = "500ms", timeout = 1, port = 8081 }
)" + kBackend;
  const ParsedConfiguration parsed = parse_configuration(text, "f");
  ASSERT_TRUE(parsed.ok());
  const Service& service = parsed.configuration.services.at(0);
  EXPECT_EQ(service.affinity.by, AffinityBy::kSource);
  EXPECT_EQ(service.affinity.ipv4_prefix, 24);
  EXPECT_EQ(service.affinity.ipv6_prefix, 64);
  EXPECT_EQ(service.timeouts.established, 900);
  EXPECT_EQ(service.timeouts.handshake, 30);
  EXPECT_EQ(service.timeouts.closing, 120);
  EXPECT_EQ(service.timeouts.udp, 3600);
  EXPECT_EQ(service.check.interval_ms, 500U);
  EXPECT_EQ(service.check.timeout_ms, 1000U);
  EXPECT_EQ(service.check.http.status_low, 204);
  EXPECT_EQ(service.check.http.status_high, 204);
  EXPECT_EQ(service.backends.at(0).weight, limits::kDefaultWeight);
  EXPECT_EQ(parsed.configuration.ports.at(0).tap, "hawser0");
}

TEST(ConfigurationValues, UdpServicesAreNotCheckedUnlessAsked) {
  const std::string text = std::string(kPort) + kService + "protocol = \"udp\"\n" + kBackend;
  const ParsedConfiguration parsed = parse_configuration(text, "f");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed.configuration.services.at(0).check.type, CheckType::kNone);
}

TEST(ConfigurationValues, AFileTooLongIsRefusedUnread) {
  const std::string text(limits::kMaxConfigurationBytes + 1, ' ');
  EXPECT_EQ(diagnose(text), std::vector<std::string>{
                                "1:1: the file has 67108865 bytes, must have at most 67108864"});
}

}  // namespace
}  // namespace hawser::model
